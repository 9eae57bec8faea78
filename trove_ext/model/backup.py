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

from trove_ext.model import status as statuses
from trove_ext.model.instance import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The values of ``storage_driver`` (``trove/backup/models.py``, since Trove 23): an
#: object in Swift, or a snapshot of the volume in Cinder.
SWIFT = "swift"
CINDER = "cinder"
#: What the location of a volume snapshot begins with (``trove/taskmanager/models.py``,
#: ``SnapshotTasks._create_snapshot``); that of an object is its URL.
SNAPSHOT_LOCATION_PREFIX = "cinder://"

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

    :ivar instance_id: the instance it was taken of, which may be gone; None for a
        backup that was registered from another region
    :ivar status: the raw string
    :ivar size: GB used in the volume when it was taken, for an incremental too: never
        the size of the backup itself; of a volume snapshot the size of the volume;
        None until that is known
    :ivar created: aware, UTC
    :ivar updated: aware, UTC; any later change of the record moves it
    :ivar location: where its data is; None until the backup is completed
    :ivar storage_driver: `SWIFT` or `CINDER`; None until the location is known
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
        missing if the record has none.

        :raises KeyError: ID or status are missing, or the keys of the instance and the
            parent: without these each backup looks like a full one without dependent
            backups, and would be deleted as one
        :raises ValueError: it has no time that can be read, or something else than an
            ID for the instance or the parent
        """
        datastore = info.get("datastore") or {}
        created, updated = _times(info)
        size = info.get("size")
        location = info.get("locationRef")
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
            location=location,
            project_id=info.get("project_id"),
            storage_driver=info.get("storage_driver") or _driver_of(location),
        )

    @property
    def is_running(self) -> bool:
        """It is still being taken."""
        return self.status in statuses.RUNNING_BACKUPS

    @property
    def is_completed(self) -> bool:
        """Its own data is there; its ancestors' may not be."""
        return self.status in statuses.COMPLETED_BACKUPS

    @property
    def is_failed(self) -> bool:
        """It holds nothing that can be restored."""
        return self.status in statuses.FAILED_BACKUPS

    @property
    def is_volume_snapshot(self) -> bool:
        """It is a snapshot of the whole volume: a restore needs no ancestor.

        Trove takes a full snapshot even if it was given a parent, and restores from the
        snapshot alone (``trove/taskmanager/models.py``, ``SnapshotTasks`` and
        ``create_instance``).
        """
        return self.storage_driver == CINDER

    @property
    def is_incremental(self) -> bool:
        """It has a parent, with which Trove deletes it.

        It holds only what changed since then, unless it is a volume snapshot.
        """
        return self.parent_id is not None

    @property
    def is_replication_snapshot(self) -> bool:
        """It is a temporary one of Trove's, taken to build a replica."""
        return self.name.startswith(REPLICATION_SNAPSHOT_PREFIX)

    @property
    def is_restored(self) -> bool:
        """It was registered from data of another region, not taken here."""
        return self.status == statuses.RESTORED

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


def _driver_of(location: str | None) -> str | None:
    """Return the storage driver that a location belongs to.

    The API's view does not have the driver (``trove/backup/views.py``, 26.0.0).
    """
    if not location:
        return None
    return CINDER if location.startswith(SNAPSHOT_LOCATION_PREFIX) else SWIFT


def _times(info: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Read both times; if one is missing the other is taken for both."""
    created = _utc(info.get("created"))
    updated = _utc(info.get("updated"))
    first, second = created or updated, updated or created
    if first is None or second is None:
        raise ValueError(f"Backup {info['id']} has neither 'created' nor 'updated'.")
    return first, second


def _utc(value: object) -> datetime | None:
    """Read a time as the API sends it, or one that is a datetime already."""
    moment = parse_time(str(value)) if value else None
    return moment.astimezone(UTC) if moment else None


def _reference(info: Mapping[str, Any], key: str) -> str | None:
    """Read an ID or nothing.

    :raises ValueError: it is anything else: a backup with a parent that can't be read
        must not be taken for a full one
    """
    value = info[key]
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key} is {value!r}, no ID")
    return value or None
