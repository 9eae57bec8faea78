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

"""One place that talks to Trove, by this project's rules.

Reads are tried again with growing pauses; what changes something is sent once.
Every request has a read time-out. Every error comes out as one of
:mod:`trove_ext.exceptions`, in words.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
from typing import TYPE_CHECKING, Any, TypeVar

from trove_ext import polling as waiting
from trove_ext import progress as progress_module
from trove_ext.exceptions import (
    LostAnswerError,
    OutOfTimeError,
    RefusedError,
    ServiceError,
    TroveExtError,
    UnreachableError,
)
from trove_ext.trove import errors
from trove_ext.trove.server_clock import ServerClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import requests

R = TypeVar("R")

#: Seconds that one request may take.
REQUEST_TIMEOUT = 60.0
#: Seconds after which a read that gets no usable answer is given up, where no
#: deadline says otherwise.
READ_BUDGET = 60.0
#: The longest that a server's Retry-After is followed, in seconds.
LONGEST_RETRY_AFTER = 120.0
#: Seconds after which a request that is turned away again and again is given up.
LIMIT_BUDGET = 180.0
SUCCESS = range(200, 300)


class Cloud:
    """troveclient's managers, a clock, and where to tell progress.

    :ivar sent: the changes sent so far, in words
    :ivar unanswered: whether the last of them has had no answer yet
    :ivar look: the words after ``openstack database`` of the command that shows what
        came of them
    :ivar awaited: what is being waited for now; whoever ends the command early tells
        the user what was sent and how to follow what goes on
    :ivar seen: the last state of each thing that is being waited for, by its label
    :ivar slow: whether a large page did not come in time: small ones are read then
    """

    def __init__(
        self,
        client: Any,
        *,
        clock: waiting.Clock | None = None,
        progress: progress_module.Progress | None = None,
        command: str = "openstack",
    ) -> None:
        """Wrap a client.

        :param client: a ``troveclient.v1.client.Client`` over a keystoneauth session
        :param command: how a follow-up command begins, for instance
            ``openstack --os-cloud prod``
        """
        self.client = client
        self.progress = progress or progress_module.Silent()
        self.clock = ServerClock(clock or waiting.SystemClock(), self.progress)
        self.sent: list[str] = []
        self.unanswered = False
        self.look: tuple[str, ...] = ()
        self.awaited: tuple[waiting.Target, ...] = ()
        self.seen: dict[str, str] = {}
        self.slow = False
        self._command = command
        self._deadline: waiting.Deadline | None = None
        self._patience: waiting.Deadline | None = None
        self._bound: waiting.Deadline | None = None
        #: Method and status of each answer in the last call.
        self._answers: list[tuple[str, int]] = []

    def command(self, *words: str) -> str:
        """Spell an ``openstack database`` command that a user can paste."""
        return f"{self._command} database {shlex.join(words)}"

    def read(self, what: str, call: Callable[[], R]) -> R:
        """Ask for something; tried again while no usable answer comes.

        :param what: the thing asked for, for messages: "Backup b1"
        :raises UnreachableError: no usable answer within the deadline, or within
            READ_BUDGET seconds where there is none; a Retry-After is waited for besides
        :raises OutOfTimeError: the time of the whole command ran out before
        :raises NotFoundError, RefusedError, LoginError: as Trove answered
        """
        deadline = self._deadline or self._read_budget()
        limited = self._deadline or waiting.Deadline(self.clock, LIMIT_BUDGET)
        pauses = waiting.pauses(1)
        while True:
            try:
                return self._send(call, deadline)
            except Exception as exc:
                error = errors.translate(exc, what, changing=False)
                pause = errors.retry_after(exc)
                if pause is None and not isinstance(error, UnreachableError):
                    raise error from exc
                if pause is None:
                    pause, until = next(pauses), deadline
                else:
                    pause, until = min(pause, LONGEST_RETRY_AFTER), limited
                if self._is_over(pause):
                    raise OutOfTimeError(f"{error}\nThe time-out is over.") from exc
                if until.remaining <= pause:
                    raise UnreachableError(str(error)) from exc
                self.progress.update(what, f"no answer, trying again ({error})")
                self.clock.sleep(pause)
                if until is limited:
                    deadline = self._deadline or self._read_budget()

    def _read_budget(self) -> waiting.Deadline:
        """Start the time that a read may take; see `patient` and `bound`."""
        least = waiting.Deadline(self.clock, READ_BUDGET)
        patience, bound = self._patience, self._bound
        if patience and patience.remaining > READ_BUDGET:
            return patience
        return bound if bound and 0 < bound.remaining < READ_BUDGET else least

    def _is_over(self, pause: float) -> bool:
        """Tell whether the command's own time would be over after a pause.

        Where it was over before, what is read now is how things stand in the end.
        """
        if self._deadline or self._patience or self._bound is None:
            return False
        return 0 < self._bound.remaining <= pause

    def bound(self, timeout: float) -> None:
        """Let no read go on beyond so many seconds from now (0: for ever).

        For the time-out of a whole command; what follows after it, to find out how
        things stand or to clean up, has READ_BUDGET again.
        """
        self._bound = self.deadline(timeout) if timeout else None

    @contextlib.contextmanager
    def patient(self, deadline: waiting.Deadline) -> Iterator[None]:
        """Let reads be tried again until then, and for READ_BUDGET seconds at least.

        For what follows on a change: what came of it should be known, if it takes
        until the end of the time that the user gave.
        """
        before, self._patience = self._patience, deadline
        try:
            yield
        finally:
            self._patience = before

    def change(
        self,
        what: str,
        call: Callable[[], R],
        *,
        look: tuple[str, ...] = ("instance", "list"),
    ) -> R:
        """Send something that changes the cloud, once.

        A rate limit's 413 with Retry-After is the one answer after which it is
        sent again: the request was turned away unread.

        :param what: what it does, for messages: "delete of backup b1"
        :param look: the words after ``openstack database`` of the command that shows
            what came of it
        :raises LostAnswerError: it may have taken effect or not
        :raises NotFoundError, RefusedError, LoginError: it did not
        """
        budget = waiting.Deadline(self.clock, LIMIT_BUDGET)
        self.sent.append(what)
        self.unanswered, self.look = True, look
        while True:
            try:
                answer = self._send(call, self._deadline)
            except Exception as exc:
                pause = errors.retry_after(exc) if errors.was_unread(exc) else None
                if pause is None or budget.remaining <= pause:
                    raise self._not_done(exc, what) from exc
                self.clock.sleep(pause)
            else:
                self.unanswered = False
                return answer

    def _not_done(self, exc: Exception, what: str) -> TroveExtError:
        """Turn an error of a change into ours; what Trove refused was not sent."""
        changes = [status for method, status in self._answers if method != "GET"]
        if any(status in SUCCESS for status in changes):
            # A stock action reads after it has sent; what was sent is done.
            error: TroveExtError = errors.lost(what, exc)
        elif errors.is_misread(exc) and not changes:
            # It reads, and looks at its arguments, before it sends.
            error = ServiceError(f"{what}: nothing was sent: {exc}")
        else:
            error = errors.translate(exc, what, changing=True)
        if not isinstance(error, LostAnswerError):
            self.sent.pop()
            self.unanswered = False
        return error

    def wait(
        self, targets: Sequence[waiting.Target], deadline: waiting.Deadline
    ) -> list[waiting.Outcome]:
        """Look at all targets until each has arrived or failed, or time is up.

        Reads inside keep to the deadline.
        """
        previous, self._deadline = self._deadline, deadline
        self.awaited = tuple(targets)
        # Whoever waits knows that the change arrived, by its answer or by looking.
        self.unanswered = False
        self.seen = {}
        try:
            outcomes = waiting.wait(
                [self._noting(target) for target in targets],
                deadline=deadline,
                clock=self.clock,
                progress=self.progress,
            )
        finally:
            self._deadline = previous
            self.progress.done()
        self.awaited = ()
        return outcomes

    def _noting(self, target: waiting.Target) -> waiting.Target:
        """Keep what each look says, for whoever ends the command early."""

        def look() -> waiting.Reading:
            reading = target.look()
            self.seen[target.label] = reading.state
            return reading

        return dataclasses.replace(target, look=look)

    def deadline(self, timeout: float) -> waiting.Deadline:
        """Start a deadline of that many seconds from now (0: for ever)."""
        return waiting.Deadline(self.clock, timeout)

    def _send(self, call: Callable[[], R], deadline: waiting.Deadline | None) -> R:
        remaining = deadline.remaining if deadline else REQUEST_TIMEOUT
        session = self.client.client.session
        before = session.timeout
        session.timeout = max(1.0, min(REQUEST_TIMEOUT, remaining))
        hooks = session.session.hooks["response"]
        self._answers = []
        endpoint = self.client.client.management_url

        def note(response: requests.Response, *_args: Any, **_kwargs: Any) -> None:
            method = str(response.request.method)
            self._answers.append((method, response.status_code))
            if str(response.request.url).startswith(str(endpoint)):
                self.clock.note(response)
            errors.refuse_foreign(response)

        hooks.append(note)
        try:
            return call()
        finally:
            hooks.remove(note)
            session.timeout = before


def is_refusal(error: BaseException, *statuses: int) -> bool:
    """Tell whether Trove refused with one of these HTTP statuses."""
    return isinstance(error, RefusedError) and error.status in statuses
