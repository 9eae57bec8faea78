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

"""What surrounds every run of a command: errors in words, signals, exit codes."""

from __future__ import annotations

import contextlib
import io
import signal
import sys
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    Exit,
    InterruptedJobError,
    NotFoundError,
    OutOfTimeError,
    ServiceError,
    TroveExtError,
)
from trove_ext.osc.base import masking, progress
from trove_ext.osc.base.escape import escape
from trove_ext.trove import wait_report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from cliff.app import App

    from trove_ext.trove.client import Cloud

SIGNALS = {
    signal.SIGINT: Exit.INTERRUPTED,
    signal.SIGTERM: Exit.TERMINATED,
    signal.SIGHUP: Exit.HANGUP,
}

#: What comes of an answer whose parts are not where Trove puts them.
MISREAD = (AttributeError, IndexError, KeyError, TypeError)


class Stopped(BaseException):
    """A signal asks the command to end. No ``except Exception`` may swallow it."""

    def __init__(self, number: signal.Signals) -> None:
        self.number = number
        super().__init__(number.name)


def run(
    app: App,
    cloud: Callable[[], Cloud | None],
    action: Callable[[], int],
    *,
    signals: bool = True,
) -> int:
    """Run a command and turn what goes wrong into a clear line and an exit code.

    :param cloud: gives the cloud that the command works with, once it has one
    :param signals: whether signals are answered too, and not left to Python, and
        errors of reading an answer put in words; not where stock code is at work
    :returns: the exit code
    """
    masking.install()
    if app.stdout is None:
        # Closed (``>&-``): the job is done all the same. cliff looks at both.
        app.stdout = sys.stdout = io.StringIO()
    try:
        with catching_signals() if signals else contextlib.nullcontext():
            return action()
    except TroveExtError as exc:
        return report(app, cloud(), exc, describe_error(exc, cloud()))
    except Stopped as exc:
        code = SIGNALS[exc.number]
        error = InterruptedJobError(describe_stop(exc.number, cloud()), code)
        return report(app, cloud(), error)
    except MISREAD as exc:
        if not signals:
            raise
        misread = ServiceError(describe_misread(exc, cloud()))
        misread.__cause__ = exc
        return report(app, cloud(), misread)


def report(
    app: App, cloud: Cloud | None, error: TroveExtError, text: str | None = None
) -> int:
    """Write an error to stderr; with ``--debug`` where it came from too.

    :param text: what to write in its place
    """
    if cloud is not None:
        cloud.progress.done()
    if app.options.debug:
        app.LOG.error("%s", type(error).__name__, exc_info=error)
    stderr = progress.Heedless(app.stderr)
    stderr.write(escape(masking.mask(text or str(error))) + "\n")
    stderr.flush()
    return int(error.exit_code)


def describe_stop(number: signal.Signals, cloud: Cloud | None) -> str:
    """Say what goes on at the server although the command has ended, and what shows it.

    One line, and one more for each command where there are several.
    """
    start = f"Interrupted by {number.name}"
    if cloud is None or not (cloud.sent or cloud.awaited):
        return f"{start}; nothing was changed."
    return "; ".join([start, *_known(cloud)])


def describe_error(error: TroveExtError, cloud: Cloud | None) -> str:
    """Say what went wrong and, where Trove's answers ended it, what was sent before.

    A job that was not seen to its end goes on at the server; an error that says how it
    ended has all that a user needs in its own text.
    """
    unseen = isinstance(error, (ServiceError, NotFoundError, OutOfTimeError))
    if cloud is None or not unseen or not (cloud.sent or cloud.awaited):
        return str(error)
    return "\n".join([str(error), "; ".join(_known(cloud))])


def _known(cloud: Cloud) -> list[str]:
    """Say what was sent, what was seen of it, and what goes on to look."""
    facts = _sent(cloud)
    if cloud.awaited:
        facts += [f"last seen: {', '.join(_seen(cloud))}"] if cloud.seen else []
        return [*facts, f"wait on with:{_commands(cloud)}"]
    return [*facts, f"see what came of it with: {_look(cloud)}"]


def describe_misread(exc: Exception, cloud: Cloud | None) -> str:
    """Say that an answer lacks what was needed, and what was sent before that."""
    what = f"{type(exc).__name__}: {exc}"
    facts = [f"An answer of Trove lacks what this command needs ({what})"]
    if cloud is not None and cloud.sent:
        facts += [*_sent(cloud), f"see what came of it with: {_look(cloud)}"]
    return "; ".join([*facts, "--debug shows where it was needed"])


def _sent(cloud: Cloud) -> list[str]:
    """Say what was sent; without an answer it may have arrived or not."""
    if not cloud.sent:
        return []
    *before, last = cloud.sent
    if not cloud.unanswered:
        goes_on = ", and goes on at the server" if cloud.awaited else ""
        return [f"this was sent{goes_on}: {', '.join(cloud.sent)}"]
    sent = [f"this was sent: {', '.join(before)}"] if before else []
    return [*sent, f"whether this arrived is not known: {last}"]


def _seen(cloud: Cloud) -> list[str]:
    return [f"{label}: {state}" for label, state in cloud.seen.items()]


def _look(cloud: Cloud) -> str:
    return cloud.command(*cloud.look)


def _commands(cloud: Cloud) -> str:
    lines = wait_report.follow_lines(cloud, cloud.awaited)
    return f" {lines[0].strip()}" if len(lines) == 1 else "\n".join(["", *lines])


@contextlib.contextmanager
def catching_signals() -> Iterator[None]:
    """Raise :class:`Stopped` for SIGINT, SIGTERM and SIGHUP inside the block.

    A second signal ends the process at once. One that is ignored stays so: that is
    how ``nohup`` and a job in the background of a script go on.
    """
    heeded = [one for one in SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]
    try:
        before = {number: signal.signal(number, _stop) for number in heeded}
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
