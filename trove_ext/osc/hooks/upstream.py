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

"""Private parts of cliff, osc-lib, python-troveclient and argparse that are used.

Each function uses one of them, and names it in a warning on stderr if it is missing
(see :func:`trove_ext.trove.upstream.changed`). What the layers below the commands use
is in :mod:`trove_ext.trove.upstream`; the wrap of ``CommandManager.find_command`` is in
:mod:`trove_ext.osc.lazy`, which has to be loaded before.

Every hooked stock command imports this module, so it imports almost nothing.
"""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from trove_ext.trove.upstream import changed

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from cliff.app import App
    from cliff.command import Command

#: What does not work without a method of cliff's command.
_METHODS = {
    "get_parser": "usage errors show control characters unescaped",
    "produce_output": "tables show control characters unescaped",
    "run": "the plugin's options are ignored",
    "take_action": "the plugin's options are ignored",
}


def replace_method(
    command: Command, name: str, replacement: Callable[..., Any]
) -> None:
    """Call a function instead of a method of one command, with the method first.

    cliff calls ``get_parser``, ``run``, ``take_action`` and ``produce_output`` on the
    instance (``cliff/app.py``, ``cliff/command.py``, ``cliff/display.py``), so what is
    set there is called.
    """
    method = getattr(command, name, None)
    if method is None:
        changed("cliff", f"Command.{name}", _METHODS[name])
        return
    setattr(command, name, partial(replacement, method))


def typed_words(app: App) -> list[str]:
    """Return the words of the command line after ``openstack``.

    ``OpenStackShell.command_options`` (``osc_lib/shell.py``, ``run``); the arguments
    are parsed after the log-in, which depends on ``--wait``.
    """
    words = getattr(app, "command_options", None)
    if words is None:
        changed(
            "osc-lib",
            "OpenStackShell.command_options",
            "a log-in before a wait has no time-out, and follow-up commands lack "
            "--os-cloud",
        )
        return []
    return list(words)


def limit_requests(app: App, seconds: float) -> None:
    """Give every request of this process a read time-out, Keystone's included.

    Without one a silent server blocks a command forever. osc-lib makes the session
    after the command, from a configuration that it reads with the global options on top
    (``osc_lib/shell.py``, ``prepare_to_run_command``): ``api_timeout`` among the
    options is found there.
    """
    if not hasattr(app, "options"):
        changed("cliff", "App.options", "requests have no read time-out")
        return
    app.options.api_timeout = seconds


def log_in(app: App, command: Command) -> None:
    """Log in for a command whose class has ``auth_required = False``.

    ``openstack`` logs in before a command runs, and reports a failure in its own way.
    osc-lib's ``prepare_to_run_command`` reads ``auth_required`` of the command that it
    is given, and may be called again (``osc_lib/shell.py``).
    """
    prepare = getattr(app, "prepare_to_run_command", None)
    if prepare is None:
        changed("osc-lib", "OpenStackShell.prepare_to_run_command", "no log-in")
        return
    command.auth_required = True  # type: ignore[attr-defined]
    prepare(command)


def details(stock: Any, resource: Any) -> dict[str, Any]:
    """Format a resource as a stock ``show`` does.

    :param stock: the module of the command, with ``set_attributes_for_print_detail``
        (``troveclient/osc/v1/database_instances.py``, ``database_backups.py``)
    """
    lay_out = getattr(stock, "set_attributes_for_print_detail", None)
    if lay_out is None:
        changed(
            "python-troveclient",
            f"{stock.__name__}.set_attributes_for_print_detail",
            "the result has the fields that Trove sends",
        )
    shown: dict[str, Any] = lay_out(resource) if lay_out else resource.to_dict()
    return shown


def log_handlers() -> list[logging.Handler]:
    """Return the handlers of the root logger, which all log lines pass.

    cliff and osc-lib put theirs there (``cliff/app.py``, ``configure_logging``;
    ``osc_lib/logs.py``).
    """
    handlers = logging.getLogger().handlers
    if not handlers:
        changed(
            "osc-lib",
            "the handlers of the root logger",
            "passwords and tokens are not masked in its log",
        )
    return handlers


class Credential(str):
    """``user:password`` that splits at its first colon only.

    The stock command uses ``text.split(":")[:2]``, which truncates a password at its
    first colon (``troveclient/osc/v1/database_instances.py``).
    """

    __slots__ = ()

    def split(self, sep: str | None = None, _maxsplit: int = -1) -> list[str]:  # type: ignore[override]
        """Return user and password."""
        user, _, password = self.partition(sep or ":")
        return [user, password]

    def __repr__(self) -> str:
        return repr(f"{self.partition(':')[0]}:***")


class _Value(str):
    """A word after ``--``, which argparse must not treat as an option.

    argparse checks its first character, and compares it with ``--``
    (``ArgumentParser._parse_optional``, ``_parse_known_args``).
    """

    __slots__ = ()

    def __getitem__(self, index: Any) -> str:
        return "x" if index == 0 else super().__getitem__(index)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return super().__hash__()


def take_options_anywhere(parser: argparse.ArgumentParser) -> None:
    """Accept options between two positional arguments, and any word after ``--``.

    ``parse_intermixed_args`` parses twice and loses the ``--``.
    """

    def parse_args(args: Any = None, namespace: Any = None) -> argparse.Namespace:
        words = list(sys.argv[1:] if args is None else args)
        if "--" in words:
            end = words.index("--")
            words[end:] = map(_Value, words[end + 1 :])
        parsed: argparse.Namespace = parser.parse_intermixed_args(words, namespace)
        for name, value in vars(parsed).items():
            if isinstance(value, _Value):
                setattr(parsed, name, str(value))
        return parsed

    parser.parse_args = parse_args  # type: ignore[method-assign, assignment]
