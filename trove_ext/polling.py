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
    from collections.abc import Callable, Iterator, Mapping, Sequence

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
    :ivar poll: reads it once
    :ivar follow: the action that keeps waiting for it; None if it is only watched, and
        nothing continues on the server
    :ivar backup_id: of the backup that is read, if one is: see :class:`Shared`
    :ivar instance_id: of the instance that is read, or may be in some rounds
    """

    label: str
    poll: Callable[[], Reading]
    follow: Action | None
    backup_id: str | None = None
    instance_id: str | None = None


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


class Shared(Protocol):
    """What the targets of one round read together."""

    @property
    def requests(self) -> int:
        """How many requests were sent so far, by whomever."""

    def begin(self, targets: Sequence[Target]) -> None:
        """Begin a round: read what several of these targets need."""


def pauses() -> Iterator[float]:
    """Yield the seconds between readings: increasing, up to LONGEST_PAUSE."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * GROWTH, LONGEST_PAUSE)


class Pace:
    """When the next round of readings may begin.

    The pauses are those of `pauses`, whatever the number of targets. They are longer
    if the next round costs several requests, or if it would not fit in a minute with
    those before it: LOOKS_A_MINUTE is the limit.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pauses = pauses()
        self._rounds: list[tuple[float, int]] = []

    def after(self, requests: int, again: int) -> float:
        """Record a round that has just ended; return the seconds to sleep.

        :param requests: that it has cost
        :param again: how many of these the next round repeats: the last read of a
            target is not repeated
        """
        now = self._clock.monotonic()
        self._rounds.append((now, requests))
        spread = again * 60.0 / LOOKS_A_MINUTE
        return max(next(self._pauses), spread, self._full_until(again) - now)

    def _full_until(self, requests: int) -> float:
        """Return when this many requests fit in a minute with those before them."""
        for moment, before in reversed(self._rounds):
            requests += before
            if requests > LOOKS_A_MINUTE:
                return moment + 60.0
        return 0.0


def wait(
    targets: Sequence[Target],
    *,
    deadline: Deadline,
    clock: Clock,
    progress: Progress,
    shared: Shared,
) -> list[Outcome]:
    """Read all targets in rounds until each is done or has failed.

    If no usable response arrives before the deadline, the result is a time-out: a
    failure of the target was not seen.

    :returns: an outcome for each target, in their order
    """
    start = clock.monotonic()
    outcomes: dict[int, Outcome] = {}
    last: dict[int, Reading] = {}
    pace = Pace(clock)
    while True:
        before, ended = shared.requests, 0
        waiting = {i: each for i, each in enumerate(targets) if i not in outcomes}
        for index, reading, requests in _round(waiting, deadline, shared):
            last[index] = reading
            progress.update(targets[index].label, reading.state)
            if reading.phase is not Phase.BUSY:
                elapsed = clock.monotonic() - start
                outcomes[index] = Outcome(targets[index], reading, elapsed)
                ended += requests
        if len(outcomes) == len(targets) or deadline.passed:
            break
        spent = shared.requests - before
        clock.sleep(min(pace.after(spent, spent - ended), deadline.remaining))
    elapsed = clock.monotonic() - start
    return [
        outcomes.get(index) or Outcome(target, last.get(index), elapsed, timed_out=True)
        for index, target in enumerate(targets)
    ]


def _round(
    targets: Mapping[int, Target], deadline: Deadline, shared: Shared
) -> Iterator[tuple[int, Reading, int]]:
    """Read each target once; yield it with what only it has cost.

    Without a usable response at the deadline there is nothing of it.

    :raises UnreachableError: no usable response arrives, and there is time left
    """
    try:
        shared.begin(list(targets.values()))
    except UnreachableError:
        if not deadline.passed:
            raise
        return
    for index, target in targets.items():
        before = shared.requests
        try:
            reading = target.poll()
        except UnreachableError:
            if not deadline.passed:
                raise
            continue
        yield index, reading, shared.requests - before
