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

"""A command as a monitoring plugin: whatever happens, one status line and a state.

The plugin API has UNKNOWN (3) for what hinders the check itself: a log-in that fails, a
service that is down, a time-out, a signal. What fails before the command runs can't be
reported that way: ``openstack`` exits with 2 if it can't parse its arguments, and with
1 for a cloud that clouds.yaml does not have.
"""

from __future__ import annotations

import abc
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from trove_ext.exceptions import TroveExtError
from trove_ext.osc.base import command, masking, run
from trove_ext.osc.base.escape import escape
from trove_ext.osc.base.nagios import Report, State, render

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from cliff.app import App

#: Seconds: Nagios and Icinga end a plugin after 60 by default.
PLUGIN_TIMEOUT = 50.0


class Lister(command.Lister):
    """A command that is a monitoring plugin too, if --nagios is given.

    Its parser has --nagios, and --timeout with the default None.
    """

    #: The first word of the status line.
    service: ClassVar[str]
    #: It logs in by itself, so --nagios can report a failed log-in.
    auth_required = False

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run it as a command, or with --nagios as a plugin."""
        if parsed_args.timeout is None:
            parsed_args.timeout = PLUGIN_TIMEOUT if parsed_args.nagios else 0.0
        if not parsed_args.nagios:
            return super().run(parsed_args)
        made = partial(self.report, parsed_args)
        return self._run.execute(
            partial(report, self.app, self.service, made),
            timeout=parsed_args.timeout,
            quiet=True,
        )

    @abc.abstractmethod
    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Log in, check, and return what a monitor shows."""


def report(app: App, service: str, check: Callable[[], Report]) -> int:
    """Make a check, write its report to stdout and nothing else, and return its state.

    :param service: the first word of the status line: BACKUP, REPLICATION
    :param check: its errors, and signals, are reported as UNKNOWN
    :returns: the exit code of the plugin API
    """
    try:
        found = check()
    except run.Stopped as exc:
        found = Report(State.UNKNOWN, f"interrupted by {exc.number.name}")
    except Exception as exc:
        if app.options.debug:
            app.LOG.exception("%s", type(exc).__name__)
        found = Report(State.UNKNOWN, _reason(exc))
    app.stdout.write(escape(masking.mask(render(service, found))))
    return int(found.state)


def _reason(exc: Exception) -> str:
    """Return the first line of an error; a mistake of this project's says so."""
    if isinstance(exc, TroveExtError) or run.is_for_cliff(exc):
        return next(iter(str(exc).splitlines()), "") or type(exc).__name__
    return run.describe_internal(exc, None)
