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

"""A backup as Trove's API shows it, and what its state means."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from trove_ext.model.instance import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

#: ``trove/backup/state.py``, ``RUNNING_STATES``: Trove refuses to delete these.
RUNNING_STATES = frozenset({"NEW", "BUILDING", "SAVING"})
#: ``trove/backup/models.py``, ``is_done_successfuly``: what a restore accepts.
COMPLETED_STATES = frozenset({"COMPLETED", "RESTORED"})
#: The other two of ``END_STATES`` in ``trove/backup/state.py``. They still count in
#: the quota. A delete that fails also marks the row as deleted, so DELETE_FAILED is
#: seldom seen (``trove/taskmanager/models.py``, ``BackupTasks.delete_backup``).
FAILED_STATES = frozenset({"FAILED", "DELETE_FAILED"})

#: How Trove names the temporary backup under a new replica. It deletes it, and its
#: children, when the build ends (``trove/taskmanager/models.py``,
#: ``get_replication_master_snapshot``; ``manager.py``, ``_create_replication_slave``).
REPLICATION_SNAPSHOT_PREFIX = "Replication snapshot for "


class BackupKind(enum.Enum):
    """What a backup is; Trove's API has no field for it."""

    FULL = "full"
    INCREMENTAL = "incremental"
    REPLICATION_SNAPSHOT = "replication snapshot"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup.

    :ivar instance_id: the instance it was taken of, which may be gone; None for one
        that was registered from another region
    :ivar status: the raw string
    :ivar size: GB used in the volume when it was taken, for an incremental too: never
        the size of the backup itself; None until that is known
    :ivar created: aware, UTC
    :ivar updated: aware, UTC; any later change of the record moves it
    :ivar location: where its data is
    :ivar storage_driver: None where the server does not tell (26.0.0 does not)
    """

    id: str
    name: str
    instance_id: str | None
    status: str
    parent_id: str | None
    size: float | None
    created: datetime
    updated: datetime
    datastore: str | None = None
    datastore_version: str | None = None
    datastore_version_id: str | None = None
    description: str | None = None
    location: str | None = None
    project_id: str | None = None
    storage_driver: str | None = None

    @classmethod
    def from_info(cls, info: Mapping[str, Any]) -> Backup:
        """Read what the API sends (``trove/backup/views.py``).

        Older releases send no ``project_id`` and no version ID, and the datastore is
        missing where the record has none.

        :raises KeyError: where ID or status are missing, or the keys that tell the
            instance and the parent: without these everything looks like a full backup
            that nothing hangs on, and would be deleted as one
        :raises ValueError: where it bears no time that can be read, or something else
            than an ID in these two places
        """
        datastore = info.get("datastore") or {}
        created, updated = _times(info)
        size = info.get("size")
        return cls(
            id=info["id"],
            name=info.get("name") or "",
            instance_id=_reference(info, "instance_id"),
            status=info["status"],
            parent_id=_reference(info, "parent_id"),
            size=None if size is None else float(size),
            created=created,
            updated=updated,
            datastore=datastore.get("type"),
            datastore_version=datastore.get("version"),
            datastore_version_id=datastore.get("version_id"),
            description=info.get("description"),
            location=info.get("locationRef"),
            project_id=info.get("project_id"),
            storage_driver=info.get("storage_driver"),
        )

    @property
    def is_running(self) -> bool:
        """It is still being taken."""
        return self.status in RUNNING_STATES

    @property
    def is_completed(self) -> bool:
        """Its own data is there; its ancestors' may not be."""
        return self.status in COMPLETED_STATES

    @property
    def is_failed(self) -> bool:
        """It holds nothing that can be used."""
        return self.status in FAILED_STATES

    @property
    def is_incremental(self) -> bool:
        """It holds only what changed since its parent."""
        return self.parent_id is not None

    @property
    def is_replication_snapshot(self) -> bool:
        """It is a temporary one of Trove's, taken to build a replica."""
        return self.name.startswith(REPLICATION_SNAPSHOT_PREFIX)

    @property
    def is_restored(self) -> bool:
        """It was registered from data of another region, not taken here."""
        return self.status == "RESTORED"

    @property
    def kind(self) -> BackupKind:
        """What it is; a replication snapshot may be incremental besides."""
        if self.is_replication_snapshot:
            return BackupKind.REPLICATION_SNAPSHOT
        if self.is_restored:
            return BackupKind.RESTORED
        return BackupKind.INCREMENTAL if self.is_incremental else BackupKind.FULL

    @property
    def age_key(self) -> tuple[datetime, str]:
        """What backups are ordered by: creation, then ID."""
        return (self.created, self.id)

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


def _times(info: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Read both times; where one is missing the other stands for it."""
    created = _utc(info.get("created"))
    updated = _utc(info.get("updated"))
    first, second = created or updated, updated or created
    if first is None or second is None:
        raise ValueError(f"Backup {info['id']} bears neither 'created' nor 'updated'.")
    return first, second


def _utc(value: object) -> datetime | None:
    """Read a time as the API sends it, or a datetime that somebody has read already."""
    moment = parse_time(str(value)) if value else None
    return moment.astimezone(UTC) if moment else None


def _reference(info: Mapping[str, Any], key: str) -> str | None:
    """Read an ID or nothing.

    :raises ValueError: it is anything else: a backup with a parent that can't be read
        must not pass for a full one
    """
    value = info[key]
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key} is {value!r}, no ID")
    return value or None
