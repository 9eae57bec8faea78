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

"""Streaming replication, as Trove's guest sets it up for PostgreSQL.

PostgresqlReplicationStreaming in trove/guestagent/strategies/replication/postgresql.py,
step by step and weaknesses included.
"""

import os
import time
from typing import Any

from trove.common import exception, utils
from trove.common.db.postgresql import models

from trove_ext.sandbox.guest import programs
from trove_ext.sandbox.guest.postgresql import config
from trove_ext.sandbox.guest.postgresql.accounts import Admin
from trove_ext.sandbox.guest.postgresql.programs import find, unprivileged
from trove_ext.sandbox.guest.postgresql.server import Postgres

# Seconds. Trove gives both 60; the sandbox's RPC calls end after 20, and the text of
# an error should arrive before that.
PROMOTE_SECONDS = 15.0
CATCH_UP_SECONDS = 18.0
_POLL_SECONDS = 0.1

Info = dict[str, Any]


class Replication:
    """The replication of one instance, as a source or as a replica."""

    def __init__(self, db: Postgres, admin: Admin, jobs: programs.Jobs) -> None:
        self._db = db
        self._admin = admin
        self._jobs = jobs

    # A source

    def account(self) -> dict[str, str]:
        """Return the account of replicas; _get_or_create_replication_user.

        An instance with the user but without its file can't create it again: Trove
        passes an object to delete_user, which expects a dictionary (TypeError). This
        happens if its data are of a full backup from before its source's first replica.
        """
        stored = self._db.layout.replication_password
        if not self._admin.user_exists(config.REPLICATION_USER):
            password = self._create_user()
        elif stored.exists():
            password = stored.read_text()
        else:
            self._admin.delete_user(models.PostgreSQLUser(config.REPLICATION_USER))
            password = self._create_user()
        return {"name": config.REPLICATION_USER, "password": password}

    def enable_source(self, mode: str | None = None) -> None:
        """Admit replicas, by a restart in any case; enable_as_master.

        *mode* is that of TLS.
        """
        self.account()
        self._db.write_access_rules(mode, replication=True)
        self._db.restart()

    def reference(self) -> Info:
        """Return where replicas connect to; get_master_ref."""
        return {"host": self._db.address, "port": config.PORT}

    def position(self) -> str:
        """Return where the WAL is; get_latest_txn_id in postgres/manager.py."""
        function = "last_wal_replay" if self.is_replica() else "current_wal"
        return str(self._db.sql.value(f"SELECT pg_{function}_lsn()"))

    def demote(self) -> None:
        """Rewind to where the new source diverged, and follow it; demote_master.

        What was written here afterwards is lost. Raises ProgramError, with the
        server stopped, if pg_rewind fails.
        """
        self._db.stop()
        self._rewind()
        self._db.layout.standby_signal.touch(mode=0o600)
        self._db.restart()

    # A replica

    def is_replica(self) -> bool:
        """Whether the server is a standby."""
        return bool(self._db.sql.value("SELECT pg_is_in_recovery()"))

    def follow(self, info: Info) -> None:
        """Become a standby of the source in *info* at the next start."""
        self._db.layout.standby_signal.touch(mode=0o600)
        user = info["replica_conf"]["replication_user"]
        source = info["master"]
        connection = (
            f"host={source['host']} port={source['port']} dbname=postgres"
            f" user={user['name']} password={user['password']}"
        )
        self._db.write_override(config.SYSTEM, {"primary_conninfo": connection})

    def promote(self) -> None:
        """Become a server of its own, without a restart; detach_slave.

        Raises TroveError if it is still in recovery after 15 s.
        """
        self._db.sql.query("SELECT pg_promote()")
        deadline = time.monotonic() + PROMOTE_SECONDS
        while self.is_replica():
            if time.monotonic() > deadline:
                raise exception.TroveError(
                    "Timeout occurred waiting for replica to exit standby mode"
                )
            time.sleep(_POLL_SECONDS)

    def wait_for(self, position: str) -> None:
        """Wait until this replica has replayed *position*, as text.

        wait_for_txn in postgres/manager.py compares two positions as strings:
        "0/F000090" is beyond "0/1000FAF8" there. Raises TroveError after 18 s.
        """
        if not self.is_replica():
            raise exception.TroveError(
                "Attempting to wait for a txn on a non-replica server"
            )
        deadline = time.monotonic() + CATCH_UP_SECONDS
        while not self._replayed() >= position:
            if time.monotonic() > deadline:
                raise exception.TroveError(
                    f"Timeout occurred waiting for wal offset to change to {position}"
                )
            time.sleep(_POLL_SECONDS)

    def _replayed(self) -> str:
        return str(self._db.sql.value("SELECT pg_last_wal_replay_lsn()"))

    def _create_user(self) -> str:
        password: str = utils.generate_random_password()
        stored = self._db.layout.replication_password
        stored.touch(mode=0o600)
        stored.write_text(password)
        user = models.PostgreSQLUser(config.REPLICATION_USER, password=password)
        options = ("REPLICATION", "SUPERUSER", "LOGIN")
        self._admin.create_user(user, None, *options)
        return password

    def _rewind(self) -> None:
        """Run pg_rewind against the new source; pg_rewind in postgres/service.py.

        The password is passed in the environment, because everybody can read a command
        line.
        """
        connection = self._db.override(config.SYSTEM)["primary_conninfo"]
        public, _, password = connection.partition(" password=")
        layout = self._db.layout
        command = [
            *unprivileged(),
            find("pg_rewind"),
            f"--target-pgdata={layout.pgdata}",
            f"--source-server={public}",
            "--no-sync",
        ]
        environment = {**os.environ, "PGPASSWORD": password}
        self._jobs.run(command, layout.root / "rewind.log", env=environment)
