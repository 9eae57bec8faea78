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

"""What the parts of the guest agent share."""

import abc
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from trove.common import exception, utils
from trove.instance import service_status

from trove_ext.sandbox.faults import Faults
from trove_ext.sandbox.guest import programs
from trove_ext.sandbox.guest.conductor import Conductor
from trove_ext.sandbox.guest.engine import Accounts, Backups, Server, State

Statuses = service_status.ServiceStatuses

Info = dict[str, Any]
"""What Trove sends and accepts, with its own names and values."""

_STATUS = {
    State.ANSWERS: Statuses.HEALTHY,
    State.STARTING: Statuses.RUNNING,
    State.SILENT: Statuses.CRASHED,
    State.DEAD: Statuses.SHUTDOWN,
}


@dataclass
class Volume:
    """The volume that the data are on."""

    gb: float


@dataclass(frozen=True)
class Parts:
    """What a host gives to its agent; *db* is of the agent's own engine."""

    state_dir: Path
    instance_id: str
    db: Any
    conductor: Conductor
    faults: Faults
    volume: Volume
    jobs: programs.Jobs


class AgentBase(abc.ABC):
    """The state of a guest agent, and its database's status.

    Every public method of an agent can be called by RPC; the context comes first.
    """

    manager: ClassVar[str]
    """Trove's name of the engine."""
    _db: Server

    def __init__(self, parts: Parts, backups: Backups, accounts: Accounts) -> None:
        self._db = parts.db
        self._conductor = parts.conductor
        self._faults = parts.faults
        self._volume = parts.volume
        self._backups = backups
        self._accounts = accounts

    @property
    def _instance_id(self) -> str:
        return self._conductor.instance_id

    # Status, as BaseDbStatus in trove/guestagent/datastore/service.py

    def _begin_install(self) -> None:
        self._db.layout.prepared.unlink(missing_ok=True)
        self._conductor.begin()

    def _end_install(self, version: str | None) -> None:
        self._db.layout.prepared.write_text(version or "")
        self._conductor.heartbeat(self._status())

    def _fail_install(self) -> None:
        self._conductor.heartbeat(Statuses.FAILED)

    def _is_installed(self) -> bool:
        return self._db.layout.prepared.exists()

    def _status(self) -> service_status.ServiceStatus:
        return _STATUS[self._db.state()]

    def _set_status(self, status: service_status.ServiceStatus) -> None:
        if self._is_installed():
            self._conductor.heartbeat(status)

    # The database

    def _restart(self) -> None:
        """Restart and report the state; restart in mysql_common/service.py."""
        self._db.restart()
        self._set_status(self._status())

    def _override(self, name: str, values: dict[str, Any] | None) -> None:
        if values:
            self._db.write_override(name, values)

    def _unsupported(self, operation: str) -> Exception:
        refusal: Exception = exception.DatastoreOperationNotSupported(
            operation=operation, datastore=self.manager
        )
        return refusal

    # The volume

    def _volume_stats(self) -> dict[str, Any]:
        """Return total and used GB, as get_filesystem_volume_stats in dbaas.py."""
        total = int(self._volume.gb * 1024**3)
        block = 4096
        used = _used_bytes(self._db.layout.data)
        return {
            "block_size": block,
            "total_blocks": total // block,
            "free_blocks": max(total - used, 0) // block,
            "avail_blocks": max(total - used, 0) // block,
            "total": utils.to_gb(total),
            "free": max(total - used, 0),
            "used": utils.to_gb(used),
        }


def _used_bytes(directory: Path) -> int:
    """Return the disk space of the files of *directory*."""
    used = 0
    for path in directory.rglob("*"):
        try:
            # In units of 512 bytes, whatever the block size is.
            used += path.lstat().st_blocks * 512
        except FileNotFoundError:
            # The database continues to write meanwhile.
            continue
    return used
