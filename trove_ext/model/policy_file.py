# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The rules of a policy file: what is done for each instance of a project.

The tree of a file is what YAML makes of it: dictionaries, lists, texts and numbers. The
first rule that matches an instance applies to it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from trove_ext.model.durations import parse_duration, parse_period
from trove_ext.model.retention_policy import Policy
from trove_ext.model.rotation_naming import NamePattern

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from trove_ext.model.instance import Instance

#: The settings of a retention policy; one name is in the singular, as its option is.
KEEP = (
    *(field.name for field in fields(Policy) if field.name != "keep_names"),
    "keep_name",
)
#: Without ``max_age`` a backup may be this share of ``every`` late: 26 hours for a day.
LATE = 12


@dataclass(frozen=True, slots=True)
class Match:
    """Which instances a rule is for: all, or those that have all that is given.

    :ivar names: patterns of names, as of a shell, one of which has to match
    :ivar datastores: types, such as ``mysql``
    """

    names: tuple[str, ...] = ("*",)
    datastores: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it matches every instance."""
        return "*" in self.names and not self.datastores and not self.ids

    def fits(self, instance: Instance) -> bool:
        """Whether an instance has all that is given."""
        return (
            any(fnmatchcase(instance.name, name) for name in self.names)
            and (not self.datastores or instance.datastore in self.datastores)
            and (not self.ids or instance.id in self.ids)
        )


@dataclass(frozen=True, slots=True)
class Verification:
    """How backups are verified.

    :ivar period: the first backup of each is verified: ``week``, say
    :ivar queries: statements, each with the one value that it must return
    :ivar query_database: the database to connect to for them; None for the only one,
        if the engine needs any
    """

    period: str
    queries: tuple[tuple[str, str], ...] = ()
    query_database: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What is done for an instance.

    :ivar every: how often a backup is taken, from start to start
    :ivar full_every: how old the full backup of new incrementals may be
    :ivar chain_length: how many backups a restore may read
    :ivar keep: what to keep; None to delete nothing
    :ivar max_age: how old the newest restorable backup may be
    :ivar storage_driver: what the backups are stored by; None for any
    :ivar pattern: the names of the backups
    :ivar incremental: whether to take incrementals too of an engine whose incrementals
        may miss rows
    :ivar verification: None if no backup is verified
    """

    every: timedelta
    max_age: timedelta
    pattern: NamePattern
    full_every: timedelta | None = None
    chain_length: int | None = None
    keep: Policy | None = None
    storage_driver: str | None = None
    incremental: bool = False
    verification: Verification | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    :ivar line: where it is in the file, from 1
    :ivar settings: None for instances that are skipped
    """

    line: int
    match: Match
    settings: Settings | None


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """All rules, in the order of the file.

    :ivar name: the path of the file
    """

    name: str
    rules: tuple[Rule, ...]

    @property
    def verifies(self) -> bool:
        """Whether a rule wants verifications."""
        return any(rule.settings and rule.settings.verification for rule in self.rules)

    def rule_for(self, instance: Instance) -> Rule | None:
        """Return the first rule that matches an instance; None if none does."""
        return next((rule for rule in self.rules if rule.match.fits(instance)), None)


def read_match(given: Mapping[str, Any]) -> Match:
    """Read the ``match`` of a rule that the schema accepts."""
    return Match(
        names=_texts(given.get("instance", "*")),
        datastores=_texts(given.get("datastore", ())),
        ids=_texts(given.get("id", ())),
    )


def read_rule(given: Mapping[str, Any], defaults: Mapping[str, Any], line: int) -> Rule:
    """Read a rule of a file that was checked.

    :param defaults: the settings that it has if it does not give them
    """
    match = read_match(given.get("match", {}))
    if given.get("skip"):
        return Rule(line, match, None)
    return Rule(line, match, read_settings({**defaults, **given}))


def read_settings(given: Mapping[str, Any]) -> Settings:
    """Read the settings of a rule that was checked."""
    every = parse_duration(given["every"])
    return Settings(
        every=every,
        max_age=_span(given, "max_age") or every + every / LATE,
        pattern=NamePattern(given["name"]) if "name" in given else NamePattern(),
        full_every=_span(given, "full_every"),
        chain_length=given.get("chain_length"),
        keep=read_keep(given),
        storage_driver=given.get("storage_driver"),
        incremental=given.get("incremental", False),
        verification=read_verification(given),
    )


def read_verification(given: Mapping[str, Any]) -> Verification | None:
    """Read how backups are verified; None if nothing says that they are."""
    if "verify_every" not in given:
        return None
    values = map(str, as_list(given.get("expect", ())))
    return Verification(
        period=given["verify_every"],
        queries=tuple(zip(_texts(given.get("query", ())), values, strict=True)),
        query_database=given.get("query_database"),
    )


def read_keep(given: Mapping[str, Any]) -> Policy | None:
    """Read the retention policy; None if nothing says what to keep."""
    kept: dict[str, Any] = {name: given[name] for name in KEEP if name in given}
    if not kept:
        return None
    if "keep_within" in kept:
        kept["keep_within"] = parse_period(kept["keep_within"])
    return Policy(keep_names=_texts(kept.pop("keep_name", ())), **kept)


def _span(given: Mapping[str, Any], key: str) -> timedelta | None:
    return parse_duration(given[key]) if key in given else None


def _texts(given: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Read one text, or a list of them."""
    return tuple(as_list(given))


def as_list(given: Any) -> Sequence[Any]:
    """Return a list of values as it is, and a single value as a list of it."""
    return given if isinstance(given, (list, tuple)) else [given]
