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

"""What a guest tells Trove's conductor.

The original's API reads the guest's ID from the process-wide CONF.guest_id; here
many guests live in one process.
"""

import time
from typing import Any

from oslo_utils import timeutils
from trove.backup import models as backup_models
from trove.common import context as trove_context
from trove.common import notification
from trove.common.serializable_notification import SerializableNotification
from trove.conductor import api as conductor_api
from trove.instance import service_status

_ROW_SECONDS = 10.0
_POLL_SECONDS = 0.05


class BackupRowError(Exception):
    """Trove's conductor didn't store what the guest told of a backup."""


class Conductor:
    """The way from one guest to the conductor; a host without power says nothing."""

    def __init__(self, instance_id: str) -> None:
        self.instance_id = instance_id
        self.connected = True

    def heartbeat(self, status: service_status.ServiceStatus) -> None:
        """Say how the database is, as set_status in guestagent/datastore/service.py."""
        if self.connected:
            self._api().heartbeat(
                self.instance_id, {"service_status": status.description}, sent=_now()
            )

    def update_backup(self, context: Any, backup_id: str, **fields: object) -> None:
        """Change a backup, as create_backup in guestagent/datastore/service.py."""
        if self.connected:
            self._api(context).update_backup(
                self.instance_id, backup_id, sent=_now(), **fields
            )

    def report_root(self, context: Any) -> None:
        """Say that root is enabled; as BaseDbStatus.report_root."""
        if self.connected:
            self._api(context).report_root(self.instance_id)

    def notification(self, context: Any, **payload: object) -> "GuestNotification":
        """Tell the conductor how the block under ``with`` ended."""
        return GuestNotification(self, context, **payload)

    def wait_for_backup(self, backup_id: str, state: str) -> None:
        """Wait until Trove's database has a backup in *state*.

        update_backup is a cast. The answer to the call get_replication_snapshot
        would overtake it, and Trove would restore the replica from a row that has
        no location yet. A guest in a virtual machine is far too slow for that.
        Raises BackupRowError after ten seconds.
        """
        deadline = time.monotonic() + _ROW_SECONDS
        while backup_models.DBBackup.find_by(id=backup_id).state != state:
            if time.monotonic() > deadline:
                raise BackupRowError(f"Backup {backup_id} didn't become {state}")
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


def _now() -> float:
    return float(timeutils.utcnow_ts(microsecond=True))
