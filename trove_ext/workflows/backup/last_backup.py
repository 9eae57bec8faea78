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

"""A last backup of each instance before something that can't be undone.

It is full, so it needs no other backup: retention or the delete of an older backup
can't take it along. Only a backup that was read COMPLETED, and restorable, counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    BusyError,
    CheckError,
    ResourceFailedError,
    TroveExtError,
)
from trove_ext.follow_up import Problem, Setting, add
from trove_ext.model.rotation import is_sound
from trove_ext.trove import conditions, wait_report
from trove_ext.workflows import new_instance
from trove_ext.workflows.backup import (
    chains,
    create,
    engine_rules,
    failed,
    rotate_start,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.model.instance import Instance
    from trove_ext.model.rotation_naming import NamePattern
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud

BACKUPS = "backups"
OTHER_NAME = add("use another name", Setting.BACKUP_NAME)


@dataclass(frozen=True, slots=True)
class LastBackup:
    """A last backup that passed its checks, and was not taken yet."""

    instance: Instance
    name: str


def check(
    cloud: Cloud, instances: Sequence[Instance], pattern: NamePattern
) -> list[LastBackup]:
    """Check whether a backup of each instance can be taken, and restored.

    :param instances: as read just before
    :raises BusyError: another operation is in progress, and nothing else is wrong
    :raises CheckError: one of them can't be backed up now; lists all that is wrong
    """
    planned: list[LastBackup] = []
    problems: list[str | Problem | TroveExtError] = []
    for instance in instances:
        try:
            planned.append(LastBackup(instance, _name(cloud, instance, pattern)))
        except ValueError as exc:
            problems.append(Problem(str(exc), (OTHER_NAME,)))
        problems += _problems(cloud, instance)
    problems += _quota_problems(cloud, len(instances))
    if problems and all(isinstance(each, BusyError) for each in problems):
        raise BusyError("\n".join(map(str, problems)))
    if problems:
        raise CheckError("No backup can be taken first", problems)
    return planned


def take(
    cloud: Cloud, planned: Sequence[LastBackup], deadline: Deadline
) -> list[Backup]:
    """Take all of them, wait for all, and read each again.

    :returns: the backups, COMPLETED and restorable
    :raises TroveExtError: one of them is not; its message says that nothing was done to
        any of the instances
    """
    try:
        return _take(cloud, planned, deadline)
    except TroveExtError as exc:
        names = ", ".join(str(each.instance) for each in planned)
        raise exc.extended(
            f"Nothing was done to {names}: there is no good backup of "
            f"{'it' if len(planned) == 1 else 'each'}."
        ) from exc


def _take(
    cloud: Cloud, planned: Sequence[LastBackup], deadline: Deadline
) -> list[Backup]:
    made = [
        create.create(cloud, create.CreateRequest(each.instance.id, each.name))
        for each in planned
    ]
    targets = [conditions.backup_completed(cloud, backup) for backup in made]
    wait_report.raise_for(cloud.wait(targets, deadline))
    return [
        _sound(cloud, backup, each.instance)
        for backup, each in zip(made, planned, strict=True)
    ]


def _sound(cloud: Cloud, backup: Backup, instance: Instance) -> Backup:
    """Read a backup again, with what it would be restored from.

    :raises ResourceFailedError: it is gone, no full backup, or can't be restored
    """
    forest = chains.forest_above(cloud, instance.id)
    now = forest.get(backup.id)
    if now is None:
        why: str | None = "it is gone"
    elif now.parent_id is not None:
        why = f"it is no full backup, but builds on {now.parent_id}"
    elif not is_sound(forest, now):
        why = forest.why_not(now.id) or forest.doubt(now.id)
    else:
        cloud.progress.note(f"Backup {now} of {instance} is restorable.")
        return now
    raise ResourceFailedError(f"Backup {backup} can't be restored: {why}")


def _name(cloud: Cloud, instance: Instance, pattern: NamePattern) -> str:
    return pattern.format(instance.name, full=True, now=cloud.clock.now())


def _problems(cloud: Cloud, instance: Instance) -> Iterator[str | TroveExtError]:
    engine = cloud.engines.of(instance.datastore)
    problem = engine_rules.replica_problem(engine, instance)
    if problem:
        yield f"{instance}: {problem}"
    try:
        rotate_start.check_ready(cloud, instance)
    except (BusyError, ResourceFailedError) as exc:
        yield exc


def _quota_problems(cloud: Cloud, count: int) -> Iterator[Problem]:
    for shortage in new_instance.shortages(cloud, {BACKUPS: count}):
        advice = failed.advice(cloud)
        yield Problem(f"{shortage}. {advice}", advice.follow_ups)
