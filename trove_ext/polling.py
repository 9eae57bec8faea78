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

"""Poll until each of several targets is done or has failed, or time is up.

The clock is passed in, so tests need no real waiting.
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

    from trove_ext.follow_up import Action
    from trove_ext.progress import Progress

#: Seconds between two readings: the first pause, the longest, and the factor.
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 10.0
GROWTH = 1.5
#: Trove's rate limit is 200 GET a minute by default; a command stays far below.
LOOKS_A_MINUTE = 60


class Clock(Protocol):
    """The clock of the workflows."""

    def monotonic(self) -> float:
        """Seconds that only increase."""

    def sleep(self, seconds: float) -> None:
        """Sleep for some seconds."""

    def now(self) -> datetime:
        """Return the time of day, with its time zone."""


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """Seconds that only increase."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep for some seconds."""
        time.sleep(seconds)

    def now(self) -> datetime:
        """Return the time of day in UTC."""
        return datetime.now(UTC)


class Deadline:
    """A point in time at which waits end."""

    def __init__(self, clock: Clock, timeout: float) -> None:
        """Start to count.

        :param timeout: seconds; 0 for no limit
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
    """The state of a target when it was read.

    :ivar state: the raw state, to be shown
    :ivar reason: why it failed, if that is known
    :ivar is_fault: the reason is the fault of the instance that Trove has stored, or
        that it has stored none
    """

    phase: Phase
    state: str
    reason: str = ""
    is_fault: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Something to wait for.

    :ivar label: its name in messages
    :ivar poll: reads it once, in ``requests`` requests
    :ivar follow: the action that keeps waiting for it; None if it is only watched, and
        nothing continues on the server
    """

    label: str
    poll: Callable[[], Reading]
    follow: Action | None
    requests: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the wait for one target ended.

    :ivar reading: the last reading, None if none succeeded
    :ivar elapsed: seconds
    :ivar timed_out: time was up before it was done or had failed
    """

    target: Target
    reading: Reading | None
    elapsed: float
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """Whether it is done."""
        return self.reading is not None and self.reading.phase is Phase.DONE

    @property
    def state(self) -> str:
        """The last state seen, to be shown."""
        return self.reading.state if self.reading else "unknown"


def confirmed(poll: Callable[[], Reading], times: int = 2) -> Callable[[], Reading]:
    """Count a target as done only if it is read as done several times in a row.

    Needed after a promote: Trove clears the task before it stores a failure
    (``trove/taskmanager/manager.py``, ``promote_to_replica_source``).
    """
    seen = 0

    def checked() -> Reading:
        nonlocal seen
        reading = poll()
        seen = seen + 1 if reading.phase is Phase.DONE else 0
        if reading.phase is Phase.DONE and seen < times:
            return Reading(Phase.BUSY, reading.state, reading.reason)
        return reading

    return checked


def pauses(requests: int) -> Iterator[float]:
    """Yield the seconds between readings: increasing, and far below the rate limit.

    :param requests: how many requests a round of readings costs
    """
    least = requests * 60.0 / LOOKS_A_MINUTE
    pause = FIRST_PAUSE
    while True:
        yield max(pause, least)
        pause = min(pause * GROWTH, LONGEST_PAUSE)


def wait(
    targets: Sequence[Target], *, deadline: Deadline, clock: Clock, progress: Progress
) -> list[Outcome]:
    """Read all targets in turns until each is done or has failed.

    If no usable response arrives before the deadline, the result is a time-out: a
    failure of the target was not seen.

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
                reading = last[index] = target.poll()
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
