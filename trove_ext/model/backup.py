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
from datetime import UTC
from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import MalformedAnswerError
from trove_ext.model import status as statuses
from trove_ext.model.ages import is_ahead
from trove_ext.model.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

#: The values of ``storage_driver`` (``trove/backup/models.py``, since Trove 23): an
#: object in Swift, or a snapshot of the volume in Cinder.
SWIFT = "swift"
CINDER = "cinder"
#: What the location of a volume snapshot begins with (``trove/taskmanager/models.py``,
#: ``SnapshotTasks._create_snapshot``); that of an object is its URL.
SNAPSHOT_LOCATION_PREFIX = "cinder://"

#: Trove's name for the temporary backup of a new replica. It deletes it, and its
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

        :raises MalformedAnswerError: ID, status or time are missing, or the keys of
            the instance and the parent, or one of them can't be read: without these
            two each backup looks like a full one without dependent backups, and would
            be deleted as one
        """
        fields = Fields(info, "backup")
        datastore = fields.part("datastore")
        created, updated = _times(fields)
        location = fields.text("locationRef")
        return cls(
            id=fields.need_text("id"),
            name=fields.text("name") or "",
            instance_id=fields.need_reference("instance_id"),
            status=fields.need_text("status"),
            parent_id=fields.need_reference("parent_id"),
            size=fields.number("size"),
            created=created,
            updated=updated,
            datastore=datastore.text("type"),
            datastore_version=datastore.text("version"),
            datastore_version_id=datastore.text("version_id"),
            description=fields.text("description"),
            location=location,
            project_id=fields.text("project_id"),
            storage_driver=fields.text("storage_driver") or _driver_of(location),
        )

    @property
    def is_running(self) -> bool:
        """It is still being taken."""
        return self.status in statuses.RUNNING_BACKUPS

    @property
    def is_completed(self) -> bool:
        """Its own data exists; that of its ancestors may not."""
        return self.status in statuses.COMPLETED_BACKUPS

    @property
    def is_failed(self) -> bool:
        """It has nothing that can be restored."""
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

        It contains only what changed since then, unless it is a volume snapshot.
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
        """The sort key of backups: creation, then ID."""
        return (self.created, self.id)

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


def newest(backups: Iterable[Backup], now: datetime) -> Backup | None:
    """Return the backup that was created last, by ID among equals.

    One that is dated ahead of now may be of any age, so it is never the newest.
    Everything that shows or uses the newest of some backups calls this.

    :param now: aware, by Trove's clock
    :returns: None if there is none, or all are dated ahead
    """
    dated = (backup for backup in backups if not is_ahead(backup.created, now))
    return max(dated, key=lambda backup: backup.age_key, default=None)


def _driver_of(location: str | None) -> str | None:
    """Return the storage driver that a location belongs to.

    The API's view does not have the driver (``trove/backup/views.py``, 26.0.0).
    """
    if not location:
        return None
    return CINDER if location.startswith(SNAPSHOT_LOCATION_PREFIX) else SWIFT


def _times(fields: Fields) -> tuple[datetime, datetime]:
    """Read both times in UTC; if one is missing, the other is used for both."""
    created, updated = fields.time("created"), fields.time("updated")
    first, second = created or updated, updated or created
    if first is None or second is None:
        raise MalformedAnswerError(
            f"Trove's response lacks both 'created' and 'updated' of backup "
            f"{fields.get('id')}"
        )
    return first.astimezone(UTC), second.astimezone(UTC)
