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

"""Stand-ins of the command classes, and the full names of abbreviated commands.

cliff loads every entry point of every command group whenever ``openstack`` runs,
whatever the command (``cliff/commandmanager.py``, ``load_commands``). So ours name
this module, which imports almost nothing: ``trove_ext.osc.lazy:WaitDatabaseBackup``
stands in for the class of that name, imported when cliff makes the command.

cliff accepts ``database backup del`` for ``database backup delete``, but looks hooks
up by the words as typed (``cliff/command.py``, ``Command._load_hooks``), and so ran the
stock command without them. This module is loaded before cliff looks for the command,
and wraps ``CommandManager.find_command``: for ``database`` commands it returns the full
name.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from cliff import commandmanager

#: The module in ``trove_ext.osc.v1`` of each command class.
MODULES = {
    "DeleteDatabaseBackupChain": "database_backup_chain",
    "ListDatabaseBackupChain": "database_backup_chain",
    "ShowDatabaseBackupChain": "database_backup_chain",
    "CheckDatabaseBackup": "database_backup_check",
    "ShowDatabaseBackupPolicy": "database_backup_policy",
    "PruneDatabaseBackup": "database_backup_prune",
    "RegisterDatabaseBackup": "database_backup_register",
    "RestoreDatabaseBackup": "database_backup_restore",
    "RotateDatabaseBackup": "database_backup_rotate",
    "VerifyDatabaseBackup": "database_backup_verify",
    "DetachDatabaseReplica": "database_replica",
    "ListDatabaseReplica": "database_replica",
    "ShowDatabaseReplica": "database_replica",
    "CreateDatabaseReplica": "database_replica_create",
    "ReplaceDatabaseReplica": "database_replica_replace",
    "RestartDatabaseReplica": "database_replica_restart",
    "FailoverDatabaseReplica": "database_replica_switch",
    "PromoteDatabaseReplica": "database_replica_promote",
    "CloneDatabaseInstance": "database_instance_clone",
    "StatusDatabaseInstance": "database_instance_status",
    "WaitDatabaseBackup": "database_wait",
    "WaitDatabaseInstance": "database_wait",
}


#: The first word of the commands whose abbreviations are completed.
NOUN = "database"


def load(name: str) -> Any:
    """Import a command class.

    :raises KeyError: there is no command class of this name
    """
    module = importlib.import_module(f"trove_ext.osc.v1.{MODULES[name]}")
    return getattr(module, name)


def __getattr__(name: str) -> type:
    """Return the stand-in of a command class, which becomes it once cliff calls it."""
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


def full_name(name: str, commands: Any) -> str:
    """Return the full name of an abbreviated ``database`` command, as cliff finds it.

    :param name: the words of the command as typed
    :param commands: the full names of all commands
    :returns: the name itself if it is no abbreviation of exactly one command
    """
    if name in commands:
        return name
    words = name.split()
    fits = [full for full in commands if _abbreviates(words, full.split())]
    return fits[0] if len(fits) == 1 and fits[0].split()[0] == NOUN else name


def _abbreviates(words: list[str], full: list[str]) -> bool:
    return len(words) == len(full) and all(map(str.startswith, full, words))


def _wrap_find_command() -> None:
    find = getattr(commandmanager.CommandManager, "find_command", None)
    if find is None:
        if any(word and NOUN.startswith(word) for word in sys.argv[1:]):
            _warn()
        return
    if find.__module__ == __name__:
        return

    def find_command(self: Any, argv: list[str]) -> Any:
        found = find(self, argv)
        if not argv or not NOUN.startswith(argv[0]):
            return found
        try:
            factory, name, rest = found
            return factory, full_name(name, self.commands), rest
        except (AttributeError, TypeError, ValueError):
            _warn()
            return found

    commandmanager.CommandManager.find_command = (  # type: ignore[method-assign]
        find_command
    )


def _warn() -> None:
    from trove_ext.trove.upstream import changed

    changed(
        "cliff",
        "CommandManager.find_command",
        "type database commands in full, an abbreviated one runs without this plugin",
    )


_wrap_find_command()
