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

"""The bases of all commands of this package."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from osc_lib.command import command

from trove_ext.osc.base import columns, run, session
from trove_ext.osc.base.examples import paragraph
from trove_ext.osc.base.help import keep_paragraphs
from trove_ext.osc.base.options import (
    escape_errors,
    guard_parsing,
    keep_dashes,
    refuse_undecodable,
)
from trove_ext.osc.hooks import upstream

if TYPE_CHECKING:
    import argparse

    from trove_ext.exceptions import TroveExtError
    from trove_ext.trove.client import Cloud


class Guarded(command.Command):
    """A command with readable errors and defined exit codes.

    :cvar options_anywhere: options may stand between two arguments of which the first
        can be left out
    """

    options_anywhere: ClassVar[bool] = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._run = run.Run(self.app)
        session.limit_requests(self.app)

    @property
    def cloud(self) -> Cloud:
        """The cloud that the user has logged in to.

        :raises ServiceError: it has no databases
        """
        return self._run.cloud

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Make the parser of the command.

        Its messages can't control the terminal, and its help has paragraphs and, at the
        end, an example.
        """
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        if self.options_anywhere:
            upstream.take_options_anywhere(parser)
        escape_errors(parser)
        guard_parsing(parser, self.app)
        keep_dashes(parser)
        refuse_undecodable(parser)
        examples = paragraph(prog_name)
        parser.epilog = "\n\n".join(filter(None, (examples, parser.epilog)))
        keep_paragraphs(parser)
        self.add_options(parser)
        return parser

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments of the command."""

    def fail(self, error: TroveExtError | None) -> None:
        """End the command with this error after its result was printed."""
        self._run.fail(error)

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run the command; see :class:`trove_ext.osc.base.run.Run`."""
        return self._run.execute(
            partial(super().run, parsed_args),
            timeout=getattr(parsed_args, "timeout", 0.0),
            engine=getattr(parsed_args, "engine", None),
        )


class Command(Guarded):
    """A command without a result of its own."""


class Lister(Guarded, command.Lister):
    """A command whose result is a table."""

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Any, data: Any
    ) -> int:
        """Pass numbers to CSV as numbers, and a missing value as an empty one.

        cliff converts every column that can be formatted to text
        (``cliff/formatters/commaseparated.py``).
        """
        if parsed_args.formatter == "csv":
            data = [[columns.plain(cell) for cell in row] for row in data]
        return int(super().produce_output(parsed_args, column_names, data))


class ShowOne(Guarded, command.ShowOne):
    """A command whose result is one resource."""
