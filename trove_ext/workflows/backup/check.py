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

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.model.ages import age_of, describe_ahead
from trove_ext.model.backup import newest
from trove_ext.model.durations import format_duration
from trove_ext.model.rotation import is_sound
from trove_ext.workflows.backup.targets import find_with_backups

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from trove_ext.model.backup import Backup
    from trove_ext.model.backup_forest import BackupForest
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.targets import Found


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found for one instance.

    :ivar backup: its newest backup whose whole chain exists
    :ivar age: since that one was started; None if it is dated ahead of now
    :ivar chain_length: how many backups a restore of it reads
    :ivar problem: what is wrong; None if it is ok
    """

    name: str
    instance_id: str | None
    backup: Backup | None = None
    age: timedelta | None = None
    chain_length: int = 0
    problem: str | None = None


def check(
    cloud: Cloud, names_or_ids: Sequence[str], max_age: timedelta
) -> list[Verdict]:
    """Evaluate each instance by the newest backup that can be restored for sure.

    An instance that is gone, or never existed, has a verdict too: a monitor should
    report it.

    :param max_age: how old that backup may be, counted from its start: its data is
        at least that new
    """
    found, forest = find_with_backups(cloud, names_or_ids)
    now = cloud.clock.now()
    return [_evaluate(forest, target, now, max_age) for target in found]


def _evaluate(
    forest: BackupForest, found: Found, now: datetime, max_age: timedelta
) -> Verdict:
    if found.instance_id is None:
        return Verdict(found.name, None, problem=str(found.error))
    taken = forest.of_instance(found.instance_id)
    points = [backup for backup in taken if is_sound(forest, backup)]
    sound = newest(points, now)
    if sound is None and points:
        return Verdict(
            found.name,
            found.instance_id,
            points[0],
            chain_length=len(forest.restore_path(points[0].id)),
            problem=f"no restorable backup proves to be recent: {points[0]} is "
            f"{describe_ahead(points[0].created, now)}",
        )
    if sound is None:
        none = f"there is no restorable backup{_newer(forest, taken, None, now)}"
        return Verdict(found.name, found.instance_id, problem=none)
    age = age_of(sound.created, now)
    problem = _too_old(age, max_age)
    return Verdict(
        name=found.name,
        instance_id=found.instance_id,
        backup=sound,
        age=age,
        chain_length=len(forest.restore_path(sound.id)),
        problem=problem and problem + _newer(forest, taken, sound, now),
    )


def _too_old(age: timedelta, max_age: timedelta) -> str | None:
    if age <= max_age:
        return None
    return (
        f"the newest restorable backup is {format_duration(age)} old, "
        f"{format_duration(max_age)} is the limit"
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
