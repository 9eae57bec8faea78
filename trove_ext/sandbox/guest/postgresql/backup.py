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

"""Backups by pg_basebackup and by archived WAL, and their restore.

All as in Trove's backup/drivers/postgres.py, weaknesses included: an incremental is
what this server has archived since its previous backup of any kind, whatever the
parent is.
"""

import shutil
import time
from pathlib import Path

from trove_ext.sandbox.guest import programs
from trove_ext.sandbox.guest.backup_store import BackupObject, BackupStore
from trove_ext.sandbox.guest.backups import BackupFailedError, StoredBackups
from trove_ext.sandbox.guest.postgresql import archive, config, sql
from trove_ext.sandbox.guest.postgresql.programs import find
from trove_ext.sandbox.guest.postgresql.server import Postgres

# Seconds. Trove checks every 5 for 60, which is too long here.
METADATA_SECONDS = 6.0
_POLL_SECONDS = 0.2
# clean_wal_archives of trove/guestagent/datastore/postgres/manager.py.
_CLEANING_SECONDS = 180.0


class Backups(StoredBackups):
    """Takes and restores the backups of one instance."""

    suffix = ".tar.gz"
    _db: Postgres

    def __init__(self, db: Postgres, jobs: programs.Jobs) -> None:
        super().__init__(db, jobs)
        self._archive = archive.Archive(db.layout.archive)
        self._cleaned = time.monotonic()

    def restore(self, store: BackupStore, location: str, checksum: str) -> None:
        """Replace the data by those of the chain that ends at *location*.

        restore_backup in Trove's postgres/service.py and incremental_restore in the
        driver: the full backup becomes the data, all others are WAL in the archive
        that the next start replays. Raises BackupMissingError, ProgramError.
        """
        layout = self._db.layout
        links = store.chain(location, checksum)
        for path in (layout.archive, layout.pgdata):
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir(mode=0o700)
        self._unpack(store, links[0], layout.pgdata)
        for link in links[1:]:
            self._unpack(store, link, layout.archive)

    def archive_sizes(self) -> dict[str, int]:
        """Return what get_volume_info in Trove's postgres/manager.py adds."""
        wal = self._db.layout.pgdata / "pg_wal"
        used = sum(path.stat().st_size for path in wal.glob("*") if path.is_file())
        return {"wal_size": used, "wal_archive_size": self._archive.size()}

    def clean_archive(self, volume: int) -> None:
        """Every 180 s, remove old WAL if there is too much of it; *volume* in bytes.

        clean_wal_archives in Trove's postgres/manager.py.
        """
        if time.monotonic() - self._cleaned < _CLEANING_SECONDS:
            return
        self._cleaned = time.monotonic()
        command = str(self._db.sql.value("SHOW archive_command"))
        if "DISABLE_TROVE_WAL_CLEANUP" not in command:
            limit = archive.in_bytes(str(self._db.sql.value("SHOW max_wal_size")))
            self._archive.clean(limit, volume)

    # A backup

    def _write(self, archive: Path, parent: BackupObject | None) -> dict[str, str]:
        label = archive.name.removesuffix(self.suffix)
        if parent is None:
            command = self._base_command(label)
        else:
            self._mark(label, parent)
            command = self._segments_command()
        log = archive.with_name("log")
        with archive.open("wb") as stream:
            self._jobs.run(command, log, stdout=stream, cwd=self._db.layout.root)
        return self._metadata(label)

    def _base_command(self, label: str) -> list[str]:
        """Return the command of a full backup, with Trove's default compression."""
        connect = [f"--username={config.SUPERUSER}", "-h", config.SOCKET_FOR_CHILDREN]
        how = ["-Ft", "--compress=1", "--wal-method=fetch"]
        return [find("pg_basebackup"), *connect, *how, f"--label={label}", "--pgdata=-"]

    def _mark(self, label: str, parent: BackupObject) -> None:
        """Start and stop a backup, so WAL is archived; pre_backup.

        Stopping waits for the archiver, without a limit if that fails.
        """
        segment = parent.metadata.get("stop-wal-file", "")
        if not self._archive.has_backup_that_stopped_in(segment):
            raise BackupFailedError("Cannot find parent backup WAL file.")
        with self._db.sql.connection() as connection:
            sql.rows(connection, "SELECT pg_backup_start(%s, false)", label)
            sql.rows(connection, "SELECT * FROM pg_backup_stop(true)")

    def _segments_command(self) -> list[str]:
        names = self._archive.segments_since(1)
        return ["tar", "-czf", "-", "-C", str(self._db.layout.archive), *names]

    def _metadata(self, label: str) -> dict[str, str]:
        """Wait for the history file of this backup; get_metadata, check_process.

        A standby archives nothing, and has one only if it was a source once: then
        that is of another backup.
        """
        is_standby = bool(self._db.sql.value("SELECT pg_is_in_recovery()"))
        deadline = time.monotonic() + METADATA_SECONDS
        while time.monotonic() < deadline:
            name = self._archive.backup_file()
            if name is None and is_standby:
                return {}
            facts = self._archive.facts(name) if name else {}
            if facts.get("label") == label:
                return facts
            time.sleep(_POLL_SECONDS)
        raise BackupFailedError(f"Failed to get backup metadata for backup {label}")

    def _unpack(self, store: BackupStore, stored: BackupObject, target: Path) -> None:
        # Not as the user of the archive, which belongs to a user namespace.
        command = ["tar", "-xzf", "-", "--no-same-owner", "-C", str(target)]
        self._run_on(store, stored, command)
