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

"""The rules of a retention policy, and what each of them keeps.

They are restic's: days, weeks (ISO) and so on are those of UTC, the newest restore
point of each is kept, and "within" counts back from the newest restore point, so an
instance that is not backed up any more loses nothing as time passes. (restic also keeps
the oldest of all while a count is not used up; that is left out here.)
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING

from trove_ext.model.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from trove_ext.model.backup import Backup

#: Field of the policy, and how its bucket is shown: two times share a bucket if
#: this makes the same text of both.
BUCKETS = {
    "keep_hourly": "hourly %Y-%m-%dT%H",
    "keep_daily": "daily %Y-%m-%d",
    "keep_weekly": "weekly %G-W%V",
    "keep_monthly": "monthly %Y-%m",
    "keep_yearly": "yearly %Y",
}


#: The words for periods, shortest first, and their buckets.
PERIODS = dict(
    zip(("hour", "day", "week", "month", "year"), BUCKETS.values(), strict=True)
)


class PolicyError(ValueError):
    """The policy is invalid: it keeps nothing, or has a negative number.

    :ivar problems: each a sentence for the user
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Policy:
    """What to keep of each instance; a backup is kept if any field keeps it.

    :ivar keep_last: this many newest restore points; 0 has no effect, as below
    :ivar keep_within: restore points at most this much older than the newest one
    :ivar keep_hourly: the newest restore point of each of this many hours, counted
        back over hours that have one; the other four likewise
    :ivar keep_chains: every restore point of this many chains, those whose newest
        restore point is youngest
    :ivar keep_names: shell patterns; a backup with such a name is never deleted, and
        counts in the other rules. Alone they are no policy
    """

    keep_last: int = 0
    keep_within: timedelta | None = None
    keep_hourly: int = 0
    keep_daily: int = 0
    keep_weekly: int = 0
    keep_monthly: int = 0
    keep_yearly: int = 0
    keep_chains: int = 0
    keep_names: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """Its problems, one sentence each; empty if it can be used."""
        names = [field.name for field in fields(self) if field.name != "keep_names"]
        problems = [
            f"{_option(name)} can't be below zero."
            for name in names
            if _is_negative(getattr(self, name))
        ]
        if not any(getattr(self, name) for name in names):
            options = ", ".join(_option(name) for name in names)
            problems.append(f"Nothing says what to keep: give one of {options}.")
        return tuple(problems)

    def check(self) -> None:
        """Refuse an invalid policy.

        :raises PolicyError: with all that is wrong
        """
        if self.problems:
            raise PolicyError(self.problems)


def keep_reasons(
    policy: Policy,
    points: Sequence[Backup],
    now: datetime,
    chain_of: Callable[[Backup], str],
) -> Iterator[tuple[Backup, str]]:
    """Yield each restore point that the policy keeps, with the reason, rule by rule.

    :param points: the restore points of one instance, newest first
    :param now: a newest point dated later than this does not move ``keep_within``
    :param chain_of: the ID of the chain that a point belongs to
    """
    for number, point in enumerate(points[: policy.keep_last], start=1):
        yield point, f"last {number} of {policy.keep_last}"
    yield from _within(policy, points, now)
    for name, pattern in BUCKETS.items():
        yield from _buckets(points, getattr(policy, name), pattern)
    yield from _chains(points, policy.keep_chains, chain_of)


def _within(
    policy: Policy, points: Sequence[Backup], now: datetime
) -> Iterator[tuple[Backup, str]]:
    if policy.keep_within is None or not points:
        return
    newest = min(points[0].created, now)
    reason = f"within {format_duration(policy.keep_within)}"
    for point in points:
        if newest - point.created <= policy.keep_within:
            yield point, reason


def _buckets(
    points: Sequence[Backup], count: int, pattern: str
) -> Iterator[tuple[Backup, str]]:
    """Yield the newest point of each of the newest buckets."""
    seen: set[str] = set()
    for point in points:
        if len(seen) == count:
            return
        bucket = point.created.strftime(pattern)
        if bucket not in seen:
            seen.add(bucket)
            yield point, bucket


def _chains(
    points: Sequence[Backup], count: int, chain_of: Callable[[Backup], str]
) -> Iterator[tuple[Backup, str]]:
    """Yield all points of the newest chains; a chain is as new as its newest point."""
    ranks: dict[str, int] = {}
    for point in points:
        rank = ranks.setdefault(chain_of(point), len(ranks) + 1)
        if rank <= count:
            yield point, f"chain {rank} of {count}"


def _is_negative(value: int | timedelta | None) -> bool:
    if isinstance(value, timedelta):
        return value < timedelta()
    return value is not None and value < 0


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
