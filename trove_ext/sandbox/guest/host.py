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

"""The host of one instance: what a Nova server with Trove's image would be.

The control plane's Nova stand-in makes, switches and destroys it.
"""

import logging
import threading
import time
from pathlib import Path
from typing import Any

import oslo_messaging as messaging
from trove import rpc
from trove.guestagent import api as guest_api

from trove_ext.sandbox.faults import Faults
from trove_ext.sandbox.guest import engine, programs
from trove_ext.sandbox.guest.agent_base import Parts, Volume
from trove_ext.sandbox.guest.conductor import Conductor
from trove_ext.sandbox.guest.engine import DatabaseError, Engine, Server

_LOG = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 2.0


class _Session:
    """What runs between switching on and off; whatever began in it ends with it."""

    def __init__(self, parts: Parts, kind: Engine) -> None:
        self.parts = parts
        self.agent = kind.agent(parts)
        self.on = True
        self._server: Any = None

    def listen(self) -> None:
        """Answer Trove's calls; those that are older than this are dropped."""
        topic = f"guestagent.{self.parts.instance_id}"
        purge(topic)
        target = messaging.Target(
            topic=topic,
            server=self.parts.instance_id,
            version=guest_api.API.API_LATEST_VERSION,
        )
        self._server = rpc.get_server(target, [self.agent], key=None)
        self._server.start()

    def beat(self) -> None:
        """Report the status again and again."""
        while self.on:
            try:
                self.agent.update_status()
            except Exception:  # noqa: BLE001 - the next beat may do better
                _LOG.exception("The heartbeat of %s failed", self.parts.instance_id)
            time.sleep(HEARTBEAT_SECONDS)

    def disconnect(self) -> None:
        """Answer and report no more."""
        self.on = False
        self.parts.conductor.connected = False
        self.parts.db.powered = False
        self.parts.jobs.kill()
        if self._server is not None:
            # Not waited for: a call that hangs would keep the host on.
            self._server.stop()


class Host:
    """A host with its guest agent and its database server.

    The server is a process of its own and outlives this one: ``start`` adopts it.
    """

    def __init__(  # noqa: PLR0917 - each is plain, and named by its caller
        self,
        state_dir: Path,
        instance_id: str,
        address: str,
        faults: Faults,
        memory_mb: int,
        volume_gb: int,
        manager: str = engine.MARIADB,
    ) -> None:
        self._engine = engine.of(manager)
        self.instance_id = instance_id
        self._state_dir = state_dir
        self._address = address
        self._faults = faults
        self._volume = Volume(volume_gb)
        self._db = self._make_db(memory_mb)
        self._session: _Session | None = None

    def start(self) -> None:
        """Switch on: start the agent, and the database that was prepared before."""
        if self._session is not None:
            return
        layout = self._db.layout
        layout.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._db = self._make_db(self._db.memory_mb)
        self._session = _Session(self._parts(), self._engine)
        if layout.prepared.exists():
            self._start_database()
        self._session.listen()
        threading.Thread(target=self._session.beat, daemon=True).start()

    def stop(self) -> None:
        """Shut down cleanly; ``start`` continues from there."""
        self._disconnect()
        self._db.stop()

    def power_off(self) -> None:
        """Switch off at once: the database is killed, the agent is silent."""
        self._disconnect()
        self._db.kill()

    def power_on(self) -> None:
        """Switch on again."""
        self.start()

    def reboot(self) -> None:
        """Shut down and start again."""
        self.stop()
        self.start()

    def destroy(self) -> None:
        """Switch off and remove all that belongs to the instance, but its backups."""
        self.power_off()
        self._db.wipe()

    def set_volume(self, gb: int) -> None:
        """Make the volume *gb* large, as its file system will report."""
        self._volume.gb = gb

    def set_memory(self, megabytes: int) -> None:
        """Give the host another flavor's memory; from the database's next start."""
        self._db.memory_mb = megabytes

    def _start_database(self) -> None:
        # One that doesn't start is no reason to leave the agent out: Trove is to
        # see a database that is shut down.
        try:
            self._db.configure()
            self._db.start()
        except DatabaseError:
            _LOG.exception("Starting the database of %s", self.instance_id)

    def _make_db(self, memory_mb: int) -> Server:
        root = self._state_dir / "instances" / self.instance_id
        return self._engine.server(root, self._address, memory_mb)

    def _parts(self) -> Parts:
        return Parts(
            self._state_dir,
            self.instance_id,
            self._db,
            Conductor(self.instance_id),
            self._faults,
            self._volume,
            programs.Jobs(),
        )

    def _disconnect(self) -> None:
        if self._session is not None:
            self._session.disconnect()
            self._session = None


def purge(topic: str) -> None:
    """Drop what waits in *topic*.

    The transport ``fake:/`` keeps messages forever. Calls whose senders have long
    timed out would run when the agent comes back: a promotion's make_read_only, for
    instance, on a host that was off for an hour. oslo.messaging has no call for it;
    the queues are those of oslo_messaging/_drivers/impl_fake.py.
    """
    manager = rpc.TRANSPORT._driver._exchange_manager  # noqa: SLF001 - see above
    exchange = manager.get_exchange(None)
    with exchange._queues_lock:  # noqa: SLF001
        for queues in (exchange._topic_queues, exchange._server_queues):  # noqa: SLF001
            for key, queue in queues.items():
                if key[0] == topic:
                    queue.clear()
