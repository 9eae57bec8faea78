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

"""The additions to stock commands: one hook, and a table of the commands.

Every hooked stock command imports this module, so it imports almost nothing: a handler
is loaded when its command runs.

Order in cliff (``cliff/command.py``): the hook is created with the command, its
``get_parser`` runs *before* the stock options are added, ``before`` at the start of
``run``. ``after`` is not called if the action raised; so the command's ``run`` is
wrapped instead, which covers every way out.
"""

from __future__ import annotations

import importlib
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from cliff import hooks

from trove_ext.osc.base.options import (
    add_backup_first_options,
    add_wait_options,
    escape_errors,
    guard_parsing,
    keep_dashes,
    refuse_undecodable,
)
from trove_ext.osc.hooks import upstream

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from cliff.command import Command


def _add_instance(parser: argparse.ArgumentParser) -> None:
    """Add the guide's form, with options in any place."""
    parser.add_argument(
        "instance_positional",
        metavar="<instance>",
        nargs="?",
        help="Instance to back up (name or ID); the same as --instance",
    )
    upstream.take_options_anywhere(parser)


def _add_yes(parser: argparse.ArgumentParser) -> None:
    """Add the option that answers the prompt."""
    parser.add_argument(
        "-y",
        "--yes",
        action="store_true",
        help="Do not prompt, even if dependent backups are deleted too",
    )


def _add_credentials_file(parser: argparse.ArgumentParser) -> None:
    """Add the safe way to give passwords."""
    parser.add_argument(
        "--credentials-file",
        metavar="<file>",
        help="File with a line user:password for each user to create, or - for "
        "standard input; other users of this machine can't see it, as they can --users",
    )
    keep_dashes(parser, "credentials_file")


class Added(NamedTuple):
    """The additions to one stock command.

    :ivar handler: module and class in ``trove_ext.osc.hooks``
    :ivar done: what ``--wait`` waits for, as a clause; no ``--wait`` if it is empty
    :ivar options: adds the other options
    :ivar epilog: the text about the plugin in the help
    """

    handler: str
    done: str = ""
    options: Callable[[argparse.ArgumentParser], None] | None = None
    epilog: str = "--wait and --timeout are provided by the trove-ext plugin."


BACKUP_FIRST = (
    "--backup-first, --backup-name, --wait and --timeout are provided by the trove-ext "
    "plugin. Without --wait the command ends once Trove has accepted the request."
)
COMMANDS = {
    "database backup create": Added(
        "backup:BackupCreate",
        "the backup is COMPLETED",
        _add_instance,
        "<instance> before the name, --parent by name, --wait and --timeout are "
        "provided by the trove-ext plugin.",
    ),
    "database backup delete": Added(
        "backup:BackupDelete",
        "each backup and all its dependent backups are gone",
        _add_yes,
        "--yes, --wait and --timeout are provided by the trove-ext plugin.",
    ),
    "database backup list": Added(
        "backup:BackupList",
        epilog="The trove-ext plugin applies --instance to every page of the list, and "
        "finds an instance by name on any page.",
    ),
    "database instance create": Added(
        "instance:InstanceCreate",
        "the instance (with --replica-count each of them) is ACTIVE and HEALTHY",
        _add_credentials_file,
        "--wait, --timeout and --credentials-file are provided by the trove-ext "
        "plugin. With --replica-of, the flavor, size, volume type and datastore that "
        "older guides give are dropped if they match the source.",
    ),
    "database instance delete": Added(
        "instance:InstanceDelete",
        "each instance is gone",
        partial(add_backup_first_options, action="delete", of="each instance"),
        BACKUP_FIRST,
    ),
    "database instance detach": Added(
        "instance_switch:InstanceDetach",
        "the instance is no longer a replica, and is ACTIVE and HEALTHY",
    ),
    "database instance eject": Added(
        "instance_switch:InstanceEject",
        "every other member of the replica set has its new role and is ACTIVE and "
        "HEALTHY",
    ),
    "database instance promote": Added(
        "instance_switch:InstancePromote",
        "the roles have changed and every member of the replica set is ACTIVE and "
        "HEALTHY",
    ),
    "database instance reboot": Added(
        "instance_action:InstanceReboot", "the instance is ACTIVE and HEALTHY again"
    ),
    "database instance rebuild": Added(
        "instance_action:InstanceRebuild",
        "the instance is ACTIVE and HEALTHY again",
        partial(add_backup_first_options, action="rebuild"),
        BACKUP_FIRST,
    ),
    "database instance resize flavor": Added(
        "instance_action:InstanceResizeFlavor",
        "the instance has the new flavor and is ACTIVE and HEALTHY",
        partial(add_backup_first_options, action="resize"),
        BACKUP_FIRST,
    ),
    "database instance resize volume": Added(
        "instance_action:InstanceResizeVolume",
        "every member of the replica set has the new size and is ACTIVE and HEALTHY",
        partial(add_backup_first_options, action="resize"),
        BACKUP_FIRST,
    ),
    "database instance restart": Added(
        "instance_action:InstanceRestart", "the instance is ACTIVE and HEALTHY again"
    ),
    "database instance upgrade": Added(
        "instance_action:InstanceUpgrade",
        "the instance is ACTIVE and HEALTHY again without a new fault",
        partial(add_backup_first_options, action="upgrade"),
        BACKUP_FIRST,
    ),
}


def _waits(command: Command) -> bool:
    """Whether an option that waits, or an abbreviation of it, is on the command line.

    ``--backup-`` and what is shorter is ambiguous, but argparse says that later.
    """
    words = upstream.typed_words(command.app)
    return any(
        option.startswith(word) and word.startswith(shortest)
        for option, shortest in (("--wait", "--w"), ("--backup-first", "--b"))
        for word in words
    )


class Hook(hooks.CommandHook):
    """The hook of all stock commands: adds options, and passes runs to a handler."""

    def __init__(self, command: Command) -> None:
        """Attach to one command.

        :raises KeyError: nothing is added to the command; cliff reports it
        """
        super().__init__(command)
        self.added = COMMANDS[str(command.cmd_name)]
        self.handler: Any = None
        if _waits(command):
            # The log-in is done before the arguments are parsed.
            from trove_ext.trove.limits import REQUEST_TIMEOUT

            upstream.limit_requests(command.app, REQUEST_TIMEOUT)
        upstream.replace_method(command, "get_parser", self._make_parser)
        upstream.replace_method(command, "run", self._run)

    def get_parser(self, parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
        """Add the options of the plugin."""
        if self.added.options is not None:
            self.added.options(parser)
        if self.added.done:
            add_wait_options(parser, self.added.done)
        return parser

    def get_epilog(self) -> str:
        """Return the text about the plugin in the help; cliff 4.9.0 accepts no None."""
        return self.added.epilog

    def before(self, parsed_args: argparse.Namespace) -> argparse.Namespace:
        """Find names on any page; with an option of the plugin replace the action."""
        self._handler().before(parsed_args)
        return parsed_args

    def after(self, parsed_args: argparse.Namespace, return_code: int) -> int:
        """Return the result unchanged."""
        del parsed_args
        return return_code

    def _make_parser(
        self, stock: Callable[[str], argparse.ArgumentParser], prog_name: str
    ) -> argparse.ArgumentParser:
        parser = stock(prog_name)
        escape_errors(parser)
        if _waits(self.cmd):
            guard_parsing(parser, self.cmd.app)
            keep_dashes(parser)
            refuse_undecodable(parser)
        return parser

    def _run(
        self,
        stock: Callable[[argparse.Namespace], int],
        parsed_args: argparse.Namespace,
    ) -> int:
        return int(self._handler().run(stock, parsed_args))

    def _handler(self) -> Any:
        if self.handler is None:
            module, _, name = self.added.handler.partition(":")
            found = importlib.import_module(f"trove_ext.osc.hooks.{module}")
            self.handler = getattr(found, name)(self.cmd)
        return self.handler
