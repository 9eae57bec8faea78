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

"""The datastore version of an instance from a backup: that of the backup, or another.

Trove compares only the name of the datastore (``trove/instance/models.py``,
``Instance.create``), and refuses a version that an operator has switched off
(``DatastoreVersionInactive``), so a backup of it can be restored into another one only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.exceptions import NotFoundError
from trove_ext.follow_up import FollowUp, Problem, Setting, add
from trove_ext.model import versions
from trove_ext.model.versions import Fit
from trove_ext.trove import catalog

if TYPE_CHECKING:
    from trove_ext.model.backup import Backup
    from trove_ext.model.engine import Engine
    from trove_ext.trove.catalog import Version
    from trove_ext.trove.client import Cloud

FORCE = add("use it nevertheless", Setting.FORCE_VERSION, alternative=True)


@dataclass(frozen=True, slots=True)
class VersionChoice:
    """The version of the new instance.

    :ivar id: None if Trove does not report it
    :ivar name: None if it is not known, which is one of the problems
    :ivar note: that it is another version than that of the backup, which is fine
    :ivar warning: that it is another version, and what to check
    """

    id: str | None
    name: str | None
    problems: tuple[Problem, ...] = ()
    note: str | None = None
    warning: str | None = None

    @property
    def reference(self) -> str | None:
        """Return what to send: the ID if it is known, as versions may share a name."""
        return self.id or self.name


@dataclass(frozen=True, slots=True)
class _Offer:
    """The versions of a datastore that can be used, for the data of a backup.

    :ivar own: the version of the backup
    :ivar complete: whether these are all
    """

    own: VersionChoice
    listed: tuple[Version, ...]
    complete: bool
    engine: Engine

    def find(self, *keys: str | None) -> Version | None:
        """Return the version with one of these IDs, or else with one of the names."""
        by_id = [version for version in self.listed if version.id in keys]
        by_name = [version for version in self.listed if version.name in keys]
        return next(iter([*by_id, *by_name]), None)

    def fit(self, version: Version) -> Fit:
        """Compare a version with that of the backup."""
        if version.id == self.own.id or version.name == self.own.name:
            return Fit.SAME
        numbers = (each.number for each in self.listed if each.id == self.own.id)
        taken = next(numbers, None) or self.own.name
        return versions.fit(taken, version.number or version.name, self.engine)

    def usable(self) -> list[Version]:
        """Return the versions that fit, the nearest first."""
        order = list(Fit)

        def rank(version: Version) -> tuple[int, tuple[int, ...], str]:
            number = versions.numbers(version.number or version.name)
            return order.index(self.fit(version)), number, version.name

        fitting = (each for each in self.listed if self.fit(each) in versions.USABLE)
        return sorted(fitting, key=rank)

    def advice(self) -> tuple[str, tuple[FollowUp, ...]]:
        """List the versions that fit, and say how to use the nearest of them."""
        usable = self.usable()
        names = ", ".join(map(self._described, usable))
        return (
            f"it can be restored into: {names or 'none'}",
            tuple(map(_into, usable[:1])),
        )

    def _described(self, version: Version) -> str:
        how = self.fit(version)
        plain = how in {Fit.SAME, Fit.NEWER}
        return version.name if plain else f"{version.name} ({how.value})"


def choose_version(
    cloud: Cloud, backup: Backup, wanted: str | None, *, force: bool
) -> VersionChoice:
    """Find the version, and compare it with that of the backup.

    :param wanted: name or ID; None for the version of the backup
    :param force: use an older version too
    """
    own = VersionChoice(backup.datastore_version_id, backup.datastore_version)
    datastore = backup.datastore
    if datastore is None or own.name is None:
        return _refused(own, "Trove does not report its datastore and version")
    try:
        listed, complete = catalog.list_versions(cloud, datastore)
    except NotFoundError:
        return _refused(own, f"there is no datastore {datastore} any more")
    offer = _Offer(own, tuple(listed), complete, cloud.engines.look(datastore))
    if wanted is None:
        return _same(offer, datastore)
    found = offer.find(wanted)
    if found is None:
        text = f"datastore {datastore} has no version {wanted} that can be used"
        return _listed(offer, text)
    return _other(offer, found, force=force)


def _same(offer: _Offer, datastore: str) -> VersionChoice:
    """Use the version of the backup."""
    own = offer.own
    if offer.find(own.id, own.name) is not None or not offer.complete:
        return own
    return _listed(
        offer,
        f"version {own.name} of datastore {datastore}, which it was taken with, can't "
        "be used any more",
    )


def _other(offer: _Offer, found: Version, *, force: bool) -> VersionChoice:
    """Use another version, if it can read the files."""
    how = offer.fit(found)
    text = f"version {found.name} is {how.value} than that of the backup"
    text = text if how in {Fit.NEWER, Fit.MAJOR, Fit.OLDER} else how.value
    text = f"{text} ({offer.own.name})"
    if how is Fit.UNREADABLE or (how is Fit.OLDER and not force):
        forced = [FORCE] if how is Fit.OLDER else []
        return _listed(offer, text, *forced)
    whole = f"{text[:1].upper()}{text[1:]}."
    note = whole if how is Fit.NEWER else None
    warning = None
    if how in {Fit.MAJOR, Fit.OLDER, Fit.UNKNOWN}:
        warning = f"{whole} Whether it starts on these files, only the restore shows."
    return VersionChoice(found.id, found.name, (), note, warning)


def _refused(own: VersionChoice, text: str, *follow_ups: FollowUp) -> VersionChoice:
    return VersionChoice(own.id, own.name, (Problem(text, follow_ups),))


def _listed(offer: _Offer, text: str, *follow_ups: FollowUp) -> VersionChoice:
    """Refuse, and list the versions that can be used."""
    usable, into = offer.advice()
    return _refused(offer.own, f"{text}; {usable}", *into, *follow_ups)


def _into(version: Version) -> FollowUp:
    return FollowUp(
        f"restore it into {version.name}",
        settings=(Setting.DATASTORE_VERSION,),
        value=version.name,
    )
