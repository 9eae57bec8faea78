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

"""What the backups of all engines have in common: archives, uploads, chains.

See Trove's backup/drivers/base.py and backup/main.py.
"""

import abc
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trove_ext.sandbox.guest import programs
from trove_ext.sandbox.guest.backup_store import BackupObject, BackupStore


class BackupFailedError(Exception):
    """A backup program reported success, but something is missing."""


class StoredBackups(abc.ABC):
    """Takes and restores the backups of one instance."""

    suffix: str
    """The ending of an object's name."""

    def __init__(self, db: Any, jobs: programs.Jobs) -> None:
        self._db = db
        self._jobs = jobs

    def check_power(self) -> None:
        """Raise ProgramError if the host has been switched off."""
        self._jobs.check_power()

    def take(
        self,
        store: BackupStore,
        backup_id: str,
        metadata: Mapping[str, str],
        parent: BackupObject | None,
    ) -> BackupObject:
        """Back up into the store, after *parent* if there is one.

        :param metadata: what Trove adds to that of the engine
        Raises ProgramError, BackupFailedError, BackupMissingError, ClientException.
        """
        scratch = self._db.layout.root / f"backup-{backup_id}"
        scratch.mkdir(mode=0o700, parents=True)
        archive = scratch / f"{backup_id}{self.suffix}"
        try:
            own = self._write(archive, parent)
            return store.save(archive.name, archive, {**metadata, **own}, parent)
        finally:
            shutil.rmtree(scratch)

    @abc.abstractmethod
    def _write(self, archive: Path, parent: BackupObject | None) -> dict[str, str]:
        """Write the archive and return the metadata of the object.

        The name of the file is the ID of the backup, its directory is for this alone.
        """

    @abc.abstractmethod
    def restore(self, store: BackupStore, location: str, checksum: str) -> None:
        """Replace the data by those of the backup at *location*."""

    def _run_on(
        self, store: BackupStore, stored: BackupObject, command: list[str]
    ) -> None:
        """Run *command* on the object's content."""
        root = self._db.layout.root
        with tempfile.TemporaryFile(dir=root) as archive:
            store.load(stored, archive)
            self._jobs.run(command, root / "unpack.log", stdin=archive)
