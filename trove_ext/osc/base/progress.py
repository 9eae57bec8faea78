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

"""Progress on stderr: a live line at a terminal, a line per change elsewhere."""

from __future__ import annotations

import contextlib
import io
import os
from typing import TYPE_CHECKING, Any, TextIO, cast

from trove_ext.osc.base import follow_up
from trove_ext.osc.base.escape import escape

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from trove_ext.follow_up import FollowUp
    from trove_ext.polling import Clock

#: Seconds after which a state that does not change is written again in a pipe.
REPEAT = 30.0
#: Terminals without a cursor to move, by their ``TERM``.
#: Also a terminal whose TERM is not set.
DUMB = frozenset({"", "dumb", "unknown"})


class UnbreakableStream:
    """A stream that accepts everything, even if its reader has gone.

    A closed pipe (``2>&1 | head``) or a closed terminal must not
    interrupt a job, or leave an orphaned instance.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream: Any = stream
        self._gone = stream is None

    def write(self, text: str) -> int:
        """Write while there is a reader."""
        if not self._gone:
            try:
                self._stream.write(text)
            except OSError:
                self._gone = True
        return len(text)

    def flush(self) -> None:
        """Flush while there is a reader."""
        if not self._gone:
            try:
                self._stream.flush()
            except OSError:
                self._gone = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class LineProgress:
    """A line for each change of state, and one each 30 s: for pipes and logs."""

    def __init__(self, stream: TextIO, clock: Clock, prefix: str = "openstack") -> None:
        self._prefix = prefix
        self._stream = UnbreakableStream(stream)
        self._clock = clock
        self._start: dict[str, float] = {}
        self._reported: dict[str, tuple[str, float]] = {}

    def update(self, subject: str, state: str) -> None:
        """Write a state if it is new, or was written 30 s ago."""
        now = self._clock.monotonic()
        start = self._start.setdefault(subject, now)
        before, at = self._reported.get(subject, ("", now))
        if state == before and now - at < REPEAT:
            return
        self._reported[subject] = (state, now)
        self._write(f"{subject}: {state} ({now - start:.0f} s)")

    def done(self) -> None:
        """Reset the state for the next subjects."""
        self._start.clear()
        self._reported.clear()

    def note(self, text: str, *follow_ups: FollowUp) -> None:
        """Write a line."""
        self._write(follow_up.render(self._prefix, text, follow_ups))

    def warn(self, text: str, *follow_ups: FollowUp) -> None:
        """Write a warning."""
        self._write(f"WARNING: {follow_up.render(self._prefix, text, follow_ups)}")

    def _write(self, text: str) -> None:
        self._stream.write(escape(text) + "\n")
        self._stream.flush()


class QuietProgress(LineProgress):
    """Writes warnings alone: ``openstack -q``."""

    def update(self, subject: str, state: str) -> None:
        """Drop it."""

    def note(self, text: str, *follow_ups: FollowUp) -> None:
        """Drop it."""


class TerminalProgress:
    """A live line with state and elapsed time for each subject."""

    def __init__(self, stream: TextIO, prefix: str = "openstack") -> None:
        from rich.console import Console

        # It has everything that rich uses of a stream.
        file = cast("TextIO", UnbreakableStream(stream))
        self._console = Console(file=file, highlight=False, markup=False, emoji=False)
        self._prefix = prefix
        self._live: RichProgress | None = None
        self._tasks: dict[str, TaskID] = {}

    def update(self, subject: str, state: str) -> None:
        """Show a state in the line of its subject."""
        if self._live is None:
            self._live = self._start()
        if subject not in self._tasks:
            self._tasks[subject] = self._live.add_task(
                escape(subject), total=None, state=escape(state)
            )
        self._live.update(self._tasks[subject], state=escape(state), refresh=True)

    def done(self) -> None:
        """Remove the live lines."""
        if self._live is not None:
            self._live.stop()
            self._live = None
            self._tasks.clear()

    def note(self, text: str, *follow_ups: FollowUp) -> None:
        """Print a line above the live ones."""
        shown = follow_up.render(self._prefix, text, follow_ups)
        self._console.print(escape(shown), soft_wrap=True)

    def warn(self, text: str, *follow_ups: FollowUp) -> None:
        """Print a warning above the live ones."""
        shown = follow_up.render(self._prefix, f"WARNING: {text}", follow_ups)
        self._console.print(escape(shown), style="yellow", soft_wrap=True)

    def _start(self) -> RichProgress:
        from rich.progress import (
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )
        from rich.table import Column

        plain = self._console.options.ascii_only
        # On a narrow terminal the subject is truncated, not the state.
        shrinking = Column(
            ratio=1, no_wrap=True, overflow="crop" if plain else "ellipsis"
        )
        live = Progress(
            SpinnerColumn("line" if plain else "dots"),
            TextColumn("{task.description}", markup=False, table_column=shrinking),
            TextColumn(
                "{task.fields[state]}",
                style="bold",
                markup=False,
                table_column=Column(no_wrap=True),
            ),
            TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)),
            console=self._console,
            transient=True,
            expand=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        live.start()
        return live


def make(
    stream: TextIO | None, clock: Clock, *, quiet: bool, prefix: str = "openstack"
) -> LineProgress | TerminalProgress:
    """Choose by the stream: a terminal gets live lines, others plain ones.

    A terminal that can't move its cursor is treated like a pipe, and so is one without
    rich, which the clients of 2024.2 and older don't install. Without any stream
    (``2>&-``) nothing is written.

    :param prefix: how a follow-up command begins: ``openstack --os-cloud prod``
    """
    if stream is None:
        return QuietProgress(io.StringIO(), clock, prefix)
    if quiet:
        return QuietProgress(stream, clock, prefix)
    if stream.isatty() and os.environ.get("TERM", "dumb") not in DUMB:
        with contextlib.suppress(ImportError):
            return TerminalProgress(stream, prefix)
    return LineProgress(stream, clock, prefix)
