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

"""The guest agent of a MariaDB: its data, its configuration, its replication.

Trove's taskmanager calls these in the order that promote_to_replica_source and
eject_replica_source in trove/taskmanager/manager.py have.
"""

# ruff: noqa: ARG002 - Trove's calls carry more than is needed here

import dataclasses
import logging
from pathlib import Path
from typing import Any

import pymysql
from trove.common import exception

from trove_ext.sandbox.guest import engine
from trove_ext.sandbox.guest.agent import GuestAgent, Overrides
from trove_ext.sandbox.guest.agent_backup import CINDER
from trove_ext.sandbox.guest.agent_base import Info, Parts, Statuses
from trove_ext.sandbox.guest.agent_logs import LogDefinition
from trove_ext.sandbox.guest.mariadb import config, tls
from trove_ext.sandbox.guest.mariadb.accounts import Accounts
from trove_ext.sandbox.guest.mariadb.backup import Backups
from trove_ext.sandbox.guest.mariadb.freezer import Freezer
from trove_ext.sandbox.guest.mariadb.replication import Replication, source_of
from trove_ext.sandbox.guest.mariadb.server import MariaDB

_STRATEGY = "MariaDBGTIDReplication"

_LOG = logging.getLogger(__name__)


class MariaDBAgent(GuestAgent):
    """Calls of a guest agent, as mysql_common and mariadb handle them."""

    manager = engine.MARIADB
    _db: MariaDB
    _backups: Backups

    def __init__(self, parts: Parts) -> None:
        backups = Backups(parts.db, parts.jobs)
        super().__init__(parts, backups, Accounts(parts.db))
        self._replication = Replication(parts.db)
        self._freezer = Freezer(parts.db)

    # Its data and its configuration

    def _do_prepare(
        self,
        context: Any,
        memory_mb: int,
        backup_info: Info | None,
        overrides: Overrides | None,
        snapshot: Info | None,
    ) -> None:
        """As do_prepare in mysql_common/manager.py."""
        self._db.stop()
        self._db.memory_mb = memory_mb
        self._db.configure()
        self._override(engine.USER, dict(overrides or {}))
        if backup_info:
            self._restore(context, backup_info)
        else:
            self._db.initialize()
        self._db.start_first(keep_root=bool(backup_info))
        if backup_info and self._accounts.is_root_enabled():
            self._conductor.report_root(context)
        if snapshot:
            self.attach_replica(context, snapshot, snapshot["config"])

    def _do_rebuild(self, overrides: Overrides | None) -> None:
        """As rebuild in mysql_common/manager.py.

        Everything outside the volume is gone, and so are the replication roles:
        trove/taskmanager/models.py RebuildAction gives them back.
        """
        self._db.stop()
        for name in (config.SOURCE, config.REPLICA, engine.USER):
            self._db.remove_override(name)
        self._db.configure()
        self._override(engine.USER, dict(overrides or {}))
        self._keep_tls()
        self._db.start()

    # Volume snapshots

    def _freeze(self) -> Info:
        return self._freezer.freeze()

    def _thaw(self) -> None:
        self._freezer.thaw()

    def _restore_snapshot(self) -> None:
        """As reset_data_for_restore_snapshot in mariadb/service.py.

        The data may be those of a replica, which must not continue to replicate.
        """
        self._db.start_first("--skip-slave-start", keep_root=True)
        try:
            self._replication.disconnect(for_failover=False)
        finally:
            self._db.stop()

    def apply_overrides(self, context: Any, overrides: Overrides) -> None:
        """Set a configuration group's values at once; mysql_common/service.py.

        As there, a value that can't be set is logged and skipped.
        """
        for name, value in overrides.items():
            try:
                self._db.query(f"SET GLOBAL {name} = %s", value)
            except pymysql.MySQLError:
                _LOG.exception("Setting %s of %s", name, self._instance_id)

    def _log_definitions(self) -> dict[str, LogDefinition]:
        """As get_datastore_log_defs in mysql_common/manager.py."""
        layout = self._db.layout
        general, slow = (layout.root / f"{name}.log" for name in ("general", "slow"))
        return {
            "general": LogDefinition(
                general,
                {
                    "general_log_file": str(general),
                    "log_output": "FILE",
                    config.GENERAL_LOG: "ON",
                },
                {config.GENERAL_LOG: "OFF"},
            ),
            "slow_query": LogDefinition(
                slow,
                {
                    "slow_query_log_file": str(slow),
                    "long_query_time": 1,
                    config.SLOW_LOG: "ON",
                },
                {config.SLOW_LOG: "OFF"},
            ),
            "error": LogDefinition(layout.error_log),
        }

    def _set_replication_role(self, name: str, contents: str) -> None:
        values = config.replication_settings(contents)
        # A replica without it would accept writes of its own.
        required = {"read_only": "true"} if name == config.REPLICA else {}
        self._db.write_override(name, {**values, **required})

    # A source

    def get_replication_snapshot(
        self, context: Any, snapshot_info: Info, replica_source_config: str = ""
    ) -> Info:
        """Become a source and take the backup that a replica starts from.

        get_replication_snapshot in trove/guestagent/datastore/manager.py and
        snapshot_for_replication in strategies/replication/mysql_base.py.
        """
        self._become_source(replica_source_config)
        # The taskmanager takes a volume snapshot itself.
        if snapshot_info.get("storage_driver") != CINDER:
            self._create_backup(context, snapshot_info)
        stats = self._volume_stats()
        return {
            "dataset": {
                "datastore_manager": self.manager,
                "dataset_size": stats["used"],
                "volume_size": stats["total"],
                "snapshot_id": snapshot_info["id"],
            },
            "replication_strategy": _STRATEGY,
            "master": self._reference(),
            "replica_conf": {"log_position": {}, "replication_user": self._account()},
            **self._tls_of_source(),
        }

    def get_replica_context(self, context: Any) -> Info:
        """Return how to replicate from here; get_replica_context in mariadb_gtid.py."""
        account = self._account()
        position = {"gtid_pos": self._binlog_position()}
        return {
            "master": self._reference(),
            "replica_conf": {"log_position": position, "replication_user": account},
        }

    def enable_as_master(self, context: Any, replica_source_config: str) -> None:
        """Become a source, by a restart unless it is one; mysql_base.py."""
        self._become_source(replica_source_config)

    def demote_replication_master(self, context: Any) -> None:
        """Stop being a source, by a restart; demote_master in mysql_base.py."""
        self._db.remove_override(config.SOURCE)
        self._restart()

    def make_read_only(self, context: Any, read_only: bool) -> None:
        """Refuse or accept writes until the next restart; mysql_common/service.py."""
        self._db.query(f"SET GLOBAL read_only = {'ON' if read_only else 'OFF'}")

    def get_latest_txn_id(self, context: Any) -> str:
        """Return where the binary log is; get_latest_txn_id in mariadb/service.py."""
        return self._binlog_position()

    def cleanup_source_on_replica_detach(
        self, context: Any, replica_info: Info
    ) -> None:
        """Remove the account of a replica that is gone; mysql_base.py."""
        self._replication.drop_account(replica_info["replication_user"])

    # A replica

    def attach_replica(
        self,
        context: Any,
        replica_info: Info,
        slave_config: str,
        restart: bool = False,
    ) -> None:
        """Become a replica; attach_replica in mysql_common/manager.py.

        As there *restart* changes nothing: it restarts in any case.
        """
        try:
            self._faults.hit("attach-replica", self._instance_id)
            self._check_snapshot(replica_info)
            self._adopt_tls(replica_info)
            self._become_replica(replica_info, slave_config)
        except Exception:
            self._set_status(Statuses.FAILED)
            raise

    def detach_replica(self, context: Any, for_failover: bool = False) -> Info:
        """Stop being a replica, by a restart; detach_slave in mysql_base.py."""
        user = self._replication.disconnect(for_failover=for_failover)
        self._db.remove_override(config.REPLICA)
        self._restart()
        return {"replication_user": user}

    def get_last_txn(self, context: Any) -> list[int | None]:
        """Return the source's server ID and the last transaction of it.

        As a list: _get_replica_txns in trove/taskmanager/manager.py adds it to one.
        """
        return list(self._replication.last_transaction())

    def wait_for_txn(self, context: Any, txn: str) -> None:
        """Wait for a position of the source; wait_for_txn in mariadb/service.py."""
        self._faults.hit("promote-candidate", self._instance_id)
        self._replication.wait_for(txn)

    # TLS

    def _tls_files(self) -> dict[str, Path]:
        return tls.files(self._db)

    def _tls_is_on(self) -> bool:
        return tls.is_on(self._db)

    def _apply_tls(self, mode: str | None, *, starting: bool) -> None:
        self._db.write_override(config.TLS, tls.settings(self._db, mode))
        if mode is not None and not starting:
            tls.require(self._db, mode)

    def _end_tls_change(self) -> bool:
        self._conductor.require_restart()
        return True

    # Helpers

    def _become_source(self, contents: str) -> None:
        if not self._db.has_override(config.SOURCE):
            self._set_replication_role(config.SOURCE, contents)
            self._restart()

    def _become_replica(self, info: Info, contents: str) -> None:
        self._set_replication_role(config.REPLICA, contents)
        self._restart()
        # Only the context of a new replica's backup names a dataset.
        is_new = "dataset" in info
        position = self._backups.restored_position() if is_new else None
        self._replication.connect(source_of(info), position)

    def _check_snapshot(self, info: Info) -> None:
        """Refuse an unsuitable snapshot; _validate_slave_for_replication there."""
        if info.get("replication_strategy", _STRATEGY) != _STRATEGY:
            raise exception.IncompatibleReplicationStrategy(
                guest_strategy=_STRATEGY,
                replication_strategy=info["replication_strategy"],
            )
        total = self._volume_stats()["total"]
        if "dataset" in info and total < info["dataset"]["dataset_size"]:
            raise exception.InsufficientSpaceForReplica(
                slave_volume_size=total, dataset_size=info["dataset"]["dataset_size"]
            )

    def _account(self) -> dict[str, str]:
        return dataclasses.asdict(self._replication.create_account())

    def _reference(self) -> Info:
        """Return where replicas connect to; get_master_ref in mysql_base.py."""
        return {"host": self._db.address, "port": config.PORT}

    def _binlog_position(self) -> str:
        return str(self._db.value("SELECT @@global.gtid_binlog_pos"))
