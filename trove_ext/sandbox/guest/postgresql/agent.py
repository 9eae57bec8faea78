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

"""The guest agent of a PostgreSQL: its data, its configuration, its replication.

PostgresManager in trove/guestagent/datastore/postgres/manager.py, and what that
inherits from datastore/manager.py. It has no ``get_last_txn``, so this one has none:
Trove calls it on each replica when a source is ejected, and gets an error.
"""

# ruff: noqa: ARG002 - Trove's calls carry more than is needed here

from pathlib import Path
from typing import Any

from trove_ext.sandbox.guest import engine
from trove_ext.sandbox.guest.agent import GuestAgent, Overrides
from trove_ext.sandbox.guest.agent_backup import CINDER
from trove_ext.sandbox.guest.agent_base import Info, Parts
from trove_ext.sandbox.guest.agent_logs import LogDefinition
from trove_ext.sandbox.guest.postgresql import config
from trove_ext.sandbox.guest.postgresql.accounts import Accounts
from trove_ext.sandbox.guest.postgresql.backup import Backups
from trove_ext.sandbox.guest.postgresql.freezer import Freezer
from trove_ext.sandbox.guest.postgresql.replication import Replication
from trove_ext.sandbox.guest.postgresql.server import Postgres

_STRATEGY = "PostgresqlReplicationStreaming"


class PostgresAgent(GuestAgent):
    """Calls of a guest agent, as PostgresManager handles them."""

    manager = engine.POSTGRESQL
    _db: Postgres
    _backups: Backups

    def __init__(self, parts: Parts) -> None:
        backups = Backups(parts.db, parts.jobs)
        accounts = Accounts(parts.db.layout.run)
        super().__init__(parts, backups, accounts)
        self._replication = Replication(parts.db, accounts.admin, parts.jobs)
        self._freezer = Freezer(parts.db)

    def update_status(self, context: Any = None) -> None:
        """Report the state of the database, and limit the size of the WAL archive."""
        super().update_status(context)
        if self._is_installed() and self._db.state() is engine.State.ANSWERS:
            self._backups.clean_archive(int(self._volume.gb * 1024**3))

    # Its data and its configuration

    def _do_prepare(
        self,
        context: Any,
        memory_mb: int,
        backup_info: Info | None,
        overrides: Overrides | None,
        snapshot: Info | None,
    ) -> None:
        """As do_prepare in postgres/manager.py."""
        self._db.memory_mb = memory_mb
        self._db.configure()
        self._override(engine.USER, dict(overrides or {}))
        self._db.write_access_rules(replication=False)
        if backup_info:
            self._restore(context, backup_info)
            if not snapshot and backup_info.get("storage_driver") != CINDER:
                self._db.layout.recovery_signal.touch(mode=0o600)
        else:
            self._db.initialize()
        if snapshot:
            self.attach_replica(context, snapshot, snapshot["config"])
        self._db.start()

    def _restore(self, context: Any, info: Info) -> None:
        self._db.stop()
        super()._restore(context, info)

    def _do_rebuild(self, overrides: Overrides | None) -> None:
        """As rebuild in postgres/manager.py.

        Everything outside the volume is gone, including primary_conninfo.
        """
        self._db.stop()
        for name in (engine.USER, config.SYSTEM):
            self._db.remove_override(name)
        self._db.configure()
        self._override(engine.USER, dict(overrides or {}))
        self._keep_tls()
        self._db.write_access_rules(self._tls_mode, replication=False)
        self._db.start()

    # Volume snapshots

    def _freeze(self) -> Info:
        return self._freezer.freeze()

    def _thaw(self) -> None:
        self._freezer.thaw()

    def _restore_snapshot(self) -> None:
        """As reset_data_for_restore_snapshot in postgres/service.py."""
        self._db.layout.recovery_signal.unlink(missing_ok=True)

    def apply_overrides(self, context: Any, overrides: Overrides) -> None:
        """Reload the configuration; apply_overrides in postgres/service.py."""
        self._db.reload()

    def _log_definitions(self) -> dict[str, LogDefinition]:
        """As get_datastore_log_defs in postgres/manager.py."""
        file = self._db.layout.root / "general.log"
        enable = {
            "logging_collector": "on",
            "log_destination": "stderr",
            "log_directory": str(file.parent),
            "log_filename": file.name,
            "log_statement": "all",
            "debug_print_plan": "on",
            "log_min_duration_statement": 1000,
        }
        disable = {"logging_collector": "off"}
        return {"general": LogDefinition(file, enable, disable, needs_restart=True)}

    def get_filesystem_stats(self, context: Any, fs_path: str | None) -> Info:
        """Return how full the volume is, and how much of it is WAL."""
        stats = super().get_filesystem_stats(context, fs_path)
        return {**stats, "mgr_extra_info": self._backups.archive_sizes()}

    # A source

    def get_replication_snapshot(
        self, context: Any, snapshot_info: Info, replica_source_config: str = ""
    ) -> Info:
        """Become a source, by a restart, and take the backup of a replica.

        get_replication_snapshot in datastore/manager.py and snapshot_for_replication
        in strategies/replication/postgresql.py.
        """
        self._replication.enable_source(self._tls_mode)
        # The taskmanager takes a volume snapshot itself.
        if snapshot_info.get("storage_driver") != CINDER:
            self._create_backup(context, snapshot_info)
        account = self._replication.account()
        stats = self._volume_stats()
        return {
            "dataset": {
                "datastore_manager": self.manager,
                "dataset_size": stats["used"],
                "volume_size": stats["total"],
                "snapshot_id": snapshot_info["id"],
            },
            "replication_strategy": _STRATEGY,
            "master": self._replication.reference(),
            "replica_conf": {"log_position": {}, "replication_user": account},
            **self._tls_of_source(),
        }

    def get_replica_context(self, context: Any) -> Info:
        """Return how to replicate from here; strategies/replication/postgresql.py."""
        account = self._replication.account()
        return {
            "log_position": {},
            "master": self._replication.reference(),
            "replica_conf": {"replication_user": account},
        }

    def enable_as_master(self, context: Any, replica_source_config: str) -> None:
        """Become a source, by a restart."""
        self._replication.enable_source(self._tls_mode)

    def demote_replication_master(self, context: Any) -> None:
        """Stop being a source; demote_master."""
        self._replication.demote()

    def make_read_only(self, context: Any, read_only: bool) -> None:
        """Do nothing, as make_read_only in postgres/manager.py."""

    def get_latest_txn_id(self, context: Any) -> str:
        """Return where the WAL is."""
        return self._replication.position()

    def cleanup_source_on_replica_detach(
        self, context: Any, replica_info: Info
    ) -> None:
        """Do nothing, as in strategies/replication/postgresql.py."""

    # A replica

    def attach_replica(
        self,
        context: Any,
        replica_info: Info,
        slave_config: str,
        restart: bool = False,
    ) -> None:
        """Become a replica, at once only with *restart*; postgres/manager.py.

        A running server does not change until it is restarted.
        """
        self._faults.hit("attach-replica", self._instance_id)
        self._replication.follow(replica_info)
        self._adopt_tls(replica_info)
        if restart:
            self._restart()

    def detach_replica(self, context: Any, for_failover: bool = False) -> None:
        """Stop being a replica; detach_slave."""
        self._replication.promote()

    def wait_for_txn(self, context: Any, txn: str) -> None:
        """Wait for a position of the source; wait_for_txn in postgres/manager.py."""
        self._faults.hit("promote-candidate", self._instance_id)
        self._replication.wait_for(txn)

    # TLS

    def _tls_files(self) -> dict[str, Path]:
        """As _get_ssl_files in postgres/manager.py."""
        pgdata = self._db.layout.pgdata
        return {
            "private_key": pgdata / "server.key",
            "certificate": pgdata / "server.crt",
            "ca": pgdata / "ca.crt",
        }

    def _tls_is_on(self) -> bool:
        return bool(self._db.sql.value("SHOW ssl") == "on")

    def _apply_tls(self, mode: str | None, *, starting: bool) -> None:
        """As _enable_ssl_certificate_impl and its opposite in postgres/manager.py.

        Both remove the rule for replicas: those that are connected remain so.
        """
        self._db.write_access_rules(mode, replication=False)
        files = {
            "ssl_ca_file": "ca.crt",
            "ssl_cert_file": "server.crt",
            "ssl_key_file": "server.key",
        }
        values = {"ssl": "off"} if mode is None else {"ssl": "on", **files}
        self._db.write_override(engine.USER, values)
        if not starting:
            self._db.reload()

    def _end_tls_change(self) -> bool:
        return False
