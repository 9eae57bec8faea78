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

"""What a run has sent, the responses, what it waits for and has seen last."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.follow_up import Action
    from trove_ext.polling import Reading, Target


@dataclass(frozen=True, slots=True)
class Change:
    """A request that changes something.

    :ivar what: in words, for messages
    :ivar shown_by: the action that shows its effect
    :ivar about: the ID or name of the thing that it makes or changes; never shown
    """

    what: str
    shown_by: Action
    about: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """What remains to be said of a run if it ends now.

    :ivar sent: the changes with a response, and not refused, in their order
    :ivar unanswered: the change without a response; it may have taken effect
    :ivar awaited: the targets of the current wait, which continue on the server
    :ivar seen: label and last state of each of these that was read
    :ivar continued_by: the action that goes on with the whole job, if there is one
    """

    sent: tuple[Change, ...]
    unanswered: Change | None
    awaited: tuple[Target, ...]
    seen: tuple[tuple[str, str], ...]
    continued_by: Action | None = None

    @property
    def changed_nothing(self) -> bool:
        """Whether nothing was sent that may have changed something."""
        return not (self.sent or self.unanswered or self.awaited)

    @property
    def last(self) -> Change | None:
        """The last change that was sent."""
        return self.unanswered or (self.sent[-1] if self.sent else None)


class Journal:
    """What happened in a run so far; see :class:`Summary`.

    :ivar requests: how many requests were sent to Trove, reads too
    """

    def __init__(self) -> None:
        self.requests = 0
        self._changes: list[Change] = []
        self._answered = True
        self._awaited: tuple[Target, ...] = ()
        self._seen: dict[int, str] = {}
        self._continued_by: Action | None = None

    def continue_with(self, action: Action | None) -> None:
        """Record what goes on with the job if it ends now; None for what is awaited."""
        self._continued_by = action

    def sending(self, change: Change) -> None:
        """Record a change before it is sent."""
        self._changes.append(change)
        self._answered = False

    def answered(self) -> None:
        """Record that the last change has a response, or that its effect was seen."""
        self._answered = True

    def not_done(self) -> None:
        """Remove the last change: it was refused, or never sent."""
        self._changes.pop()
        self._answered = True

    def waiting(self, targets: Sequence[Target]) -> list[Target]:
        """Begin to wait; return targets that record each reading.

        A wait implies that the change has arrived: it had a response, or its effect was
        read. A target that is only watched, and so has no follow-up, is not recorded.
        """
        if all(target.follow is None for target in targets):
            return list(targets)
        self._answered = True
        self._awaited = tuple(targets)
        self._seen = {}
        return [self._noting(index, each) for index, each in enumerate(targets)]

    def waited(self) -> None:
        """Record that the wait has ended."""
        self._awaited = ()

    def has_sent(self, about: str) -> bool:
        """Whether a change of the resource with this ID or name was sent."""
        return any(change.about == about for change in self._changes)

    def summary(self) -> Summary:
        """Return what remains to be said of the run if it ends now."""
        sent = tuple(self._changes)
        seen = tuple(
            (target.label, self._seen[index])
            for index, target in enumerate(self._awaited)
            if index in self._seen
        )
        kept, unanswered = (sent, None) if self._answered else (sent[:-1], sent[-1])
        return Summary(kept, unanswered, self._awaited, seen, self._continued_by)

    def _noting(self, index: int, target: Target) -> Target:
        def poll() -> Reading:
            reading = target.poll()
            self._seen[index] = reading.state
            return reading

        return dataclasses.replace(target, poll=poll)
