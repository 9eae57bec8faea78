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

"""The guest agent of one instance: what Trove's taskmanager and API call by RPC.

trove/guestagent/api.py has the calls; the originals are Manager in
trove/guestagent/datastore/manager.py and MySqlManager in
trove/guestagent/datastore/mysql_common/manager.py. A call that the sandbox
can't support (modules) is refused as the originals refuse what a datastore lacks.
"""

# ruff: noqa: ARG002 - Trove's calls carry more than is needed here

import abc
import logging
from collections.abc import Mapping
from typing import Any

import oslo_messaging as messaging
from trove.guestagent import api as guest_api
from trove.guestagent.common import guestagent_utils

from trove_ext.sandbox.guest.agent_backup import BackupAgent
from trove_ext.sandbox.guest.agent_base import Info
from trove_ext.sandbox.guest.agent_logs import LogAgent
from trove_ext.sandbox.guest.agent_tls import TlsAgent
from trove_ext.sandbox.guest.agent_users import Items, UserAgent
from trove_ext.sandbox.guest.engine import USER

_LOG = logging.getLogger(__name__)

Overrides = Mapping[str, Any]


class GuestAgent(BackupAgent, LogAgent, UserAgent, TlsAgent):
    """The calls of a guest agent; the class of an engine adds its own."""

    target = messaging.Target(version=guest_api.API.API_LATEST_VERSION)

    # The agent itself

    def rpc_ping(self, context: Any) -> bool:
        """Respond that the agent is running."""
        return True

    def update_status(self, context: Any = None) -> None:
        """Report the state of the database, once it exists."""
        if self._is_installed():
            self._set_status(self._status())

    # Creating an instance

    def prepare(  # noqa: PLR0917 - the order is Trove's
        self,
        context: Any,
        packages: list[str],
        databases: Items | None,
        memory_mb: int,
        users: Items | None,
        device_path: str | None = None,
        mount_point: str | None = None,
        backup_info: Info | None = None,
        config_contents: str | None = None,
        root_password: str | None = None,
        overrides: Overrides | None = None,
        cluster_config: Info | None = None,
        snapshot: Info | None = None,
        modules: Items | None = None,
        ds_version: str | None = None,
    ) -> None:
        """Create the database; prepare and _prepare in datastore/manager.py.

        *config_contents* is not used: see config.settings.
        """
        with self._conductor.notification(context, instance_id=self._instance_id):
            self._begin_install()
            try:
                self._do_prepare(context, memory_mb, backup_info, overrides, snapshot)
            except Exception:
                self._fail_install()
                raise
            self._end_install(ds_version)
            self._create_first(databases, users)
            # A restored root stays as it is.
            if root_password and not backup_info:
                self._accounts.enable_root(root_password)

    @abc.abstractmethod
    def _do_prepare(
        self,
        context: Any,
        memory_mb: int,
        backup_info: Info | None,
        overrides: Overrides | None,
        snapshot: Info | None,
    ) -> None:
        """Create or restore the data, and start; do_prepare of each manager."""

    def _create_first(self, databases: Items | None, users: Items | None) -> None:
        # A failure here is only logged; users are created even
        # if databases fail, as in the original.
        try:
            self._accounts.create_databases(databases or [])
        except Exception:  # noqa: BLE001 - as in the original
            _LOG.exception("Creating the databases of %s", self._instance_id)
        try:
            self._accounts.create_users(users or [])
        except Exception:  # noqa: BLE001 - as in the original
            _LOG.exception("Creating the users of %s", self._instance_id)

    # Starting and stopping

    def restart(self, context: Any) -> None:
        """Restart the database."""
        self._restart()

    def stop_db(self, context: Any, do_not_start_on_reboot: bool = False) -> None:
        """Stop the database."""
        self._db.stop()

    def start_db_with_conf_changes(
        self, context: Any, config_contents: str, ds_version: str
    ) -> None:
        """Start the database with the memory of another flavor.

        As in trove/guestagent/datastore/service.py; the host knows the memory.
        """
        self._db.stop()
        self._db.configure()
        self._restart()

    def pre_upgrade(self, context: Any) -> Info:
        """Prepare for an upgrade; nothing, as in the original."""
        return {}

    def upgrade(self, context: Any, upgrade_info: Info) -> None:
        """Run another version, by a restart: upgrade in mysql_common/service.py.

        The engine stays the one that this machine has. Raises TroveError for
        another major version.
        """
        version = upgrade_info["datastore_version"]
        installed = self._db.layout.prepared.read_text()
        guestagent_utils.prevent_major_version_upgrade(installed, version)
        self._restart()
        self._db.layout.prepared.write_text(version)

    def post_upgrade(self, context: Any, upgrade_info: Info) -> None:
        """Recover after an upgrade; nothing, as in the original."""

    def rebuild(
        self,
        context: Any,
        ds_version: str,
        config_contents: str | None = None,
        config_overrides: Overrides | None = None,
    ) -> None:
        """Start on the kept volume after a new image; rebuild of each manager."""
        self._begin_install()
        try:
            self._do_rebuild(config_overrides)
        except Exception:
            self._fail_install()
            raise
        self._end_install(ds_version)

    @abc.abstractmethod
    def _do_rebuild(self, overrides: Overrides | None) -> None:
        """Write the configuration again and start on the existing data."""

    # Configuration

    def reset_configuration(self, context: Any, configuration: Info) -> None:
        """Write the base configuration anew, from the next start on."""
        self._db.configure()

    def update_overrides(
        self, context: Any, overrides: Overrides, remove: bool = False
    ) -> None:
        """Write or remove a configuration group's values."""
        if remove:
            self._db.remove_override(USER)
        self._override(USER, dict(overrides or {}))

    # Replication

    def backup_required_for_replication(self, context: Any) -> bool:
        """Say that a replica starts from a backup; strategies/replication/base.py."""
        return True

    @abc.abstractmethod
    def attach_replica(
        self,
        context: Any,
        replica_info: Info,
        slave_config: str,
        restart: bool = False,
    ) -> None:
        """Become a replica."""

    def attach_replication_slave(
        self, context: Any, snapshot: Info, slave_config: str
    ) -> None:
        """Become a replica; an older name of the call."""
        self.attach_replica(context, snapshot, slave_config)

    def get_txn_count(self, context: Any) -> int:
        """Refuse, as trove/guestagent/datastore/manager.py does."""
        raise self._unsupported("get_txn_count")

    # The volume, a directory here

    def get_filesystem_stats(self, context: Any, fs_path: str | None) -> Info:
        """Return how full the volume is."""
        return {**self._volume_stats(), "mgr_extra_info": {}}

    def mount_volume(
        self,
        context: Any,
        device_path: str | None = None,
        mount_point: str | None = None,
    ) -> None:
        """Mount the volume: it always is."""

    def unmount_volume(
        self,
        context: Any,
        device_path: str | None = None,
        mount_point: str | None = None,
    ) -> None:
        """Unmount the volume: it may stay mounted."""

    def resize_fs(
        self,
        context: Any,
        device_path: str | None = None,
        mount_point: str | None = None,
        online: bool = False,
    ) -> None:
        """Grow the file system: its size is what Cinder's stand-in gave the host."""

    # Other calls

    def module_list(self, context: Any, include_contents: bool = False) -> list[Info]:
        """List the modules: there are none."""
        return []

    def module_apply(self, context: Any, modules: Items | None = None) -> list[Info]:
        """Refuse to run a user's module on this machine."""
        raise self._unsupported("module_apply")

    def module_remove(self, context: Any, module: Info | None = None) -> None:
        """Refuse to remove what was never applied."""
        raise self._unsupported("module_remove")
