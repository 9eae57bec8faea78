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

"""The commands, each loaded when it is run and not before.

cliff loads every entry point of every command group whenever ``openstack`` runs,
whatever the command (``cliff/commandmanager.py``, ``load_commands``). So ours name
this module, which imports next to nothing: ``trove_ext.osc.lazy:WaitDatabaseBackup``
stands in for the class of that name, imported when cliff makes the command.
"""

from __future__ import annotations

import importlib
from typing import Any

#: The module in ``trove_ext.osc.v1`` of each command class.
MODULES = {
    "DeleteDatabaseBackupChain": "database_backup_chain",
    "ListDatabaseBackupChain": "database_backup_chain",
    "ShowDatabaseBackupChain": "database_backup_chain",
    "CheckDatabaseBackup": "database_backup_check",
    "PruneDatabaseBackup": "database_backup_prune",
    "RestoreDatabaseBackup": "database_backup_restore",
    "RotateDatabaseBackup": "database_backup_rotate",
    "VerifyDatabaseBackup": "database_backup_verify",
    "DetachDatabaseReplica": "database_replica",
    "ListDatabaseReplica": "database_replica",
    "ShowDatabaseReplica": "database_replica",
    "CreateDatabaseReplica": "database_replica_create",
    "FailoverDatabaseReplica": "database_replica_switch",
    "PromoteDatabaseReplica": "database_replica_switch",
    "WaitDatabaseBackup": "database_wait",
    "WaitDatabaseInstance": "database_wait",
}


def load(name: str) -> Any:
    """Import a command class.

    :raises KeyError: there is no command class of this name
    """
    module = importlib.import_module(f"trove_ext.osc.v1.{MODULES[name]}")
    return getattr(module, name)


def __getattr__(name: str) -> type:
    """Return the stand-in of a command class, until cliff makes a command of it."""
    if name not in MODULES:
        raise AttributeError(name)

    class LazyCommand:
        def __new__(cls, app: Any, app_args: Any, cmd_name: str | None = None) -> Any:
            return load(name)(app, app_args, cmd_name)

        # cliff reads the names of the parameters here.
        def __init__(
            self, app: Any, app_args: Any, cmd_name: str | None = None
        ) -> None: ...

    LazyCommand.__name__ = LazyCommand.__qualname__ = name
    return LazyCommand
