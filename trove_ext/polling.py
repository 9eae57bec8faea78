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

"""Poll until each of several targets has arrived, failed, or time is up.

The clock is passed in: tests wait for nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from trove_ext.exceptions import UnreachableError
from trove_ext.model.status import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trove_ext.progress import Progress

#: Seconds between two looks: the first pause, the longest, and the growth.
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 10.0
GROWTH = 1.5
#: Trove's rate limit is 200 GET a minute by default; one command keeps far below.
LOOKS_A_MINUTE = 60


class Clock(Protocol):
    """Time as the jobs see it."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""

    def sleep(self, seconds: float) -> None:
        """Let seconds pass."""

    def now(self) -> datetime:
        """Tell the time of day, with its time zone."""


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let seconds pass."""
        time.sleep(seconds)

    def now(self) -> datetime:
        """Tell the time of day in UTC."""
        return datetime.now(UTC)


class Deadline:
    """A point in time after which nothing is waited for any more."""

    def __init__(self, clock: Clock, timeout: float) -> None:
        """Start to count.

        :param timeout: seconds; 0 means for ever
        """
        self._clock = clock
        self._end = clock.monotonic() + timeout if timeout else float("inf")

    @property
    def remaining(self) -> float:
        """Seconds left, never negative; infinity for no limit."""
        return max(0.0, self._end - self._clock.monotonic())

    @property
    def passed(self) -> bool:
        """Whether time is up."""
        return self.remaining <= 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look at a target said.

    :ivar state: the raw state, to be shown
    :ivar reason: why it failed, if that is known
    :ivar is_fault: the reason is what Trove stores, or does not store, as the fault of
        the instance
    """

    phase: Phase
    state: str
    reason: str = ""
    is_fault: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Something to wait for.

    :ivar label: how it is called in messages
    :ivar look: reads it once, with ``requests`` requests
    :ivar follow: the words after ``openstack database`` of the command that goes on
        waiting for it
    """

    label: str
    look: Callable[[], Reading]
    follow: tuple[str, ...]
    requests: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """How waiting for one target ended.

    :ivar reading: the last look, None where not one succeeded
    :ivar elapsed: seconds
    :ivar timed_out: time ran out before it arrived or failed
    """

    target: Target
    reading: Reading | None
    elapsed: float
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """Whether it arrived."""
        return self.reading is not None and self.reading.phase is Phase.DONE

    @property
    def state(self) -> str:
        """The last state seen, to be shown."""
        return self.reading.state if self.reading else "unknown"


def confirmed(look: Callable[[], Reading], times: int = 2) -> Callable[[], Reading]:
    """Make a look count as done only when it was so several times in a row.

    Needed after a promote: Trove clears the task before it stores a failure
    (``trove/taskmanager/manager.py``, ``promote_to_replica_source``).
    """
    seen = 0

    def checked() -> Reading:
        nonlocal seen
        reading = look()
        seen = seen + 1 if reading.phase is Phase.DONE else 0
        if reading.phase is Phase.DONE and seen < times:
            return Reading(Phase.BUSY, reading.state, reading.reason)
        return reading

    return checked


def pauses(requests: int) -> Iterator[float]:
    """Yield the seconds between looks: growing, and kind to the rate limit.

    :param requests: how many requests one round of looks costs
    """
    least = requests * 60.0 / LOOKS_A_MINUTE
    pause = FIRST_PAUSE
    while True:
        yield max(pause, least)
        pause = min(pause * GROWTH, LONGEST_PAUSE)


def wait(
    targets: Sequence[Target], *, deadline: Deadline, clock: Clock, progress: Progress
) -> list[Outcome]:
    """Look at all targets together until each has arrived or failed.

    A look that found nobody there until the deadline counts as time running out:
    that something failed was not seen.

    :returns: an outcome for each target, in their order
    """
    start = clock.monotonic()
    outcomes: dict[int, Outcome] = {}
    last: dict[int, Reading] = {}
    pace = pauses(sum(target.requests for target in targets))
    while True:
        for index, target in enumerate(targets):
            if index in outcomes:
                continue
            try:
                reading = last[index] = target.look()
            except UnreachableError:
                if not deadline.passed:
                    raise
                continue
            progress.update(target.label, reading.state)
            if reading.phase is not Phase.BUSY:
                elapsed = clock.monotonic() - start
                outcomes[index] = Outcome(target, reading, elapsed)
        if len(outcomes) == len(targets) or deadline.passed:
            break
        clock.sleep(min(next(pace), deadline.remaining))
    elapsed = clock.monotonic() - start
    return [
        outcomes.get(index) or Outcome(target, last.get(index), elapsed, timed_out=True)
        for index, target in enumerate(targets)
    ]
