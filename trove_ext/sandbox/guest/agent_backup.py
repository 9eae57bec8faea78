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

"""The guest agent's part in backups and restores."""

# ruff: noqa: ARG002 - Trove's calls carry more than is needed here

import time
from typing import Any

from swiftclient.client import Connection
from trove.backup.state import BackupState
from trove.common import exception

from trove_ext.sandbox import releases
from trove_ext.sandbox.guest.agent_base import AgentBase, Info, Statuses
from trove_ext.sandbox.guest.backup_store import (
    CONTAINER,
    BackupObject,
    BackupStore,
)

CINDER = "cinder"
"""The storage driver whose backups are volume snapshots, in trove/backup/models.py."""


class BackupAgent(AgentBase):
    """Takes backups into the store, and prepares data from it."""

    def create_backup(self, context: Any, backup_info: Info) -> None:
        """Take a backup; create_backup in mysql_common/manager.py."""
        with self._conductor.notification(context):
            self._create_backup(context, backup_info)

    def pre_create_backup(self, context: Any, **kwargs: object) -> Info:
        """Prepare for a snapshot of the volume; pre_create_backup of each manager.

        Raises BackupCreationError with the reason.
        """
        try:
            self._faults.hit("backup", self._instance_id)
            return self._freeze()
        except Exception as exc:
            # Trove sends BUILDING right before and FAILED right after this call, and
            # handles both at once: a failure without any delay can end as BUILDING.
            time.sleep(1)
            raise exception.BackupCreationError(str(exc)) from exc

    def post_create_backup(self, context: Any, **kwargs: object) -> Info:
        """Continue after a snapshot; post_create_backup of each manager."""
        self._thaw()
        return {}

    def _freeze(self) -> Info:
        """Stop all changes on the volume; return what a new replica needs to know."""
        raise self._unsupported("volume snapshots")

    def _thaw(self) -> None:
        """Allow the database to write again."""

    def _restore_snapshot(self) -> None:
        """Adopt the data of a snapshot, which are on the volume."""
        raise self._unsupported("volume snapshots")

    def _create_backup(self, context: Any, info: Info) -> None:
        """As create_backup in trove/guestagent/datastore/service.py.

        Raises TroveError with the reason, which becomes the instance's fault.
        """
        state: Info = {
            "size": self._volume_stats()["used"],
            "state": BackupState.BUILDING,
            "backup_type": "incremental" if info.get("parent") else "full",
        }
        self._conductor.update_backup(context, info["id"], **state)
        try:
            stored = self._take(context, info)
            state |= {
                "checksum": stored.checksum,
                "location": stored.location,
                "success": True,
                "state": BackupState.COMPLETED,
            }
        except Exception as exc:
            state |= {"success": False, "state": BackupState.FAILED}
            raise exception.TroveError(
                f"Failed to create backup {info['id']}, error: {exc}"
            ) from exc
        finally:
            self._conductor.update_backup(context, info["id"], **state)

    def _take(self, context: Any, info: Info) -> BackupObject:
        self._faults.hit("backup", self._instance_id)
        parent = info.get("parent")
        store = self._store(context, info)
        found = (
            store.find(parent["location"] or "", parent["checksum"]) if parent else None
        )
        return self._backups.take(store, info["id"], _metadata(info), found)

    def _store(self, context: Any, info: Info) -> BackupStore:
        """Return the store, with the token of the user whose request this is."""
        swift = Connection(
            preauthurl=releases.swift_url(context, info),
            preauthtoken=context.auth_token,
        )
        container = info.get("swift_container") or CONTAINER
        return BackupStore(swift, container, self._backups.check_power)

    def _restore(self, context: Any, info: Info) -> None:
        """Restore the data, as perform_restore in datastore/manager.py."""
        try:
            self._faults.hit("restore", self._instance_id)
            if info.get("storage_driver") == CINDER:
                self._restore_snapshot()
            else:
                store = self._store(context, info)
                self._backups.restore(store, info["location"], info["checksum"])
        except Exception:
            self._set_status(Statuses.FAILED)
            raise


def _metadata(info: Info) -> dict[str, str]:
    """Return what Trove's guest adds to each object (``swift_extra_metadata``)."""
    return {
        "datastore": info["datastore"],
        "datastore-version": info["datastore_version"],
    }
