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

"""The cloud that all stand-ins of a Trove process share."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from trove_ext.sandbox import relay
from trove_ext.sandbox.faults import Faults
from trove_ext.sandbox.guest.host import Host
from trove_ext.sandbox.standins.store import Row, Store
from trove_ext.sandbox.state import StateDir

_FIRST_HOST, _LAST_HOST = 10, 254
_WATCH_SECONDS = 0.5


@dataclass
class World:
    """Servers and their resources, with the hosts that implement them."""

    state: StateDir
    block: int
    store: Store
    faults: Faults
    hosts: dict[str, Host] = field(default_factory=dict)
    """By ID of the Trove instance."""

    def free_address(self) -> str:
        """Find an unused address of the sandbox's block.

        Raises RuntimeError when all are taken.
        """
        taken = {port["address"] for port in self.store.all("port")}
        taken |= {x["floating_ip_address"] for x in self.store.all("floatingip")}
        for number in range(_FIRST_HOST, _LAST_HOST + 1):
            address = f"127.77.{self.block}.{number}"
            if address not in taken:
                return address
        raise RuntimeError("All addresses of the sandbox are taken")

    def make_host(self, server: Row) -> Host:
        """Create the host of a server in the store; it isn't started yet."""
        host = Host(
            self.state.root,
            server["instance_id"],
            server["address"],
            self.faults,
            server["memory_mb"],
            server["volume_gb"],
            server["manager"],
        )
        self.hosts[server["instance_id"]] = host
        return host

    def start_hosts(self, report: Callable[[str], None]) -> None:
        """Start the host of each server again, after a restart of Trove.

        Also the relays of floating IPs, which only a restart of the sandbox ends.
        """
        for row in self.store.all("floatingip"):
            relay.start(self.state, row["floating_ip_address"], row["fixed_ip_address"])
        for server in self.store.all("server"):
            if server.get("deleted"):
                self.store.delete("server", server["id"])
            if not server["hosted"]:
                continue
            host = self.make_host(server)
            if not self.faults.is_off(server["instance_id"]):
                report(f"Starting the host of instance {server['instance_id']}")
                host.start()

    def watch_power(self) -> None:
        """Switch hosts off and on as the files in ``power`` say; never returns."""
        off = {key for key in self.hosts if self.faults.is_off(key)}
        while True:
            time.sleep(_WATCH_SECONDS)
            for key, host in list(self.hosts.items()):
                is_off = self.faults.is_off(key)
                if is_off and key not in off:
                    off.add(key)
                    host.power_off()
                elif not is_off and key in off:
                    off.discard(key)
                    host.power_on()

    def name_faults(self, name: str, instance_id: str) -> None:
        """Apply faults that were set for an instance's name to its ID.

        An instance that doesn't exist yet has no ID.
        """
        for path in self.state.root.glob(f"faults/*@{name}"):
            point, _, _ = path.name.partition("@")
            with contextlib.suppress(FileNotFoundError):
                path.rename(path.with_name(f"{point}@{instance_id}"))


_CURRENT: list[World] = []


def build(root: Path) -> World:
    """Open the world of a state directory."""
    state = StateDir(root)
    return World(state, state.settings().block, Store(state.inventory), Faults(root))


def enter(world: World) -> None:
    """Use *world* for the stand-ins of this process."""
    _CURRENT[:] = [world]


def current() -> World:
    """Return the world that was entered; raises RuntimeError if none was."""
    if not _CURRENT:
        raise RuntimeError("No sandbox world has been entered in this process")
    return _CURRENT[0]
