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

"""Whether a backup can be restored, from its own state and that of its ancestors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trove_ext.model.backup import Backup


@dataclass(frozen=True, slots=True)
class Blocker:
    """What prevents a restore: a backup, and what is wrong with it."""

    backup_id: str
    fault: str


@dataclass(frozen=True, slots=True)
class Traits:
    """Properties shared by all backups that a restore reads; None if not known."""

    instance_id: str | None = None
    datastore_version_id: str | None = None
    storage_driver: str | None = None

    def with_backup(self, backup: Backup) -> Traits:
        """Return the traits below this backup: its own ones, if they are known."""
        return Traits(
            backup.instance_id or self.instance_id,
            backup.datastore_version_id or self.datastore_version_id,
            backup.storage_driver or self.storage_driver,
        )


@dataclass(frozen=True, slots=True)
class Restorability:
    """What is known about a restore of one backup.

    :ivar blocker: why it can't be restored, as far as states show it; None if it can
    :ivar temporary: the replication snapshot with which Trove will delete it
    :ivar mismatch: a difference, or a gap, between two backups that a restore reads
    :ivar length: how many backups a restore reads, itself included
    :ivar traits: properties shared by these backups
    """

    blocker: Blocker | None
    temporary: str | None
    mismatch: str | None
    length: int
    traits: Traits

    @property
    def doubt(self) -> str | None:
        """Why a restore is doubtful although each state is right, or None."""
        return self.temporary or self.mismatch


def assess(
    backup: Backup,
    parent: Backup | None,
    above: Restorability | None,
    flaw: Blocker | None,
    *,
    gap: str | None = None,
) -> Restorability:
    """Determine whether a backup can be restored.

    A volume snapshot needs none of its ancestors, but is deleted with them.

    :param above: what is known about the parent; None for the top of a tree
    :param flaw: what is wrong with the top of the tree, if anything is
    :param gap: why it may miss rows that were written since its parent, if it may
    """
    temporary = (above.temporary if above else None) or _temporary(backup)
    if backup.is_volume_snapshot:
        own = Traits().with_backup(backup)
        return Restorability(_own_fault(backup), temporary, None, 1, own)
    inherited = above.blocker if above else flaw
    traits = above.traits if above else Traits()
    return Restorability(
        blocker=_own_fault(backup) or inherited,
        temporary=temporary,
        mismatch=(above.mismatch if above else None)
        or _mismatch(backup, parent, traits)
        or gap,
        length=(above.length if above else 0) + 1,
        traits=traits.with_backup(backup),
    )


def missing_parent(top: Backup) -> Blocker | None:
    """Return the fault of an orphan: its parent does not exist."""
    return Blocker(top.parent_id, "gone") if top.parent_id else None


def in_cycle(member: Backup, size: int) -> Blocker:
    """Return the fault of a backup in a cycle of *size* parents."""
    return Blocker(member.id, f"in a cycle of {size} parents")


def _own_fault(backup: Backup) -> Blocker | None:
    """Return what is wrong with the backup itself; an unknown state counts as wrong."""
    if backup.is_completed:
        return None
    fault = f"still {backup.status}" if backup.is_running else backup.status
    return Blocker(backup.id, fault)


def _temporary(backup: Backup) -> str | None:
    """Describe the replication snapshot, which Trove deletes with its children.

    ``trove/taskmanager/manager.py``, ``_create_replication_slave``.
    """
    if not backup.is_replication_snapshot:
        return None
    return f"Trove deletes the replication snapshot {backup} and its children"


def _mismatch(backup: Backup, parent: Backup | None, above: Traits) -> str | None:
    """Describe how a backup differs from its ancestors; Trove does not check it."""
    if parent is None:
        return None
    if _differ(backup.instance_id, above.instance_id):
        return f"{backup} is of another instance than parent {parent}"
    if _differ(backup.datastore_version_id, above.datastore_version_id):
        return f"{backup} has another datastore version than parent {parent}"
    if _differ(backup.storage_driver, above.storage_driver):
        return (
            f"{backup} is stored in {backup.storage_driver}, its parent {parent} in "
            f"{above.storage_driver}"
        )
    return None


def _differ(value: str | None, other: str | None) -> bool:
    return value is not None and other is not None and value != other
