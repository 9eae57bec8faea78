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

"""The progress of a long job, passed to a callback."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from trove_ext.follow_up import FollowUp


class EventKind(enum.Enum):
    """What an event is."""

    STATE = "state"
    NOTE = "note"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a job.

    :ivar kind: a new state of a target of a wait, a note (a finished step, a choice),
        or a warning
    :ivar text: the state, the note or the warning
    :ivar subject: what has the state, for example ``Backup nightly (<ID>)``; empty for
        a note and a warning
    :ivar follow_ups: what to do next; several are in order
    """

    kind: EventKind
    text: str
    subject: str = ""
    follow_ups: tuple[FollowUp, ...] = ()

    def __str__(self) -> str:
        return f"{self.subject}: {self.text}" if self.subject else self.text


class Reporter:
    """Passes the progress of a job to a callback: each state once, as it changes."""

    def __init__(self, callback: Callable[[Event], object]) -> None:
        self._callback = callback
        self._states: dict[str, str] = {}

    def update(self, subject: str, state: str) -> None:
        """Report a state if it differs from the last one of this subject."""
        if self._states.get(subject) != state:
            self._states[subject] = state
            self._callback(Event(EventKind.STATE, state, subject))

    def done(self) -> None:
        """Forget the states: the wait is over, and another one starts again."""
        self._states.clear()

    def note(self, text: str, *follow_ups: FollowUp) -> None:
        """Report a step or a choice."""
        self._callback(Event(EventKind.NOTE, text, follow_ups=follow_ups))

    def warn(self, text: str, *follow_ups: FollowUp) -> None:
        """Report something that the user should act on."""
        self._callback(Event(EventKind.WARNING, text, follow_ups=follow_ups))
