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

"""Incremental backups that miss rows, on engines where only the newest can be a parent.

There an incremental contains what was written since the last backup that the server
took, of whatever kind, and not since its parent
(:attr:`~trove_ext.model.engine.Engine.any_parent`). If another backup was taken in
between, a restore ends without an error where the parent ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.model.backup_links import BackupLinks
    from trove_ext.model.engine import Engine


def find(
    links: BackupLinks,
    of_instance: Sequence[Backup],
    engine_of: Callable[[str | None], Engine],
) -> Iterator[tuple[Backup, Backup]]:
    """Yield each incremental with a gap before it, and the backup that made the gap.

    Only backups in the list are seen: one that was deleted in between causes the same
    gap.

    :param of_instance: the backups of one instance, the oldest first
    """
    place = {backup.id: number for number, backup in enumerate(of_instance)}
    for number, backup in enumerate(of_instance):
        parent = links.parent(backup)
        if parent is None or backup.is_volume_snapshot or parent.id not in place:
            continue
        if backup.instance_id is None or engine_of(backup.datastore).any_parent:
            continue
        if number - place[parent.id] > 1:
            yield backup, of_instance[number - 1]
        elif number + 1 < len(of_instance):
            following = of_instance[number + 1]
            if _ran_beside(links, backup, following):
                yield backup, following


def describe(backup: Backup, other: Backup, engine: Engine) -> str:
    """Describe a gap."""
    return (
        f"{backup} may miss rows: {other} was taken since its parent, and an "
        f"incremental of {engine.title} holds only what was written since the last "
        "backup of any kind"
    )


def _ran_beside(links: BackupLinks, backup: Backup, following: Backup) -> bool:
    """Whether another began before a backup had ended; its own child did not."""
    ended = backup.is_completed and following.created >= backup.updated
    return not ended and backup.id not in {step.id for step in links.path(following)}
