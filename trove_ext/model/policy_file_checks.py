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

"""What is wrong with a policy file beyond the form of each value.

Each check reads what it needs and has nothing to say about a value whose form is wrong:
that is reported by itself, and all mistakes of a file are reported at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.model.durations import format_duration, parse_duration
from trove_ext.model.policy_file import KEEP, as_list, read_match

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta

#: Where a value is in a file: the keys and indexes that lead to it.
Place = tuple[str | int, ...]
#: What a rule that skips instances may have.
WITH_SKIP = {"match", "skip"}
#: What verifications ask; the first two belong together.
QUERY = ("query", "expect", "query_database")


def mistakes(tree: Any) -> Iterator[tuple[Place, str]]:
    """Yield the place and a description of each mistake.

    :param tree: the whole file, whether its values have the right form or not
    """
    if not isinstance(tree, dict):
        return
    defaults = _mapping(tree.get("defaults"))
    rules = tree.get("rules")
    rules = rules if isinstance(rules, list) else []
    for index, rule in enumerate(rules):
        if isinstance(rule, dict):
            for key, text in _of_rule(rule, defaults):
                yield ("rules", index, *key), text
    yield from _never_reached(rules)


def _of_rule(
    rule: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Iterator[tuple[Place, str]]:
    if rule.get("skip") is True:
        for key in rule:
            if key not in WITH_SKIP:
                yield (key,), f"{key}: it has no effect, since the rule has skip: true"
        return
    given = {**defaults, **rule}
    if "every" not in given:
        yield (), "'every' is missing, such as 1d, or skip: true"
    yield from _late(rule, given)
    kept = [key for key in KEEP if key in given]
    if kept == ["keep_name"]:
        place = ("keep_name",) if "keep_name" in rule else ()
        yield (
            place,
            "keep_name: alone it keeps nothing else, give another keep_ setting",
        )
    yield from _queries(rule, given)


def _queries(
    rule: Mapping[str, Any], given: Mapping[str, Any]
) -> Iterator[tuple[Place, str]]:
    """Find queries that nothing verifies with, and those without a value."""
    present = [key for key in QUERY if key in given]
    if "verify_every" not in given:
        for key in present:
            place = (key,) if key in rule else ()
            yield place, f"{key}: it has no effect without verify_every"
        return
    queries, values = (len(as_list(given.get(key, ()))) for key in QUERY[:2])
    if queries != values:
        place = next(((key,) for key in QUERY[:2] if key in rule), ())
        yield (
            place,
            f"each query needs its expect: there are {queries} and {values}",
        )
    elif "query_database" in present and not queries:
        place = ("query_database",) if "query_database" in rule else ()
        yield place, "query_database: it has no effect without query"


def _late(
    rule: Mapping[str, Any], given: Mapping[str, Any]
) -> Iterator[tuple[Place, str]]:
    every, max_age = _span(given.get("every")), _span(given.get("max_age"))
    if every is not None and max_age is not None and max_age <= every:
        place = ("max_age",) if "max_age" in rule else ()
        yield (
            place,
            f"max_age: it has to be longer than every, {format_duration(every)}",
        )


def _never_reached(rules: list[Any]) -> Iterator[tuple[Place, str]]:
    """Find the rules after one that matches every instance."""
    catches_all = False
    for index, rule in enumerate(rules):
        if catches_all:
            yield ("rules", index), "this rule is never used: one before it matches all"
        elif isinstance(rule, dict) and _is_open(rule.get("match", {})):
            catches_all = True


def _is_open(match: Any) -> bool:
    if not isinstance(match, dict) or set(match) - {"instance"}:
        return False
    names = match.get("instance", "*")
    return isinstance(names, (str, list)) and read_match(match).is_open


def _span(text: Any) -> timedelta | None:
    """Read a duration; None if it is none."""
    try:
        return parse_duration(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
