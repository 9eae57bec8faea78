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

"""The part of Nova that Trove uses: flavors, servers, server groups, volumes.

The calls of Trove are in trove/taskmanager/models.py (``_create_server``,
``ResizeActionBase``, ``RebuildAction``) and trove/instance/models.py.
"""

import dataclasses
import uuid
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import eventlet
from novaclient import exceptions
from novaclient.api_versions import APIVersion
from oslo_utils import timeutils

from trove_ext.sandbox import labels, releases
from trove_ext.sandbox.faults import FaultInjected
from trove_ext.sandbox.guest.host import Host
from trove_ext.sandbox.standins import world
from trove_ext.sandbox.standins.neutron import make_port
from trove_ext.sandbox.standins.store import Row

_HTTP_NOT_FOUND = 404
_HTTP_FAILED = 500
_DELETE_SECONDS = 1.0


def _not_found(what: str, key: str) -> Exception:
    error: Exception = exceptions.NotFound(
        _HTTP_NOT_FOUND, f"{what} {key} could not be found."
    )
    return error


def flavor_of(flavor_id: str) -> labels.Flavor:
    """Return the flavor with this ID; raises Nova's NotFound."""
    for flavor in labels.FLAVORS:
        if flavor.id == str(flavor_id):
            return flavor
    raise _not_found("Flavor", flavor_id)


class Flavors:
    """``client.flavors``."""

    def get(self, flavor_id: str) -> SimpleNamespace:
        """Return one flavor.

        A new object each time, with plain attributes: Trove sends its ``__dict__``
        over RPC (trove/taskmanager/api.py ``_transform_obj``).
        """
        flavor = flavor_of(flavor_id)
        return SimpleNamespace(
            **dataclasses.asdict(flavor), str_id=flavor.id, ephemeral=0, links=[]
        )

    def list(self) -> list[SimpleNamespace]:
        """All flavors."""
        return [self.get(flavor.id) for flavor in labels.FLAVORS]


class Server:
    """One server: its row, and its actions."""

    def __init__(self, row: Row) -> None:
        self._row = row
        self.id: str = row["id"]
        self.name: str = row["name"]
        self.status: str = row["status"]
        self.metadata: dict[str, str] = row["metadata"]
        self.tags: list[str] = row["tags"]
        self.tenant_id = row["metadata"].get("trove_project_id")
        self.image = {"id": row["image_id"]}
        flavor = flavor_of(row["flavor_id"])
        self.flavor = {"id": flavor.id, "original_name": flavor.name}
        self.addresses: dict[str, Any] = {}
        self.hostId = "sandbox"
        self.host = "sandbox"

    @property
    def _host(self) -> Host | None:
        return world.current().hosts.get(self._row["instance_id"])

    def _update(self, **values: Any) -> None:
        self._row |= values
        self.status = self._row["status"]
        world.current().store.put("server", self._row, self._row["instance_id"])

    def delete(self) -> None:
        """Remove the host, and the server a second later.

        Nova takes longer. Trove waits for it, and until then an instance that is being
        deleted can still be shown (delete_async in trove/instance/models.py).
        """
        here = world.current()
        host = here.hosts.pop(self._row["instance_id"], None)
        if host is not None:
            host.destroy()
        here.faults.power_on(self._row["instance_id"])
        self._update(hosted=False, deleted=True)
        eventlet.spawn_after(_DELETE_SECONDS, here.store.delete, "server", self.id)

    def reboot(self, reboot_type: str = "SOFT") -> None:  # noqa: ARG002 - Nova's own
        """Restart the host; Trove polls until the server is ACTIVE again."""
        self._update(status="REBOOT")
        eventlet.spawn(self._finish, "ACTIVE")

    def rebuild(self, image_id: str, **_kwargs: Any) -> None:
        """Give the host a new image; here it is a restart."""
        self._update(status="REBUILD", image_id=image_id)
        eventlet.spawn(self._finish, "ACTIVE")

    def resize(self, flavor_id: str) -> None:
        """Move the server to another flavor; it must be confirmed."""
        self._update(
            status="RESIZE",
            old_flavor_id=self._row["flavor_id"],
            flavor_id=flavor_id,
            memory_mb=flavor_of(flavor_id).ram,
        )
        eventlet.spawn(self._finish, "VERIFY_RESIZE")

    def confirm_resize(self) -> None:
        """Keep the new flavor."""
        self._update(status="ACTIVE")

    def revert_resize(self) -> None:
        """Restore the previous flavor."""
        before = self._row["old_flavor_id"]
        self._update(
            status="REVERT_RESIZE", flavor_id=before, memory_mb=flavor_of(before).ram
        )
        eventlet.spawn(self._finish, "ACTIVE")

    def _finish(self, status: str) -> None:
        host = self._host
        if host is not None:
            host.set_memory(self._row["memory_mb"])
            host.reboot()
        self._update(status=status)


class Servers:
    """``client.servers``."""

    def get(self, server_id: str | None) -> Server:
        """Return one server; raises Nova's NotFound."""
        row = world.current().store.get("server", str(server_id))
        if row is None:
            raise _not_found("Instance", str(server_id))
        return Server(row)

    def list(
        self, search_opts: dict[str, str] | None = None, limit: int = -1
    ) -> list[Server]:
        """Return the servers that have the requested tags, or all."""
        rows = _tagged(search_opts or {})
        return [Server(row) for row in (rows if limit < 0 else rows[:limit])]

    def create(
        self, name: str, image: str, flavor: str, *, meta: dict[str, str], **more: Any
    ) -> Server:
        """Create a server and start its host.

        Raises Nova's ClientException if the fault ``create`` is set. With
        ``create-hang`` the server stays in BUILD and no host is ever started.
        """
        here = world.current()
        instance_id = meta["trove_instance_id"]
        here.name_faults(name, instance_id)
        try:
            here.faults.hit("create", instance_id)
        except FaultInjected as exc:
            raise exceptions.ClientException(_HTTP_FAILED, str(exc)) from exc
        row = _new_row(name, image, flavor, meta, more)
        if here.faults.find("create-hang", instance_id):
            row |= {"status": "BUILD", "hosted": False}
        here.store.put("server", row, instance_id)
        if row["hosted"]:
            here.make_host(row).start()
        return Server(row)


def _tagged(search_opts: dict[str, str]) -> list[Row]:
    """Find rows by one tag (``tags``) or any of several instances' (``tags-any``)."""
    store = world.current().store
    if "tags-any" in search_opts:
        tags = search_opts["tags-any"].split(",")
        ids = [tag.removeprefix("trove_instance_id_") for tag in tags]
        return [row for key in ids for row in store.by_owner("server", key)]
    tag = search_opts.get("tags")
    return [row for row in store.all("server") if tag is None or tag in row["tags"]]


def _new_row(
    name: str, image: str, flavor: str, meta: dict[str, str], more: dict[str, Any]
) -> Row:
    server_id = str(uuid.uuid4())
    port = _port_of(more.get("nics"), meta["trove_instance_id"], server_id)
    disks = more.get("block_device_mapping_v2") or []
    for disk in disks:
        _use_volume(disk["uuid"], "in-use")
    return {
        "id": server_id,
        "name": name,
        "instance_id": meta["trove_instance_id"],
        "status": "ACTIVE",
        "hosted": True,
        "created": timeutils.utcnow().isoformat(),
        "metadata": meta,
        "tags": list(more.get("tags") or []),
        "manager": releases.manager_of(meta["trove_instance_id"]),
        "image_id": image,
        "flavor_id": str(flavor),
        "memory_mb": flavor_of(flavor).ram,
        "volume_gb": disks[0]["volume_size"] if disks else flavor_of(flavor).disk,
        "address": port["address"],
    }


def _port_of(nics: list[Row] | None, instance_id: str, server_id: str) -> Row:
    """Bind the port that Trove created, or one in the default network."""
    store = world.current().store
    port = store.get("port", nics[0]["port-id"]) if nics else None
    if port is None:
        port = make_port(f"trove-{instance_id}", labels.DEFAULT_NETWORK.id)
    port["device_id"] = server_id
    store.put("port", port, server_id)
    return port


def _use_volume(volume_id: str, status: str) -> None:
    store = world.current().store
    volume = store.get("volume", volume_id)
    if volume is not None:
        store.put("volume", volume | {"status": status})


class Volumes:
    """``client.volumes``: attaching a volume to a server."""

    def create_server_volume(
        self, _server_id: str, volume_id: str, _device: str | None = None
    ) -> None:
        """Attach a volume, and give the host its current size."""
        _use_volume(volume_id, "in-use")

    def delete_server_volume(self, _server_id: str, volume_id: str) -> None:
        """Detach a volume."""
        _use_volume(volume_id, "available")


class ServerGroups:
    """``client.server_groups``, for ``--locality``."""

    def list(self) -> list[SimpleNamespace]:
        """All groups."""
        rows = world.current().store.all("server_group")
        return [SimpleNamespace(**row) for row in rows]

    def create(self, name: str, policies: Sequence[str]) -> SimpleNamespace:
        """Create a group, which has no effect: there is one host."""
        row = {"id": str(uuid.uuid4()), "name": name, "policies": policies}
        world.current().store.put("server_group", row | {"members": []})
        return SimpleNamespace(**row, members=[])

    def delete(self, group_id: str) -> None:
        """Remove a group."""
        world.current().store.delete("server_group", group_id)


class Client:
    """The Nova client of Trove."""

    def __init__(self) -> None:
        # 2.26 and later: Trove finds servers by their tags.
        self.api_version = APIVersion("2.57")
        self.flavors = Flavors()
        self.servers = Servers()
        self.server_groups = ServerGroups()
        self.volumes = Volumes()


def client(*_args: Any, **_kwargs: Any) -> Client:
    """Stand in for trove.common.clients.nova_client."""
    return Client()
