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


"""Two runs of a rotation at the very same moment.

Trove looks for a running backup and then stores the new one, without a lock
(``trove/backup/models.py``, ``Backup.create``), so that two requests within a few
milliseconds are both accepted. Each run sees that afterwards: of two backups that ran
at the same time the older one stays, by the ID where both are of one second. The run
that took the other deletes that again, and prunes; the run that took the older one
leaves the pruning to it, for a policy must not count a backup that goes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from trove_ext.exceptions import TroveExtError
from trove_ext.model.backup_forest import BackupForest
from trove_ext.model.rotation import is_sound
from trove_ext.trove import conditions, read, wait_report
from trove_ext.workflows.backup import delete

if TYPE_CHECKING:
    from collections.abc import Collection

    from trove_ext.model.backup import Backup
    from trove_ext.model.instance import Instance
    from trove_ext.model.rotation_naming import NamePattern
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud

#: Two that were accepted by this race were stored within milliseconds, on hosts whose
#: clocks differ a little.
RACE = timedelta(minutes=1)


def concurrent(
    forest: BackupForest,
    pattern: NamePattern,
    instance: Instance,
    backup: Backup,
    *,
    known: Collection[str] = (),
) -> tuple[Backup, ...]:
    """Return other good backups of the rotation that ran at the same time as one.

    Trove lets no two run at once but by this race, so nothing else looks like it,
    provided that the stored times are right: so what was there before is left out.

    :param known: IDs of the backups that were there before this one was made
    """
    return tuple(
        other
        for other in forest.of_instance(instance.id)
        if other.id != backup.id
        and other.id not in known
        and abs(other.created - backup.created) <= RACE
        and other.parent_id == backup.parent_id
        and pattern.is_own(instance.name, other.name)
        and (other.is_running or is_sound(forest, other))
        and _overlap(other, backup)
    )


def first(backup: Backup, others: tuple[Backup, ...]) -> Backup:
    """Return the one that stays: all who see the same choose the same."""
    return min([backup, *others], key=lambda backup: (backup.created, backup.id))


def delete_duplicate(
    cloud: Cloud, mine: Backup, staying: Backup, deadline: Deadline
) -> bool:
    """Delete a backup of this run where the one that was taken beside it is good.

    :returns: whether it is gone; nothing is lost where it is not
    """
    try:
        return _delete_mine(cloud, mine, staying, deadline)
    except TroveExtError as exc:
        cloud.progress.warn(
            f"Backup {mine} stays beside {staying}: {exc}", *exc.follow_ups
        )
        return False


def _delete_mine(
    cloud: Cloud, mine: Backup, staying: Backup, deadline: Deadline
) -> bool:
    waited = cloud.wait([conditions.backup_completed(cloud, staying)], deadline)
    wait_report.raise_for(waited)
    now = BackupForest.of(read.list_backups(cloud, instance_id=mine.instance_id))
    other = now.get(staying.id)
    if other is None or not is_sound(now, other) or now.children(mine.id):
        return False
    delete.submit(cloud, mine)
    wait_report.raise_for(cloud.wait(delete.gone(cloud, [mine]), deadline))
    return True


def _overlap(backup: Backup, other: Backup) -> bool:
    """Return whether two ran at once; a second that both touch is not enough."""
    return (other.is_running or backup.created < other.updated) and (
        backup.is_running or other.created < backup.updated
    )
