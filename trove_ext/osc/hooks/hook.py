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

"""What is added to the stock commands: options here, everything else elsewhere.

This module is imported by every stock command that it hooks, so it imports next to
nothing: the work is in :mod:`trove_ext.osc.hooks.handlers`, loaded once a command runs.

Order in cliff (``cliff/command.py``): the hook is made with the command, its
``get_parser`` runs *before* the stock options are added, ``before`` at the start of
``run``. ``after`` is not called where the action raised; so the command's ``run`` is
wrapped instead, which covers every way out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from cliff import hooks

from trove_ext.osc.base.options import (
    add_wait_options,
    escape_errors,
    guard_parsing,
)
from trove_ext.osc.hooks import upstream

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from cliff.command import Command


def _waits(command: Command) -> bool:
    """Tell whether ``--wait``, or an abbreviation of it, is on the command line."""
    words = upstream.typed_words(command.app)
    return any("--wait".startswith(word) and word.startswith("--w") for word in words)


class Hook(hooks.CommandHook):
    """The base of all hooks: hands everything on to the handlers."""

    done: ClassVar[str]

    def __init__(self, command: Command) -> None:
        super().__init__(command)
        self.stock: Any = None
        if _waits(command):
            # The log-in comes before the arguments are parsed.
            from trove_ext.trove.limits import REQUEST_TIMEOUT

            upstream.limit_requests(command.app, REQUEST_TIMEOUT)
        upstream.replace_method(command, "get_parser", self._make_parser)
        upstream.replace_method(command, "run", self._run)

    def get_parser(self, parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
        """Add what every hooked command gets."""
        add_wait_options(parser, self.done)
        return parser

    def get_epilog(self) -> str:
        """Say in the help whose options these are."""
        return "--wait and --timeout are provided by the trove-ext plugin."

    def before(self, parsed_args: argparse.Namespace) -> argparse.Namespace:
        """Find names on any page; with one of our options take the action over."""
        self._stock().before(parsed_args)
        return parsed_args

    def after(self, parsed_args: argparse.Namespace, return_code: int) -> int:
        """Leave the result as it is."""
        del parsed_args
        return return_code

    def _make_parser(
        self, stock: Callable[[str], argparse.ArgumentParser], prog_name: str
    ) -> argparse.ArgumentParser:
        parser = stock(prog_name)
        escape_errors(parser)
        if _waits(self.cmd):
            guard_parsing(parser, self.cmd.app)
        return parser

    def _run(
        self,
        stock: Callable[[argparse.Namespace], int],
        parsed_args: argparse.Namespace,
    ) -> int:
        return int(self._stock().run(stock, parsed_args))

    def _stock(self) -> Any:
        if self.stock is None:
            from trove_ext.osc.hooks import handlers

            self.stock = handlers.handler(self.cmd, type(self).__name__)
        return self.stock


class BackupCreate(Hook):
    """``database backup create``."""

    done = "the backup is COMPLETED"

    def get_parser(self, parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
        """Add the guide's form, with options in any place."""
        parser.add_argument(
            "instance_positional",
            metavar="<instance>",
            nargs="?",
            help="Instance to back up (name or ID); the same as --instance",
        )
        upstream.take_options_anywhere(parser)
        return super().get_parser(parser)

    def get_epilog(self) -> str:
        """Say in the help whose options these are."""
        return (
            "<instance> before the name, --parent by name, --wait and --timeout are "
            "provided by the trove-ext plugin."
        )


class BackupDelete(Hook):
    """``database backup delete``."""

    done = "each backup and all that hang on it are gone"

    def get_parser(self, parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
        """Add the answer to the question that is asked at a terminal."""
        parser.add_argument(
            "-y",
            "--yes",
            action="store_true",
            help="Do not ask where more is deleted than was named",
        )
        return super().get_parser(parser)

    def get_epilog(self) -> str:
        """Say in the help whose options these are."""
        return "--yes, --wait and --timeout are provided by the trove-ext plugin."


class BackupList(Hook):
    """``database backup list``: no option, the instance filter on every page."""

    def get_parser(self, parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
        """Add nothing."""
        return parser

    def get_epilog(self) -> str:
        """Say in the help what differs."""
        return (
            "The trove-ext plugin applies --instance to every page of the list, and "
            "finds an instance by name on any page."
        )


class InstanceCreate(Hook):
    """``database instance create``."""

    done = "the instance (with --replica-count each of them) is ACTIVE and HEALTHY"

    def get_parser(self, parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
        """Add the safe way to give passwords."""
        parser.add_argument(
            "--credentials-file",
            metavar="<file>",
            help="File with a line user:password for each user to create (- for "
            "standard input): arguments are visible to every user of this machine",
        )
        return super().get_parser(parser)

    def get_epilog(self) -> str:
        """Say in the help whose options these are."""
        return (
            "--wait, --timeout and --credentials-file are provided by the trove-ext "
            "plugin. With --replica-of the flavor, size, volume type and datastore "
            "that older guides give are dropped where they agree with the source."
        )


class InstanceDelete(Hook):
    """``database instance delete``."""

    done = "each instance is gone"


class InstancePromote(Hook):
    """``database instance promote``."""

    done = "the roles have changed and every member of the set is ACTIVE and HEALTHY"


class InstanceEject(Hook):
    """``database instance eject``."""

    done = "every other member of the set has its new role and is ACTIVE and HEALTHY"


class InstanceDetach(Hook):
    """``database instance detach``."""

    done = "the instance is no replica any more, ACTIVE and HEALTHY"


class InstanceRestart(Hook):
    """``database instance restart``."""

    done = "the instance is ACTIVE and HEALTHY again"


class InstanceReboot(Hook):
    """``database instance reboot``."""

    done = "the instance is ACTIVE and HEALTHY again"


class InstanceRebuild(Hook):
    """``database instance rebuild``."""

    done = "the instance is ACTIVE and HEALTHY again"


class InstanceUpgrade(Hook):
    """``database instance upgrade``."""

    done = "the instance is ACTIVE and HEALTHY again without a new fault"


class InstanceResizeFlavor(Hook):
    """``database instance resize flavor``."""

    done = "the instance has the new flavor and is ACTIVE and HEALTHY"


class InstanceResizeVolume(Hook):
    """``database instance resize volume``."""

    done = "every member of the set has the new size and is ACTIVE and HEALTHY"
