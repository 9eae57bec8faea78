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

"""Shortcuts for a process that runs `openstack` many thousand times.

They shorten what every run does alike: it reads entry points, looks for proxies, copies
plain JSON and parses dates. What a command does stays the same. Only for the pools of
the sweep and the fuzz: the tests themselves run everything.
"""

import copy
import functools
import logging
import marshal
from collections.abc import Mapping
from typing import Any

import iso8601
from cliff.commandmanager import CommandManager
from requests import sessions

_load_commands = CommandManager.load_commands
_loaded: dict[tuple[object, ...], dict[str, Any]] = {}
_deepcopy = copy.deepcopy


def take() -> None:
    """Take all shortcuts in this process, until its end."""
    places: Mapping[str, tuple[object, Any]] = {
        "load_commands": (CommandManager, _load_commands_once),
        # The environment of a run has no proxies; this reads all of it each time.
        "get_environ_proxies": (sessions, _no_proxies),
        # Called for each level that is set, over all loggers; few of them ever logged.
        "_clear_cache": (logging.Manager, _clear_used_caches),
        # The clients copy the catalog and each resource, which are plain JSON.
        "deepcopy": (copy, _copy),
        "parse_date": (iso8601, functools.lru_cache(iso8601.parse_date)),
    }
    for name, (place, shortcut) in places.items():
        setattr(place, name, shortcut)


def _load_commands_once(self: CommandManager, namespace: str) -> None:
    """Read the entry points of a namespace in the first run only."""
    key = namespace, self.convert_underscores, tuple(self.ignored_modules)
    if key not in _loaded:
        earlier = self.commands
        self.commands = {}
        _load_commands(self, namespace)
        _loaded[key] = self.commands
        self.commands = earlier
    else:
        self.group_list.append(namespace)
    self.commands.update(_loaded[key])


def _no_proxies(_url: str, no_proxy: str | None = None) -> dict[str, str]:
    return {}


def _clear_used_caches(self: logging.Manager) -> None:
    for item in [self.root, *self.loggerDict.values()]:
        cache = getattr(item, "_cache", None)
        if cache:
            cache.clear()


def _copy(value: Any, memo: dict[int, Any] | None = None) -> Any:
    if memo is None and type(value) in (dict, list):
        try:
            return marshal.loads(marshal.dumps(value))
        except ValueError:
            pass
    return _deepcopy(value, memo)
