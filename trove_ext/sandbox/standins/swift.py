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

"""The part of Swift that Trove uses: the objects of backups.

The guest writes them, under the state directory's ``backups``. Trove reads the account
before it takes a backup, and the object's checksum before a restore
(trove/backup/models.py ``check_swift_object_exist``), and deletes the object with its
backup (trove/taskmanager/models.py ``delete_files_from_swift``).
"""

from typing import Any

from swiftclient.exceptions import ClientException

from trove_ext.sandbox import labels
from trove_ext.sandbox.faults import FaultInjected
from trove_ext.sandbox.guest.backup_store import BackupMissingError, BackupStore
from trove_ext.sandbox.standins import world

_HTTP_NOT_FOUND = 404
_HTTP_FAILED = 500


class Client:
    """The Swift connection of Trove."""

    def __init__(self) -> None:
        self._store = BackupStore(world.current().state.root)

    def get_account(self) -> tuple[dict[str, str], list[dict[str, Any]]]:
        """Respond that the account exists."""
        return {}, []

    def head_object(self, container: str, name: str) -> dict[str, str]:
        """Return the object's headers; raises Swift's ClientException if none is."""
        if container == labels.SEEDED_CONTAINER:
            return {"etag": '""', "content-length": "0"}
        try:
            stored = self._store.find(name)
        except BackupMissingError as exc:
            raise ClientException(str(exc), http_status=_HTTP_NOT_FOUND) from exc
        return {"etag": _etag(stored.checksum), "content-length": str(stored.size)}

    def delete_object(self, container: str, name: str, **_more: Any) -> None:
        """Remove an object; fails if the fault ``backup-delete`` is set."""
        self.head_object(container, name)
        try:
            world.current().faults.hit("backup-delete")
        except FaultInjected as exc:
            raise ClientException(str(exc), http_status=_HTTP_FAILED) from exc
        if container != labels.SEEDED_CONTAINER:
            self._store.delete(name)


def _etag(checksum: str) -> str:
    """Return it in double quotes, as Swift has that of a large object.

    Trove strips them before a restore, but not where it stores the record of a backup
    of another region, for which they are too long (trove/backup/models.py,
    ``restore_from``): an object store that has none is the fault ``plain-etag``.
    """
    try:
        world.current().faults.hit("plain-etag")
    except FaultInjected:
        return checksum
    return f'"{checksum}"'


def client(*_args: Any, **_kwargs: Any) -> Client:
    """Stand in for trove.common.clients.swift_client."""
    return Client()
