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

"""Backups by mariadb-backup, and their restore.

The commands are those of Trove's backup/drivers/mariabackup.py: one xbstream for each
backup, incrementals by the log sequence number that the parent reached.
"""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from trove_ext.sandbox.guest import programs
from trove_ext.sandbox.guest.backup_store import BackupObject, BackupStore
from trove_ext.sandbox.guest.backups import BackupFailedError, StoredBackups
from trove_ext.sandbox.guest.mariadb.server import MariaDB

# The names of the file with the position of the binary log; MariaDB renamed it.
_POSITION_FILES = ("mariadb_backup_binlog_info", "xtrabackup_binlog_info")
_LSN = re.compile(r"latest check point \(for incremental\): '(\d+)'")


class Backups(StoredBackups):
    """Takes and restores the backups of one instance."""

    suffix = ".xbstream"
    _db: MariaDB

    def restore(self, store: BackupStore, location: str, checksum: str) -> None:
        """Replace the data directory by that of the backup at *location*.

        As incremental_restore in Trove's backup/drivers/mariabackup.py: the full
        backup is unpacked into place, each incremental beside it and then applied.
        Raises BackupMissingError, ProgramError.
        """
        links = store.chain(location, checksum)
        data = self._db.layout.data
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        self._unpack(store, links[0], data)
        self._prepare()
        self._apply(store, links[1:])

    def restored_position(self) -> str:
        """Return the GTID position of the backup that was restored; empty for none.

        As read_last_master_gtid in Trove's strategies/replication/mariadb_gtid.py.
        Raises BackupFailedError if the backup has no position.
        """
        for name in _POSITION_FILES:
            path = self._db.layout.data / name
            if path.exists():
                return gtid_position(path.read_text())
        raise BackupFailedError(f"Neither of {', '.join(_POSITION_FILES)} was restored")

    def _write(self, archive: Path, parent: BackupObject | None) -> dict[str, str]:
        scratch = archive.parent
        # Without a checkpoint the pages on disk are old, and an incremental starts
        # so early in the log that it is as large as a full backup.
        self._db.query("SET GLOBAL innodb_log_checkpoint_now = ON")
        with archive.open("wb") as stream:
            command = self._command(scratch, parent)
            words = self._jobs.run(command, scratch / "log", stdout=stream)
        return {"lsn": reached_lsn(words)}

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
        if parent:
            command.append(f"--incremental-lsn={parent.metadata['lsn']}")
        return command

    def _unpack(self, store: BackupStore, stored: BackupObject, target: Path) -> None:
        command = [programs.find("mbstream"), "-x", "-C", str(target)]
        self._run_on(store, stored, command)

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

    def _apply(self, store: BackupStore, links: Iterable[BackupObject]) -> None:
        for link in links:
            incremental = self._db.layout.root / "incremental"
            shutil.rmtree(incremental, ignore_errors=True)
            incremental.mkdir(mode=0o700)
            try:
                self._unpack(store, link, incremental)
                self._prepare(incremental)
            finally:
                shutil.rmtree(incremental)


def reached_lsn(words: str) -> str:
    """Find in mariadb-backup's output how far it got in the redo log.

    As get_metadata in Trove's backup/drivers/mysql_base.py. Raises
    BackupFailedError if it isn't there.
    """
    found = _LSN.search(words)
    if not found:
        raise BackupFailedError(f"No log sequence number: {programs.last_words(words)}")
    return found.group(1)


def gtid_position(text: str) -> str:
    """Return the GTID position in mariadb-backup's binlog info; empty for none."""
    fields = text.strip().split("\t")
    return fields[2] if len(fields) == 3 else ""  # noqa: PLR2004 - file, offset, GTID
