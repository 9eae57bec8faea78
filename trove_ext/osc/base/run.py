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

"""A run of a command, ours or a hooked one: errors, signals, exit codes."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    Exit,
    InternalError,
    InterruptedJobError,
    NotFoundError,
    OutOfTimeError,
    ServiceError,
    TroveExtError,
)
from trove_ext.osc.base import follow_up, masking, progress, session
from trove_ext.osc.base.escape import escape, spell_unencodable
from trove_ext.trove import wait_report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import TextIO

    from cliff.app import App

    from trove_ext.trove.client import Cloud
    from trove_ext.trove.journal import Summary

SIGNALS = {
    signal.SIGINT: Exit.INTERRUPTED,
    signal.SIGTERM: Exit.TERMINATED,
    signal.SIGHUP: Exit.HANGUP,
}
#: The packages whose exceptions are messages for the user: cliff prints them.
CLIENT_PACKAGES = frozenset(
    {"cliff", "keystoneauth1", "openstack", "osc_lib", "requests", "troveclient"}
)
#: The module in which cliff raises a plain ValueError for an unknown column in ``-c``.
COLUMN_CHECK = "cliff.display"


class Stopped(BaseException):
    """A signal asks the command to end. No ``except Exception`` may swallow it."""

    def __init__(self, number: signal.Signals) -> None:
        self.number = number
        super().__init__(number.name)


class Run:
    """A run of a command: its cloud, its time, and its end."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._quiet = False
        self._timeout = 0.0
        self._engine: str | None = None
        self._failure: TroveExtError | None = None

    @functools.cached_property
    def cloud(self) -> Cloud:
        """The cloud that the user has logged in to; its time starts with it.

        :raises ServiceError: it has no databases
        """
        cloud = session.make_cloud(self._app, quiet=self._quiet, engine=self._engine)
        cloud.start(self._timeout)
        return cloud

    def fail(self, error: TroveExtError | None) -> None:
        """End the run with this error after its result was printed."""
        self._failure = error

    def execute(
        self,
        action: Callable[[], int],
        *,
        timeout: float,
        ours: bool = True,
        quiet: bool = False,
        engine: str | None = None,
    ) -> int:
        """Run a command, and turn errors into a clear line and an exit code.

        :param timeout: seconds for the run, 0 for no limit
        :param ours: whether this project's code runs. If not, Python handles signals
            and cliff handles unexpected exceptions
        :param quiet: show no progress, as with ``openstack -q``
        :param engine: the engine of the instances, if the user names it
        :returns: the exit code
        """
        self._timeout = timeout
        self._quiet = quiet
        self._engine = engine
        masking.install()
        if self._app.stdout is None:
            # Closed (``>&-``): the job continues nevertheless. cliff uses both.
            self._app.stdout = sys.stdout = io.StringIO()
        spell_unencodable(self._app.stdout)
        try:
            if not ours:
                return self._act(action)
            with catching_signals():
                return self._act(functools.partial(self._complete, action))
        except TroveExtError as exc:
            return report(self._app, self._known(), exc)
        except Stopped as exc:
            prefix = session.openstack_command(self._app)
            text = describe_stop(exc.number, self._known(), prefix)
            error = InterruptedJobError(text, SIGNALS[exc.number])
            return report(self._app, self._known(), error, text)
        except Exception as exc:
            if not ours or is_for_cliff(exc):
                raise
            return report_internal(self._app, exc, self._known())

    def _act(self, action: Callable[[], int]) -> int:
        code = self._complete(action)
        if self._failure is not None:
            raise self._failure
        return code

    def _complete(self, action: Callable[[], int]) -> int:
        """Run the action and write its result, if there is still a reader.

        Python would flush stdout only at its end, and print an error on stderr if the
        reader (``| head``) has gone by then.
        """
        stdout = self._app.stdout
        try:
            code = action()
            stdout.flush()
        except BrokenPipeError:
            discard(stdout)
            return Exit.PIPE
        return code

    def _known(self) -> Cloud | None:
        """Return the cloud if the command has used it."""
        cloud: Cloud | None = self.__dict__.get("cloud")
        return cloud


def discard(stream: TextIO) -> None:
    """Discard the rest of a stream's buffer, as Python's manual advises.

    Source: https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    # A caller in Python may have passed a stream without a descriptor.
    with contextlib.suppress(io.UnsupportedOperation):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def is_for_cliff(exc: Exception) -> bool:
    """Whether an exception is a message of the client, not a bug of ours."""
    if isinstance(exc, OSError) or _package(type(exc).__module__) in CLIENT_PACKAGES:
        return True
    *_, (frame, _line) = traceback.walk_tb(exc.__traceback__)
    where = frame.f_globals.get("__name__")
    return isinstance(exc, ValueError) and where == COLUMN_CHECK


def _package(module: str) -> str:
    return module.partition(".")[0]


def report_internal(app: App, exc: Exception, cloud: Cloud | None = None) -> int:
    """Report a bug of this project; return the exit code."""
    text = describe_internal(exc, cloud, session.openstack_command(app))
    error = InternalError(text)
    error.__cause__ = exc
    return report(app, cloud, error, text)


def report(
    app: App, cloud: Cloud | None, error: TroveExtError, text: str | None = None
) -> int:
    """Write an error to stderr, with ``--debug`` also its traceback.

    :param text: what to write instead of the error and what was sent before it
    :returns: the exit code
    """
    if cloud is not None:
        cloud.progress.done()
    if app.options.debug:
        app.LOG.error("%s", type(error).__name__, exc_info=error)
    stderr = progress.UnbreakableStream(app.stderr)
    prefix = session.openstack_command(app)
    shown = describe_error(error, cloud, prefix) if text is None else text
    written = follow_up.render(prefix, shown, error.follow_ups)
    stderr.write(escape(masking.mask(written)) + "\n")
    stderr.flush()
    return int(error.exit_code)


def describe_stop(
    number: signal.Signals, cloud: Cloud | None, prefix: str = "openstack"
) -> str:
    """Describe what continues on the server, and name the command that shows it.

    One line, and one more for each command if there are several.
    """
    start = f"Interrupted by {number.name}"
    summary = cloud.journal.summary() if cloud else None
    if cloud is None or summary is None or summary.changed_nothing:
        return f"{start}; nothing was changed."
    return "; ".join([start, *_facts(summary, prefix)])


def describe_error(
    error: TroveExtError, cloud: Cloud | None, prefix: str = "openstack"
) -> str:
    """Describe an error and, if a failed request ended the job, what was sent.

    If the end of a job was not seen, it continues on the server; otherwise the text of
    the error is sufficient.
    """
    unseen = isinstance(error, (ServiceError, NotFoundError, OutOfTimeError))
    summary = cloud.journal.summary() if cloud and unseen else None
    if summary is None or summary.changed_nothing:
        return str(error)
    return "\n".join([str(error), "; ".join(_facts(summary, prefix))])


def describe_internal(
    exc: Exception, cloud: Cloud | None, prefix: str = "openstack"
) -> str:
    """Describe a bug of this project, and what was sent before it."""
    what = " ".join(f"{type(exc).__name__}: {exc}".split())
    start = f"Internal error of trove-ext, not of the cloud: {what}"
    summary = cloud.journal.summary() if cloud else None
    facts = (
        [] if summary is None or summary.changed_nothing else _facts(summary, prefix)
    )
    return "; ".join([start, "--debug shows the traceback", *facts])


def _facts(summary: Summary, prefix: str) -> list[str]:
    """Describe what was sent, its last state, and the command that shows the result."""
    facts = _sent(summary)
    if summary.awaited:
        seen = ", ".join(f"{label}: {state}" for label, state in summary.seen)
        facts += [f"last seen: {seen}"] if seen else []
    if summary.continued_by is not None:
        command = follow_up.command(prefix, summary.continued_by)
        return [*facts, f"to go on, run: {command}"]
    if summary.awaited:
        commands = _commands(summary, prefix)
        return [*facts, f"to keep waiting, run:{commands}"] if commands else facts
    if summary.last is None:
        return facts
    command = follow_up.command(prefix, summary.last.shown_by)
    return [*facts, f"to see the result, run: {command}"]


def _sent(summary: Summary) -> list[str]:
    """Describe what was sent; without a response it may or may not have arrived."""
    facts = []
    if summary.sent:
        continues = ", and continues on the server" if summary.awaited else ""
        sent = ", ".join(change.what for change in summary.sent)
        facts.append(f"sent{continues}: {sent}")
    if summary.unanswered:
        facts.append(f"it is not known whether this arrived: {summary.unanswered.what}")
    return facts


def _commands(summary: Summary, prefix: str) -> str:
    commands = [
        follow_up.command(prefix, action)
        for each in wait_report.keep_waiting(summary.awaited)
        for action in each.actions
    ]
    if len(commands) == 1:
        return f" {commands[0]}"
    return "\n  ".join(["", *commands]) if commands else ""


@contextlib.contextmanager
def catching_signals() -> Iterator[None]:
    """Raise :class:`Stopped` on SIGINT, SIGTERM and SIGHUP inside the block.

    A second signal ends the process at once. A signal that is ignored stays ignored:
    ``nohup`` and background jobs of scripts depend on that.
    """
    caught = [each for each in SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
    try:
        before = {number: signal.signal(number, _stop) for number in caught}
    except ValueError:
        # Only the main thread may set handlers; a test may run in another.
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, _frame: FrameType | None) -> None:
    for each in SIGNALS:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, signal.SIG_DFL)
    raise Stopped(signal.Signals(number))
