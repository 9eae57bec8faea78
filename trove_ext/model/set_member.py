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

"""Which member of a replica set is backed up for the set.

The rule depends on nothing that an earlier run has stored but the backups themselves,
and chooses the same member as long as it keeps its place, so its chains go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.model.ages import age_of, is_ahead
from trove_ext.model.rotation import is_sound

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta

    from trove_ext.model.backup import Backup
    from trove_ext.model.backup_forest import BackupForest
    from trove_ext.model.instance import Instance
    from trove_ext.model.rotation_naming import NamePattern
    from trove_ext.model.selection import Group


def counts_for_run(
    forest: BackupForest,
    backup: Backup,
    *,
    now: datetime,
    min_age: timedelta,
    storage_driver: str | None = None,
) -> bool:
    """Whether a completed backup of a rotation is young enough to count as this run's.

    :param storage_driver: that it has to be stored by; None for any
    """
    return (
        is_sound(forest, backup)
        and storage_driver in {None, backup.storage_driver}
        and not is_ahead(backup.updated, now)
        and age_of(backup.updated, now) < min_age
    )


def begun_with(
    group: Group,
    forest: BackupForest,
    pattern: NamePattern,
    *,
    now: datetime,
    min_age: timedelta,
    storage_driver: str | None = None,
) -> Instance | None:
    """Return the member that an earlier run has backed up for this run, or is at.

    A run that is repeated has to find it, whatever the other members are like now.
    """
    for member in group.members:
        own = pattern.recogniser(member.name)
        for backup in forest.of_instance(member.id):
            if own.fullmatch(backup.name) and (
                backup.is_running
                or counts_for_run(
                    forest,
                    backup,
                    now=now,
                    min_age=min_age,
                    storage_driver=storage_driver,
                )
            ):
                return member
    return None


def replica_to_back_up(
    group: Group,
    forest: BackupForest,
    pattern: NamePattern,
    proved: Collection[str],
) -> Instance | None:
    """Return the proved replica with the newest backup of this rotation, or any.

    :param proved: IDs of the replicas that are known to replicate
    """
    replicas = [member for member in group.members if member.id in proved]
    candidates = sorted(replicas, key=lambda member: (member.name, member.id))
    return max(
        candidates,
        key=lambda member: _last_own(member, forest, pattern),
        default=None,
    )


def _last_own(member: Instance, forest: BackupForest, pattern: NamePattern) -> float:
    """Return when the last good backup of this rotation was taken; 0 for never."""
    own = pattern.recogniser(member.name)
    moments = (
        backup.created.timestamp()
        for backup in forest.of_instance(member.id)
        if own.fullmatch(backup.name) and is_sound(forest, backup)
    )
    return max(moments, default=0.0)
