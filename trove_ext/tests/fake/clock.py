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

"""A clock that only advances during a sleep or a request."""

import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Impossible(BaseException):
    """The code under test did something that it must never do.

    Not an Exception, so no handler of that code hides it. `harness.guarded`
    turns it into a failed test; unguarded, it ends the whole test run.
    """


class EndOfTime(Impossible):
    """More virtual time has passed than any test may take: an endless loop."""


class FakeClock:
    """Virtual time: `sleep` returns at once, and runs the due tasks.

    It has the three methods of `trove_ext.polling.SystemClock`.

    :ivar sleeps: the seconds of every sleep so far
    :ivar before_sleep: called with the seconds; what they raise ends the sleep
    """

    def __init__(self, *, limit: float = 30 * 86400.0) -> None:
        """Start at 2026-01-01T00:00:00Z; `limit` is in virtual seconds."""
        self._elapsed = 0.0
        self._limit = limit
        self._sequence = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self.sleeps: list[float] = []
        self.before_sleep: list[Callable[[float], None]] = []

    def monotonic(self) -> float:
        """Virtual seconds since the clock was made."""
        return self._elapsed

    def now(self) -> datetime:
        """The virtual time of day, aware, in UTC."""
        return EPOCH + timedelta(seconds=self._elapsed)

    def sleep(self, seconds: float) -> None:
        """Advance by `seconds`, as `time.sleep`: ValueError when negative."""
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        self.sleeps.append(seconds)
        for call in self.before_sleep:
            call(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Advance by `seconds` and run everything that is due, at its own time."""
        end = self._elapsed + seconds
        while self._due and self._due[0][0] <= end:
            moment, _, callback = heapq.heappop(self._due)
            self._elapsed = max(self._elapsed, moment)
            callback()
        self._elapsed = max(self._elapsed, end)
        if self._elapsed > self._limit:
            raise EndOfTime(f"{self._elapsed:.0f} s of virtual time have passed")

    def after(self, seconds: float, callback: Callable[[], None]) -> None:
        """Run `callback` after `seconds` more.

        An exception from it is raised by the `sleep` that it interrupts, as one from
        a signal handler is.
        """
        moment = self._elapsed + seconds
        heapq.heappush(self._due, (moment, next(self._sequence), callback))


class SkewedClock:
    """The clock of a machine whose time of day is wrong.

    :ivar skew: how far it is ahead of the cloud's; negative if behind
    """

    def __init__(self, clock: FakeClock, skew: timedelta) -> None:
        self.skew = skew
        self._clock = clock

    def monotonic(self) -> float:
        """Virtual seconds, as the cloud's."""
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Advance the cloud's clock by `seconds` too."""
        self._clock.sleep(seconds)

    def now(self) -> datetime:
        """The time of day of this machine's clock."""
        return self._clock.now() + self.skew
