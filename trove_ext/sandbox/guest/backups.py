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

"""What the backups of all engines have in common: objects, checksums, chains.

See Trove's backup/drivers/base.py and backup/storage/swift.py.
"""

import abc
import shutil
from pathlib import Path
from typing import Any

from trove_ext.sandbox.guest import programs
from trove_ext.sandbox.guest.backup_store import (
    BackupMissingError,
    BackupObject,
    BackupStore,
)


class BackupFailedError(Exception):
    """A backup program reported success, but something is missing."""


class StoredBackups(abc.ABC):
    """Takes and restores the backups of one instance."""

    suffix: str
    """The ending of an object's name."""

    def __init__(self, db: Any, store: BackupStore, jobs: programs.Jobs) -> None:
        self._db = db
        self._store = store
        self._jobs = jobs

    def find(self, location: str) -> BackupObject:
        """Return the object at *location*; raises BackupMissingError."""
        return self._store.find(location)

    def take(
        self, backup_id: str, url: str, parent: BackupObject | None
    ) -> BackupObject:
        """Back up into the store, after *parent* if there is one.

        Raises ProgramError, BackupFailedError.
        """
        location = f"{url}/{backup_id}{self.suffix}"
        scratch = self._store.scratch(backup_id)
        scratch.mkdir(mode=0o700, parents=True)
        try:
            metadata = self._write(location, parent, scratch)
            stored = self._describe(location, metadata, parent, scratch)
        except BaseException:
            self._store.archive(location).unlink(missing_ok=True)
            raise
        finally:
            shutil.rmtree(scratch)
        self._store.save(stored)
        return stored

    @abc.abstractmethod
    def _write(
        self, location: str, parent: BackupObject | None, scratch: Path
    ) -> dict[str, str]:
        """Write the object's file and return its metadata."""

    @abc.abstractmethod
    def restore(self, location: str, checksum: str) -> None:
        """Replace the data by those of the backup at *location*."""

    def _describe(
        self,
        location: str,
        metadata: dict[str, str],
        parent: BackupObject | None,
        scratch: Path,
    ) -> BackupObject:
        return BackupObject(
            location=location,
            checksum=self._checksum(location, scratch / "md5"),
            size=self._store.archive(location).stat().st_size,
            metadata=metadata,
            parent_location=parent.location if parent else None,
            parent_checksum=parent.checksum if parent else None,
        )

    def _checksum(self, location: str, log: Path) -> str:
        # A program, because hashing in this process would block everything else.
        words = self._jobs.run(
            ["md5sum", "-b", str(self._store.archive(location))], log
        )
        return words.split()[0].lstrip("\\")

    def _verify(self, stored: BackupObject, checksum: str) -> None:
        found = self._checksum(stored.location, self._db.layout.root / "md5")
        if found != checksum:
            raise BackupMissingError(
                f"Backup object {stored.location} has checksum {found}, not {checksum}"
            )

    def _run_on(self, stored: BackupObject, command: list[str]) -> None:
        """Run *command* on the object's content."""
        with self._store.archive(stored.location).open("rb") as archive:
            self._jobs.run(command, self._db.layout.root / "unpack.log", stdin=archive)
