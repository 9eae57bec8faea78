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


"""A race between two concurrent runs of a rotation.

Trove looks for a running backup and then stores the new one, without a lock
(``trove/backup/models.py``, ``Backup.create``), so two requests within a few
milliseconds are both accepted. Each run notices that afterwards: of two concurrent
backups the older one is kept, by the ID if both have the same second. The run that took
the other one deletes its duplicate and prunes; the run that took the older one does not
prune, because a policy must not count a backup that will be deleted. On an
engine whose next incremental would miss rows then, both stay, and both runs prune.
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

    Trove accepts two at once only by this race, so nothing else looks like it if the
    stored times are right; therefore backups that existed before are left out.

    :param known: IDs of the backups that existed before this one was taken
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
    """Return the one to keep: all runs that see the same backups choose the same."""
    return min([backup, *others], key=lambda backup: (backup.created, backup.id))


def delete_duplicate(
    cloud: Cloud, mine: Backup, staying: Backup, deadline: Deadline
) -> bool:
    """Delete a backup of this run if the concurrent one is good.

    :returns: whether it was deleted; nothing is lost if not
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
    now = BackupForest.of(
        read.list_backups(cloud, instance_id=mine.instance_id), cloud.engines.look
    )
    other = now.get(staying.id)
    if other is None or not is_sound(now, other) or now.children(mine.id):
        return False
    delete.submit(cloud, mine)
    wait_report.raise_for(cloud.wait(delete.gone(cloud, [mine]), deadline))
    return True


def _overlap(backup: Backup, other: Backup) -> bool:
    """Return whether two were concurrent; a second that both touch is not enough."""
    return (other.is_running or backup.created < other.updated) and (
        backup.is_running or other.created < backup.updated
    )
