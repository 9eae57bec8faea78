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
this module, which imports next to nothing and stands outside of the package, so that
``trove_ext`` itself isn't imported either: ``trove_ext_commands:database_wait.
WaitDatabaseBackup`` is the class ``WaitDatabaseBackup`` of
``trove_ext.osc.v1.database_wait``, imported when cliff makes the command.
"""

from __future__ import annotations

import importlib
from typing import Any


def _class(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"trove_ext.osc.v1.{module}"), name)


def _command(module: str, name: str) -> type:
    """Stand in for a command class until cliff calls it."""

    class LazyCommand:
        def __new__(cls, app: Any, app_args: Any, cmd_name: str | None = None) -> Any:
            return _class(module, name)(app, app_args, cmd_name)

        # cliff reads the names of the parameters here.
        def __init__(
            self, app: Any, app_args: Any, cmd_name: str | None = None
        ) -> None: ...

    LazyCommand.__name__ = LazyCommand.__qualname__ = name
    return LazyCommand


class _Module:
    """Stands for a module of ``trove_ext.osc.v1``."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> type:
        if name.startswith("_"):
            raise AttributeError(name)
        return _command(self._name, name)


def __getattr__(name: str) -> _Module:
    if name.startswith("_"):
        raise AttributeError(name)
    return _Module(name)
