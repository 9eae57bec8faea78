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

"""Trove's time of day, from its responses.

Every time that this project compares with "now" was stored by Trove's API
(``trove/backup/models.py``, ``DBBackup.create``: ``timeutils.utcnow()``), so "now" has
to be that host's, and not this machine's. Each response has its time in the header
``Date`` (RFC 9110, 6.6.1), in whole seconds. Without it this machine's clock is used.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from trove_ext.model.durations import format_duration

if TYPE_CHECKING:
    import requests

    from trove_ext.polling import Clock
    from trove_ext.progress import Progress

#: What ``Date`` leaves out.
RESOLUTION = timedelta(seconds=1)
#: A difference that is reported: more than a network and a slow response explain.
LARGE_SKEW = timedelta(minutes=1)
#: From this status on a proxy may have responded itself, with its own clock.
SERVER_ERROR = 500


class ServerClock:
    """A clock whose time of day is Trove's; time spans are this machine's.

    A response limits the difference from two sides: its ``Date`` was written after the
    request was sent and before the response arrived, and is up to a second too early.
    Several responses narrow that down. As long as zero is within the limits, this
    machine's clock is assumed to be right.
    """

    def __init__(self, clock: Clock, progress: Progress) -> None:
        """Start with no difference known.

        :param clock: this machine's
        :param progress: where a large difference is reported, once, when the time of
            day is first used
        """
        self._clock = clock
        self._progress = progress
        self._least: timedelta | None = None
        self._most = timedelta()
        self._is_reported = False

    @property
    def skew(self) -> timedelta:
        """How far Trove's clock is ahead of this machine's; negative if behind."""
        if self._least is None or self._least <= timedelta() <= self._most:
            return timedelta()
        return (self._least + self._most) / 2

    def monotonic(self) -> float:
        """Seconds that only ever increase."""
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep for some seconds."""
        self._clock.sleep(seconds)

    def now(self) -> datetime:
        """Return Trove's time of day, in UTC."""
        skew = self.skew
        if abs(skew) > LARGE_SKEW and not self._is_reported:
            self._is_reported = True
            side = "behind" if skew > timedelta() else "ahead of"
            self._progress.warn(
                f"The clock of this machine is {format_duration(skew)} {side} Trove's; "
                "Trove's time is used."
            )
        return self._clock.now() + skew

    def note(self, response: requests.Response) -> None:
        """Measure the difference by a response of Trove.

        Limits that contradict the known ones replace them: one of the clocks was set.
        """
        written = _date_of(response)
        if written is None:
            return
        arrived = self._clock.now()
        least = written - arrived
        most = written + RESOLUTION - (arrived - response.elapsed)
        if self._least is not None and max(least, self._least) <= min(most, self._most):
            least, most = max(least, self._least), min(most, self._most)
        self._least, self._most = least, most


def _date_of(response: requests.Response) -> datetime | None:
    if response.status_code >= SERVER_ERROR:
        return None
    try:
        written = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return None
    # "-0000" makes it naive; HTTP has only UTC.
    return written if written.tzinfo else written.replace(tzinfo=UTC)
