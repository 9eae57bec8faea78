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

"""The part of Cinder that Trove uses: volumes, their types and their snapshots.

A volume is a size in GB; nothing is mounted. Its content is the data directory of its
instance, and a snapshot is a copy of that. The calls are those of
trove/taskmanager/models.py (``_create_volume``, ``ResizeVolumeAction``,
``SnapshotTasks``). Cinder refuses to delete a volume that has snapshots; this does not.
"""

import dataclasses
import uuid
from types import SimpleNamespace
from typing import Any

from cinderclient import exceptions
from oslo_utils import timeutils

from trove_ext.sandbox import labels
from trove_ext.sandbox.faults import FaultInjected
from trove_ext.sandbox.guest import programs
from trove_ext.sandbox.guest.snapshot_store import SnapshotStore
from trove_ext.sandbox.standins import world
from trove_ext.sandbox.standins.store import Row

_HTTP_BAD_REQUEST = 400
_HTTP_NOT_FOUND = 404
_HTTP_FAILED = 500
_PREFIX = "trove-"
"""The beginning of the name of a volume; the ID of the instance follows."""


def _not_found(what: str, key: str) -> Exception:
    error: Exception = exceptions.NotFound(
        _HTTP_NOT_FOUND, f"{what} {key} could not be found."
    )
    return error


class Snapshot(SimpleNamespace):
    """A snapshot of a volume."""

    id: str
    volume_id: str
    size: int
    """GB, of the volume."""
    status: str


class VolumeSnapshots:
    """``client.volume_snapshots``."""

    def create(self, volume_id: str, name: str | None = None, **_more: Any) -> Snapshot:
        """Copy the content of a volume; raises Cinder's NotFound or ClientException."""
        volume = Volumes().get(volume_id)
        row: Row = {
            "id": str(uuid.uuid4()),
            "name": name,
            "volume_id": volume.id,
            "size": volume.size,
            "status": "available",
            "created_at": timeutils.utcnow().isoformat(),
        }
        try:
            snapshots().take(row["id"], volume.name.removeprefix(_PREFIX))
        except programs.ProgramError as exc:
            raise exceptions.ClientException(_HTTP_FAILED, str(exc)) from exc
        world.current().store.put("snapshot", row)
        return Snapshot(**row)

    def get(self, snapshot_id: str) -> Snapshot:
        """Return a snapshot; raises Cinder's NotFound."""
        row = world.current().store.get("snapshot", snapshot_id)
        if row is None:
            raise _not_found("Snapshot", snapshot_id)
        return Snapshot(**row)

    def delete(self, snapshot_id: str) -> None:
        """Remove a snapshot; fails if the fault ``backup-delete`` is set."""
        self.get(snapshot_id)
        try:
            world.current().faults.hit("backup-delete")
        except FaultInjected as exc:
            raise exceptions.ClientException(_HTTP_FAILED, str(exc)) from exc
        world.current().store.delete("snapshot", snapshot_id)
        snapshots().delete(snapshot_id)


class Volume(SimpleNamespace):
    """One volume."""

    id: str
    name: str
    size: int
    """GB."""

    def delete(self) -> None:
        """Remove the volume."""
        world.current().store.delete("volume", self.id)


class Volumes:
    """``client.volumes``."""

    def create(
        self,
        size: int,
        name: str,
        volume_type: str | None = None,
        snapshot_id: str | None = None,
        **_more: Any,
    ) -> Volume:
        """Create a volume of *size* GB, with the data of a snapshot if one is named.

        Raises Cinder's NotFound for a wrong type or snapshot, BadRequest for a size
        below the snapshot's.
        """
        if snapshot_id is not None:
            _check_size(size, VolumeSnapshots().get(snapshot_id))
            snapshots().write_to(snapshot_id, name.removeprefix(_PREFIX))
        chosen = VolumeTypes().get(volume_type or labels.VOLUME_TYPES[0].name)
        row = {
            "id": str(uuid.uuid4()),
            "name": name,
            "size": size,
            "volume_type": chosen.name,
            "status": "available",
            "attachments": [],
            "availability_zone": "nova",
            "created_at": timeutils.utcnow().isoformat(),
        }
        world.current().store.put("volume", row)
        return Volume(**row)

    def get(self, volume_id: str) -> Volume:
        """Return a volume; raises Cinder's NotFound."""
        return Volume(**self._row(volume_id))

    def list(self, search_opts: dict[str, str] | None = None) -> list[Volume]:
        """Return the volumes of a name, or all."""
        store = world.current().store
        name = (search_opts or {}).get("name")
        rows = store.all("volume") if name is None else store.by_name("volume", name)
        return [Volume(**row) for row in rows]

    def extend(self, volume: Volume | str, new_size: int) -> None:
        """Extend a volume, also for its host."""
        here = world.current()
        row = self._row(volume if isinstance(volume, str) else volume.id)
        here.store.put("volume", row | {"size": new_size})
        _resize_on_host(row["name"].removeprefix(_PREFIX), new_size)

    @staticmethod
    def delete(volume: Volume | str) -> None:
        """Remove a volume."""
        volume_id = volume if isinstance(volume, str) else volume.id
        world.current().store.delete("volume", volume_id)

    @staticmethod
    def _row(volume_id: str) -> Row:
        row = world.current().store.get("volume", str(volume_id))
        if row is None:
            raise _not_found("Volume", volume_id)
        return row


def snapshots() -> SnapshotStore:
    """Return the data of the snapshots of this sandbox."""
    return SnapshotStore(world.current().state.root)


def _check_size(size: int, snapshot: Snapshot) -> None:
    if size < snapshot.size:
        raise exceptions.BadRequest(
            _HTTP_BAD_REQUEST,
            f"Invalid input received: Volume size '{size}'GB cannot be smaller than "
            f"the snapshot size {snapshot.size}GB.",
        )


def _resize_on_host(instance_id: str, size: int) -> None:
    here = world.current()
    for server in here.store.by_owner("server", instance_id):
        here.store.put("server", server | {"volume_gb": size}, instance_id)
    if instance_id in here.hosts:
        here.hosts[instance_id].set_volume(size)


class VolumeTypes:
    """``client.volume_types``."""

    def get(self, key: str) -> SimpleNamespace:
        """Return a volume type by ID or name; raises Cinder's NotFound."""
        for found in self.list():
            if key in {found.id, found.name}:
                return found
        raise _not_found("Volume type", key)

    def list(self) -> list[SimpleNamespace]:
        """All volume types."""
        return [
            SimpleNamespace(**dataclasses.asdict(t), is_public=True, description="")
            for t in labels.VOLUME_TYPES
        ]


class Client:
    """The Cinder client of Trove."""

    def __init__(self) -> None:
        self.volumes = Volumes()
        self.volume_types = VolumeTypes()
        self.volume_snapshots = VolumeSnapshots()


def client(*_args: Any, **_kwargs: Any) -> Client:
    """Stand in for trove.common.clients.cinder_client."""
    return Client()
