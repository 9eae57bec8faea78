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

"""How long a run may take, its waits and each of its requests: one clock for all.

The time of the run starts with :meth:`Limits.start`, and starts again with each further
call: so the time-out of a command starts when its job begins, after any prompt.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from trove_ext.polling import Deadline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trove_ext.polling import Clock

#: Seconds that one request may take.
REQUEST_TIMEOUT = 60.0
#: Seconds after which a read without a usable response fails, if there is no
#: deadline.
READ_BUDGET = 60.0
#: Seconds for which a request is sent again after responses with a Retry-After.
RATE_LIMIT_BUDGET = 180.0
#: The longest Retry-After that is respected, in seconds.
LONGEST_RETRY_AFTER = 120.0


class Limits:
    """The time of a run, of its current wait, and of one request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._run: Deadline | None = None
        self._wait: Deadline | None = None
        self._patience: Deadline | None = None

    def start(self, timeout: float) -> Deadline:
        """Start the time of the run, or start it again.

        No read is repeated beyond it. What is read after it, to find out the final
        state or to clean up, has `READ_BUDGET` again.

        :param timeout: seconds; 0 for no limit
        """
        self._run = self.deadline(timeout)
        return self._run

    def deadline(self, timeout: float) -> Deadline:
        """Start a separate deadline, besides that of the run.

        :param timeout: seconds; 0 for no limit
        """
        return Deadline(self._clock, timeout)

    @contextlib.contextmanager
    def waiting(self, deadline: Deadline) -> Iterator[None]:
        """Use this deadline for every read inside the block."""
        before, self._wait = self._wait, deadline
        try:
            yield
        finally:
            self._wait = before

    @contextlib.contextmanager
    def patient(self, deadline: Deadline) -> Iterator[None]:
        """Retry reads inside the block until then, for `READ_BUDGET` at least.

        For what follows a change: its effect should be known, even if that takes until
        the end of the time that the user gave.
        """
        before, self._patience = self._patience, deadline
        try:
            yield
        finally:
            self._patience = before

    def for_read(self) -> Deadline:
        """Return the deadline of a read that starts now."""
        if self._wait:
            return self._wait
        if self._patience and self._patience.remaining > READ_BUDGET:
            return self._patience
        if self._run and 0 < self._run.remaining < READ_BUDGET:
            return self._run
        return self.deadline(READ_BUDGET)

    def for_rate_limit(self) -> Deadline:
        """Return the deadline of a request with a Retry-After in its response."""
        return self._wait or self.deadline(RATE_LIMIT_BUDGET)

    @property
    def are_over(self) -> bool:
        """Whether the run's time has ended: what is read from now on is final."""
        return self._run is not None and self._run.remaining <= 0

    def ends_within(self, pause: float) -> bool:
        """Whether the run's time, and nothing else, ends within this many seconds."""
        if self._wait or self._patience or self._run is None:
            return False
        return self._run.remaining <= pause

    def of_request(self, deadline: Deadline | None = None) -> float:
        """Return the seconds that the next request may take.

        :param deadline: of the read; a change is limited by a wait alone
        """
        limit = deadline or self._wait
        remaining = limit.remaining if limit else REQUEST_TIMEOUT
        return max(1.0, min(REQUEST_TIMEOUT, remaining))
