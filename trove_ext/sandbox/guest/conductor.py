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

"""What a guest reports to Trove's conductor.

The original's API reads the guest's ID from the process-wide CONF.guest_id; here
many guests live in one process.
"""

import time
from collections.abc import Callable
from typing import Any

from oslo_utils import timeutils
from trove.backup import models as backup_models
from trove.common import context as trove_context
from trove.common import notification
from trove.common.serializable_notification import SerializableNotification
from trove.conductor import api as conductor_api
from trove.instance import models as instance_models
from trove.instance import service_status

_ROW_SECONDS = 10.0
_POLL_SECONDS = 0.05
_REPEAT_SECONDS = 0.5


class NotStoredError(Exception):
    """Trove's conductor did not store what the guest reported."""


class Conductor:
    """The reports of one guest to the conductor; a host without power sends none.

    A report of a guest is a cast, and the conductor handles several at once, a race: of
    two close together the earlier may be stored last, or the later may be lost
    (LastSeen in trove/conductor/manager.py, at an instance's first). A guest in a
    virtual machine is far too slow for that; here the guest waits for the row before it
    continues.
    """

    def __init__(self, instance_id: str) -> None:
        self.instance_id = instance_id
        self.connected = True

    def heartbeat(self, status: service_status.ServiceStatus) -> None:
        """Report the state; set_status in guestagent/datastore/service.py."""
        if self.connected:
            self._api().heartbeat(
                self.instance_id, {"service_status": status.description}, sent=_now()
            )

    def begin(self) -> None:
        """Report that the database is being created, and wait until that is stored.

        Raises NotStoredError after ten seconds.
        """
        building = service_status.ServiceStatuses.BUILDING
        self.heartbeat(building)
        self._wait(
            lambda: _service_status(self.instance_id).get_status() == building,
            f"Instance {self.instance_id} didn't become {building}",
        )

    def require_restart(self) -> None:
        """Report that the database must be restarted, and wait until that is stored.

        Until Trove restarts it, it ignores other reports (heartbeat in trove/conductor/
        manager.py); so this one must not be stored after the restart has begun. It is
        lost if a later one was stored before. Raises NotStoredError after ten seconds.
        """
        required = service_status.ServiceStatuses.RESTART_REQUIRED
        deadline = time.monotonic() + _ROW_SECONDS
        while self.connected:
            self.heartbeat(required)
            time.sleep(_REPEAT_SECONDS)
            if _service_status(self.instance_id).get_status() == required:
                return
            if time.monotonic() > deadline:
                raise NotStoredError(
                    f"Instance {self.instance_id} didn't become {required}"
                )

    def update_backup(
        self, context: Any, backup_id: str, *, state: str, **fields: object
    ) -> None:
        """Change a backup, and wait until that is stored.

        As create_backup in Trove's guestagent/datastore/service.py. Otherwise the
        response to get_replication_snapshot would overtake it, and Trove would restore
        a replica from a row that has no location yet. Raises NotStoredError after ten
        seconds.
        """
        if self.connected:
            self._api(context).update_backup(
                self.instance_id, backup_id, sent=_now(), state=state, **fields
            )
        self._wait(
            lambda: backup_models.DBBackup.find_by(id=backup_id).state == state,
            f"Backup {backup_id} didn't become {state}",
        )

    def report_root(self, context: Any) -> None:
        """Report that root is enabled; as BaseDbStatus.report_root."""
        if self.connected:
            self._api(context).report_root(self.instance_id)

    def notification(self, context: Any, **payload: object) -> "GuestNotification":
        """Report to the conductor how the block under ``with`` ended."""
        return GuestNotification(self, context, **payload)

    def _wait(self, stored: Callable[[], bool], failure: str) -> None:
        deadline = time.monotonic() + _ROW_SECONDS
        while self.connected and not stored():
            if time.monotonic() > deadline:
                raise NotStoredError(failure)
            time.sleep(_POLL_SECONDS)

    def _api(self, context: Any = None) -> "_GuestApi":
        return _GuestApi(context or trove_context.TroveContext(), self.instance_id)


class GuestNotification(notification.EndNotification):  # type: ignore[misc]
    """EndNotification of trove/common/notification.py, for this guest."""

    def __init__(self, conductor: Conductor, context: Any, **payload: object) -> None:
        super().__init__(context, **payload)
        self._conductor = conductor

    @property
    def _notifier(self) -> Any:
        return self._conductor._api(self.context)  # noqa: SLF001 - one module

    def __exit__(self, *exc_info: object) -> None:
        if self._conductor.connected:
            super().__exit__(*exc_info)


class _GuestApi(conductor_api.API):  # type: ignore[misc]
    """The original's API, with the guest's ID where it reads CONF.guest_id."""

    def __init__(self, context: Any, instance_id: str) -> None:
        super().__init__(context)
        self._instance_id = instance_id

    def notify_exc_info(self, message: str, exception: list[str]) -> None:
        """Store *message* as the fault of this instance."""
        serialized = SerializableNotification.serialize(
            self.context, self.context.notification
        )
        self.client.prepare(version=self.API_BASE_VERSION).cast(
            self.context,
            "notify_exc_info",
            serialized_notification={**serialized, "instance_id": self._instance_id},
            message=message,
            exception=exception,
        )


def _service_status(instance_id: str) -> Any:
    return instance_models.InstanceServiceStatus.find_by(instance_id=instance_id)


def _now() -> float:
    return float(timeutils.utcnow_ts(microsecond=True))
