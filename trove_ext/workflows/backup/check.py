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
"""Whether there is a restorable backup that is recent enough, for monitoring."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trove_ext.exceptions import NotFoundError
from trove_ext.model.ages import age_of, describe_ahead
from trove_ext.model.backup import newest
from trove_ext.model.backup_forest import BackupForest
from trove_ext.model.durations import format_duration
from trove_ext.model.rotation import is_sound
from trove_ext.model.selection import Selection, nothing_selected, select
from trove_ext.trove import read
from trove_ext.workflows.backup.schedule import schedule
from trove_ext.workflows.backup.targets import Found, find_with_backups

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from trove_ext.model.backup import Backup
    from trove_ext.model.instance import Instance
    from trove_ext.model.policy_file import PolicyFile
    from trove_ext.model.selection import Group, LeftOut
    from trove_ext.trove.client import Cloud

EVERYTHING = Selection()


class Level(enum.IntEnum):
    """The severity of a finding; a greater one is worse.

    UNKNOWN says that the instance could not be evaluated: a CRITICAL finding of another
    instance is certain, and so is worse.
    """

    OK = 0
    WARNING = 1
    UNKNOWN = 2
    CRITICAL = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """How old the newest restorable backup may be, counted from its start.

    :ivar critical: older than this is CRITICAL
    :ivar warning: older than this is a WARNING; None for none
    """

    critical: timedelta
    warning: timedelta | None = None

    def exceeded(self, age: timedelta) -> tuple[Level, timedelta] | None:
        """Return the level of an age and the limit that it exceeds."""
        if age > self.critical:
            return Level.CRITICAL, self.critical
        if self.warning is not None and age > self.warning:
            return Level.WARNING, self.warning
        return None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found for one instance.

    :ivar instance: None if it is gone, or can't be read
    :ivar backup: its newest backup whose whole chain exists
    :ivar age: since that one was started; None if it is dated ahead of now
    :ivar chain_length: how many backups a restore of it reads
    :ivar problem: what is wrong; None if it is OK
    :ivar running: whether a backup of it is in progress
    :ivar limits: how old the backup may be; None if there is no instance to evaluate
    :ivar limit: what the age exceeds, if that is the problem
    :ivar member: the member of a replica set that the backup is of; None for an
        instance that was checked by itself
    """

    name: str
    instance_id: str | None
    level: Level = Level.OK
    backup: Backup | None = None
    age: timedelta | None = None
    chain_length: int = 0
    problem: str | None = None
    instance: Instance | None = None
    running: bool = False
    limits: Limits | None = None
    limit: timedelta | None = None
    member: Instance | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check has found.

    :ivar left_out: instances of the project that were not evaluated, and why
    """

    verdicts: Sequence[Verdict]
    left_out: Sequence[LeftOut] = ()


def check(
    cloud: Cloud,
    names_or_ids: Sequence[str],
    max_age: timedelta,
    *,
    warning: timedelta | None = None,
) -> list[Verdict]:
    """Evaluate each instance by the newest backup that can be restored for sure.

    An instance that is gone, or never existed, is a CRITICAL verdict: a monitor
    should report it. One that can't be read is UNKNOWN.

    :param max_age: how old that backup may be, counted from its start: its data is
        at least that new
    :param warning: from which age on it is a WARNING; None for none
    """
    found, forest = find_with_backups(cloud, names_or_ids)
    limits = Limits(max_age, warning)
    now = cloud.clock.now()
    return [_evaluate(forest, target, now, limits) for target in found]


def check_all(
    cloud: Cloud,
    max_age: timedelta,
    *,
    warning: timedelta | None = None,
    selection: Selection = EVERYTHING,
) -> Checked:
    """Evaluate all instances of the project, a replica set as one.

    The newest restorable backup of any member counts for its set. An instance without
    a backup is CRITICAL. Costs a request for each 20 instances, and one for the
    backups of the project.

    :raises NotFoundError: there is no instance to check: a monitor that watches the
        wrong project should not be content
    """
    instances = read.list_instances(cloud, clustered=True)
    groups, left_out = select(instances, selection)
    if not groups:
        raise NotFoundError(nothing_selected("check", instances, left_out))
    forest = BackupForest.of(read.list_backups(cloud), cloud.engines.look)
    limits = Limits(max_age, warning)
    now = cloud.clock.now()
    return Checked(
        [_evaluate_group(forest, group, now, limits) for group in groups], left_out
    )


def check_policy(
    cloud: Cloud, policy: PolicyFile, *, warning: timedelta | None = None
) -> Checked:
    """Evaluate all instances of the project by the rules of a policy file.

    The limit of each is the ``max_age`` of its rule. An instance that no rule matches
    is CRITICAL: nobody has decided that it needs no backup.

    :param warning: as for :func:`check`; a rule with a shorter ``max_age`` has none
    :raises NotFoundError: the project has no instance
    """
    found = schedule(cloud, policy)
    now = cloud.clock.now()
    verdicts = []
    for due in found.dues:
        if due.rule is None:
            verdicts.append(_without_rule(due.group.head, policy))
        elif due.rule.settings is not None:
            limit = due.rule.settings.max_age
            early = warning if warning is not None and warning < limit else None
            limits = Limits(limit, early)
            verdicts.append(_evaluate_group(found.forest, due.group, now, limits))
    return Checked(verdicts, found.left_out)


def _without_rule(instance: Instance, policy: PolicyFile) -> Verdict:
    return Verdict(
        instance.name,
        instance.id,
        Level.CRITICAL,
        problem=f"no rule of {policy.name} matches it",
        instance=instance,
    )


def worst(verdicts: Sequence[Verdict]) -> Level:
    """Return the level of them all."""
    return max((verdict.level for verdict in verdicts), default=Level.OK)


def is_good(verdict: Verdict) -> bool:
    """Whether there is a restorable backup that is not too old."""
    return verdict.level in {Level.OK, Level.WARNING}


def _evaluate_group(
    forest: BackupForest, group: Group, now: datetime, limits: Limits
) -> Verdict:
    """Evaluate a replica set by the backups of all its members."""
    head = group.head
    taken = sorted(
        (backup for each in group.members for backup in forest.of_instance(each.id)),
        key=lambda backup: backup.age_key,
        reverse=True,
    )
    verdict = _evaluate_backups(
        forest, Found(head.name, head, head.id), taken, now, limits
    )
    if len(group.members) == 1 or verdict.backup is None:
        return verdict
    by_id = {member.id: member for member in group.members}
    return replace(verdict, member=by_id.get(verdict.backup.instance_id or ""))


def _evaluate(
    forest: BackupForest, found: Found, now: datetime, limits: Limits
) -> Verdict:
    if found.instance_id is None:
        absent = isinstance(found.error, NotFoundError)
        level = Level.CRITICAL if absent else Level.UNKNOWN
        return Verdict(found.name, None, level, problem=str(found.error))
    taken = forest.of_instance(found.instance_id)
    return _evaluate_backups(forest, found, taken, now, limits)


def _evaluate_backups(
    forest: BackupForest,
    found: Found,
    taken: Sequence[Backup],
    now: datetime,
    limits: Limits,
) -> Verdict:
    """Evaluate backups, newest first, that count for one instance or set."""
    points = [backup for backup in taken if is_sound(forest, backup)]
    sound = newest(points, now)
    shown = sound or next(iter(points), None)
    age = age_of(sound.created, now) if sound else None
    exceeded = limits.exceeded(age) if age is not None else (Level.CRITICAL, None)
    level, limit = exceeded or (Level.OK, None)
    verdict = Verdict(
        name=found.name,
        instance_id=found.instance_id,
        level=level,
        backup=shown,
        age=age,
        chain_length=len(forest.restore_path(shown.id)) if shown else 0,
        instance=found.instance,
        running=any(backup.is_running for backup in taken),
        limits=limits,
        limit=limit,
    )
    if level is Level.OK:
        return verdict
    return replace(verdict, problem=_problem(forest, verdict, taken, now))


def _problem(
    forest: BackupForest, verdict: Verdict, taken: Sequence[Backup], now: datetime
) -> str:
    shown, age, limit = verdict.backup, verdict.age, verdict.limit
    if shown is None:
        return f"there is no restorable backup{_newer(forest, taken, None, now)}"
    if age is None or limit is None:
        return (
            f"no restorable backup proves to be recent: {shown} is "
            f"{describe_ahead(shown.created, now)}"
        )
    return (
        f"the newest restorable backup is {format_duration(age)} old, "
        f"{format_duration(limit)} is the limit{_newer(forest, taken, shown, now)}"
    )


def _newer(
    forest: BackupForest,
    taken: Sequence[Backup],
    sound: Backup | None,
    now: datetime,
) -> str:
    """Describe what is wrong with the newest backup, if that is not the sound one."""
    if not taken or taken[0] is sound:
        return ""
    why = forest.why_not(taken[0].id) or forest.doubt(taken[0].id)
    if why is None:
        why = describe_ahead(taken[0].created, now)
    return f"; of {taken[0]}: {why}"
