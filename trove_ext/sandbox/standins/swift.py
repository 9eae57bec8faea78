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

"""Swift, as far as Trove asks it: the objects that backups are.

An object is a file under the state directory's ``backups``, put there by the guest.
Trove asks for the account before it makes a backup, for the object's checksum before
a restore (trove/backup/models.py ``check_swift_object_exist``), and deletes the object
with its backup (trove/taskmanager/models.py ``delete_files_from_swift``).
"""

import hashlib
from pathlib import Path
from typing import Any

from eventlet import tpool
from swiftclient.exceptions import ClientException

from trove_ext.sandbox.faults import FaultInjected
from trove_ext.sandbox.standins import world

_HTTP_NOT_FOUND = 404
_HTTP_FAILED = 500


def _checksum(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "md5").hexdigest()


class Client:
    """What Trove takes for a Swift connection."""

    def get_account(self) -> tuple[dict[str, str], list[dict[str, Any]]]:
        """Answer that the account is there."""
        return {}, []

    def head_object(self, container: str, name: str) -> dict[str, str]:
        """Return the object's headers; raises Swift's ClientException where none is.

        The checksum is computed, not remembered: a damaged file is refused at a
        restore as it would be by Swift.
        """
        path = self._path(container, name)
        size = path.stat().st_size
        digest = tpool.execute(_checksum, path)
        # In double quotes, as Swift has it; Trove strips them.
        return {"etag": f'"{digest}"', "content-length": str(size)}

    def delete_object(self, container: str, name: str, **_more: Any) -> None:
        """Remove an object; fails where the fault ``backup-delete`` is set."""
        path = self._path(container, name)
        try:
            world.current().faults.hit("backup-delete")
        except FaultInjected as exc:
            raise ClientException(str(exc), http_status=_HTTP_FAILED) from exc
        path.unlink()

    @staticmethod
    def _path(container: str, name: str) -> Path:
        path = world.current().state.backups / container / name
        if not path.is_file():
            raise ClientException(
                f"Object HEAD failed: {container}/{name}", http_status=_HTTP_NOT_FOUND
            )
        return path


def client(*_args: Any, **_kwargs: Any) -> Client:
    """Stand in for trove.common.clients.swift_client."""
    return Client()
