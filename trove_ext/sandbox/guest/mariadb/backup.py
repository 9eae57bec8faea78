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

"""Backups by mariadb-backup, and what they become again.

The commands are those of Trove's backup/drivers/mariabackup.py: one xbstream for each
backup, incrementals by the log sequence number that the parent reached.
"""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from trove_ext.sandbox.guest import programs
from trove_ext.sandbox.guest.backup_store import (
    BackupMissingError,
    BackupObject,
    BackupStore,
)
from trove_ext.sandbox.guest.mariadb.server import MariaDB

# What MariaDB calls the file with the position of the binary log; it was renamed.
_POSITION_FILES = ("mariadb_backup_binlog_info", "xtrabackup_binlog_info")
_SUFFIX = ".xbstream"
_LSN = re.compile(r"latest check point \(for incremental\): '(\d+)'")


class BackupFailedError(Exception):
    """mariadb-backup said that it is done, and yet something is missing."""


class Backups:
    """Takes and restores the backups of one instance."""

    def __init__(self, db: MariaDB, store: BackupStore, jobs: programs.Jobs) -> None:
        self._db = db
        self._store = store
        self._jobs = jobs

    def take(
        self, backup_id: str, url: str, parent: BackupObject | None
    ) -> BackupObject:
        """Back up into the store, after *parent* where there is one.

        Raises ProgramError, BackupFailedError.
        """
        # Without a checkpoint the pages on disk are old, and an incremental starts
        # so early in the log that it is as large as a full backup.
        self._db.query("SET GLOBAL innodb_log_checkpoint_now = ON")
        location = f"{url}/{backup_id}{_SUFFIX}"
        scratch = self._store.scratch(backup_id)
        scratch.mkdir(mode=0o700, parents=True)
        try:
            stored = self._stream(location, parent, scratch)
        except BaseException:
            self._store.archive(location).unlink(missing_ok=True)
            raise
        finally:
            shutil.rmtree(scratch)
        self._store.save(stored)
        return stored

    def restore(self, location: str, checksum: str) -> None:
        """Make the data directory what it was at the backup at *location*.

        As incremental_restore in Trove's backup/drivers/mariabackup.py: the full
        backup is unpacked into place, each incremental beside it and then applied.
        Raises BackupMissingError, ProgramError.
        """
        links = self._store.chain(location)
        data = self._db.layout.data
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        self._verify(links[-1], checksum)
        self._unpack(links[0], data)
        self._prepare()
        self._apply(links[1:])

    def restored_position(self) -> str:
        """Return the GTID position of the backup that was restored; empty for none.

        As read_last_master_gtid in Trove's strategies/replication/mariadb_gtid.py.
        Raises BackupFailedError where the backup brought no position.
        """
        for name in _POSITION_FILES:
            path = self._db.layout.data / name
            if path.exists():
                return gtid_position(path.read_text())
        raise BackupFailedError(f"Neither of {', '.join(_POSITION_FILES)} was restored")

    def _stream(
        self, location: str, parent: BackupObject | None, scratch: Path
    ) -> BackupObject:
        archive = self._store.archive(location)
        with archive.open("wb") as stream:
            command = self._command(scratch, parent)
            words = self._jobs.run(command, scratch / "log", stdout=stream)
        return BackupObject(
            location=location,
            checksum=self._checksum(location, scratch / "md5"),
            size=archive.stat().st_size,
            metadata={"lsn": reached_lsn(words)},
            parent_location=parent.location if parent else None,
            parent_checksum=parent.checksum if parent else None,
        )

    def _command(self, scratch: Path, parent: BackupObject | None) -> list[str]:
        layout = self._db.layout
        # The configuration names the account: every user of the machine can read a
        # command line.
        command = [
            programs.find("mariadb-backup"),
            f"--defaults-file={layout.config}",
            "--backup",
            "--stream=xbstream",
            f"--target-dir={scratch}",
        ]
        return command + (
            [f"--incremental-lsn={parent.metadata['lsn']}"] if parent else []
        )

    def _checksum(self, location: str, log: Path) -> str:
        # A program, because hashing in this process would stop everything else.
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

    def _unpack(self, stored: BackupObject, target: Path) -> None:
        command = [programs.find("mbstream"), "-x", "-C", str(target)]
        with self._store.archive(stored.location).open("rb") as archive:
            self._jobs.run(command, self._db.layout.root / "unpack.log", stdin=archive)

    def _prepare(self, incremental: Path | None = None) -> None:
        layout = self._db.layout
        command = [
            programs.find("mariadb-backup"),
            "--no-defaults",
            "--prepare",
            f"--target-dir={layout.data}",
            "--use-memory=64M",
        ]
        if incremental:
            command.append(f"--incremental-dir={incremental}")
        self._jobs.run(command, layout.root / "prepare.log")

    def _apply(self, links: Iterable[BackupObject]) -> None:
        for link in links:
            incremental = self._db.layout.root / "incremental"
            shutil.rmtree(incremental, ignore_errors=True)
            incremental.mkdir(mode=0o700)
            try:
                self._unpack(link, incremental)
                self._prepare(incremental)
            finally:
                shutil.rmtree(incremental)


def reached_lsn(words: str) -> str:
    """Find in mariadb-backup's words how far it came in the redo log.

    As get_metadata in Trove's backup/drivers/mysql_base.py. Raises
    BackupFailedError where it isn't said.
    """
    found = _LSN.search(words)
    if not found:
        raise BackupFailedError(f"No log sequence number: {programs.last_words(words)}")
    return found.group(1)


def gtid_position(text: str) -> str:
    """Return the GTID position in mariadb-backup's binlog info; empty for none."""
    fields = text.strip().split("\t")
    return fields[2] if len(fields) == 3 else ""  # noqa: PLR2004 - file, offset, GTID
