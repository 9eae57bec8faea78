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

"""The age of a stored time, which may be in the future.

A time in the future was stored with a wrong clock, so the real age is not known: such a
time proves no freshness, and is not used for ordering.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from trove_ext.model.durations import format_duration

if TYPE_CHECKING:
    from datetime import datetime

#: How far a time may be ahead and still count as now: Trove stores whole seconds, its
#: hosts differ a little, and without the header ``Date`` this machine's clock is used.
TOLERANCE = timedelta(minutes=1)


def is_ahead(moment: datetime, now: datetime) -> bool:
    """Whether a stored time is ahead of now by more than the tolerance."""
    return moment - now > TOLERANCE


def age_of(moment: datetime, now: datetime) -> timedelta:
    """Return how long ago a time was; zero if it is ahead, never negative."""
    return max(now - moment, timedelta())


def describe_ahead(moment: datetime, now: datetime) -> str:
    """Describe how far a time is ahead, for messages."""
    return f"dated {format_duration(moment - now)} ahead of now"
