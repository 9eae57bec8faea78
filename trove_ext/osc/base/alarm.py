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

"""A time-out for everything in a block, including the log-in and slow responses.

Time-outs of requests count from one byte to the next, and a log-in is several requests;
a monitor needs a result in time, whatever the servers do.
"""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

from trove_ext.exceptions import OutOfTimeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


class _Rung(BaseException):
    """The time is over. No ``except Exception`` may swallow it."""


@contextlib.contextmanager
def time_out(seconds: float) -> Iterator[None]:
    """End the block after this many seconds of real time.

    Only for blocks that change nothing. It needs SIGALRM, which only the main thread
    may handle; in another one there is no limit.

    :param seconds: 0 for no limit
    :raises OutOfTimeError: the time is over
    """
    if not seconds:
        yield
        return
    try:
        before = signal.signal(signal.SIGALRM, _ring)
    except ValueError:
        yield
        return
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    except _Rung:
        raise OutOfTimeError(f"no result within {seconds:g} s (--timeout)") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ring(_number: int, _frame: FrameType | None) -> None:
    raise _Rung
