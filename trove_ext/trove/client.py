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

"""The one place that sends requests to Trove.

Reads are retried with increasing pauses; a change is sent once. Every request has a
read time-out. Every error of a request is raised as one of :mod:`trove_ext.exceptions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from trove_ext import polling
from trove_ext import progress as progress_module
from trove_ext.exceptions import (
    LostAnswerError,
    MalformedAnswerError,
    OutOfTimeError,
    RefusedError,
    ServiceError,
    TroveExtError,
    UnreachableError,
)
from trove_ext.follow_up import Action, Verb
from trove_ext.trove import errors, upstream
from trove_ext.trove.engine import Engines
from trove_ext.trove.journal import Change, Journal
from trove_ext.trove.limits import LONGEST_RETRY_AFTER, Limits
from trove_ext.trove.server_clock import ServerClock
from trove_ext.trove.shared_reads import SharedReads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    import requests

R = TypeVar("R")

SUCCESS = range(200, 300)
REDIRECTS = range(300, 400)
LIST_INSTANCES = Action(Verb.LIST_INSTANCES)


class Cloud:
    """troveclient's managers, with this project's rules for requests.

    :ivar client: a ``troveclient.v1.client.Client``
    :ivar limits: how long the run and its requests may take
    :ivar journal: what was sent so far, and the current wait
    :ivar engines: knows the engine of a datastore
    :ivar shared: what the targets of a wait read together
    :ivar slow: whether a large page did not arrive in time: small ones are read then
    """

    def __init__(
        self,
        client: Any,
        *,
        clock: polling.Clock | None = None,
        progress: progress_module.Progress | None = None,
        engine: str | None = None,
    ) -> None:
        """Wrap a client.

        :param client: a ``troveclient.v1.client.Client`` over a keystoneauth session
        :param engine: the engine of the instances, for instance ``postgresql``; None
            for the one that the name of the datastore shows
        """
        self.client = client
        self.progress = progress or progress_module.Silent()
        self.clock = ServerClock(clock or polling.SystemClock(), self.progress)
        self.limits = Limits(self.clock)
        self.journal = Journal()
        self.engines = Engines(self.progress, engine)
        self.shared = SharedReads(self)
        self.slow = False

    def read(self, what: str, call: Callable[[], R]) -> R:
        """Read something; retry while no usable response arrives.

        :param what: the thing that is read, for messages: "Backup b1"
        :raises UnreachableError: no usable response within the deadline, or within
            READ_BUDGET seconds if there is none; a Retry-After adds to that
        :raises OutOfTimeError: the time of the run ended before that
        :raises NotFoundError, RefusedError, LoginError: as Trove responded
        """
        deadline = self.limits.for_read()
        limited = self.limits.for_rate_limit()
        is_final = self.limits.are_over
        pauses = polling.pauses()
        while True:
            answers = self._answers()
            try:
                return self._send(call, answers, self.limits.of_request(deadline))
            except Exception as exc:
                if not answers.received and errors.is_misread(exc):
                    # Nothing was sent: the call itself is wrong.
                    raise
                error = errors.translate(exc, what, changing=False)
                pause = errors.retry_after(exc)
                if pause is None and not _may_be_repeated(error):
                    raise error from exc
                if pause is None:
                    pause, until = next(pauses), deadline
                else:
                    pause, until = min(pause, LONGEST_RETRY_AFTER), limited
                if not is_final and self.limits.ends_within(pause):
                    raise OutOfTimeError(f"{error}\nThe time-out is over.") from exc
                if until.remaining <= pause:
                    raise UnreachableError(str(error)) from exc
                self.progress.update(what, f"no response, retrying ({error})")
                self.clock.sleep(pause)
                if until is limited:
                    deadline = self.limits.for_read()

    def change(
        self,
        what: str,
        call: Callable[[], R],
        *,
        shown_by: Action = LIST_INSTANCES,
        about: str = "",
    ) -> R:
        """Send something that changes the cloud, once.

        It is sent again only after a rate limit's 413 with Retry-After: Trove has
        rejected the request without reading it.

        :param what: what it does, for messages: "delete of backup b1"
        :param shown_by: the action that shows its effect
        :param about: the ID or name of the thing that it makes or changes, for
            :meth:`~trove_ext.trove.journal.Journal.has_sent`
        :raises LostAnswerError: it may have taken effect or not
        :raises NotFoundError, RefusedError, LoginError: it did not
        """
        limited = self.limits.for_rate_limit()
        self.journal.sending(Change(what, self.here(shown_by), about))
        while True:
            answers = self._answers()
            try:
                result = self._send(call, answers, self.limits.of_request())
            except Exception as exc:
                pause = errors.retry_after(exc) if errors.was_unread(exc) else None
                if pause is None or limited.remaining <= pause:
                    raise self._failed(exc, what, answers) from exc
                self.clock.sleep(pause)
            else:
                self.journal.answered()
                return result

    def here(self, action: Action) -> Action:
        """Return an action as one that is done in the region of this cloud."""
        return action

    def _failed(self, exc: Exception, what: str, answers: _Answers) -> TroveExtError:
        """Translate an error of a change; a refused change counts as not sent.

        :raises Exception: ``exc`` itself if it is no error of a request
        """
        if answers.has_changed:
            # A stock action reads after it has sent; what was sent is done.
            self.journal.answered()
        if not errors.is_of_request(exc):
            raise exc
        if answers.has_changed:
            error: TroveExtError = errors.lost(what, exc)
        elif errors.is_misread(exc) and not answers.changes:
            # It reads, and checks its arguments, before it sends.
            error = ServiceError(f"{what}: nothing was sent: {exc}")
        elif answers.are_elsewhere(errors.url_of(exc)):
            # Keystone failed: Trove received nothing, or rejected the old token.
            error = errors.translate(exc, what, changing=False)
        else:
            error = errors.translate(exc, what, changing=True)
        if not isinstance(error, LostAnswerError):
            self.journal.not_done()
        return error

    def wait(
        self, targets: Sequence[polling.Target], deadline: polling.Deadline
    ) -> list[polling.Outcome]:
        """Read all targets until each is done or failed, or time is up.

        Reads inside keep to the deadline.
        """
        noted = self.journal.waiting(targets)
        try:
            with self.limits.waiting(deadline):
                outcomes = polling.wait(
                    noted,
                    deadline=deadline,
                    clock=self.clock,
                    progress=self.progress,
                    shared=self.shared,
                )
        finally:
            self.shared.end()
            self.progress.done()
        self.journal.waited()
        return outcomes

    def start(self, timeout: float) -> polling.Deadline:
        """Start the time of the run; see :meth:`~trove_ext.trove.limits.Limits.start`.

        :param timeout: seconds; 0 for no limit
        """
        return self.limits.start(timeout)

    def deadline(self, timeout: float) -> polling.Deadline:
        """Start a deadline of its own, of this many seconds (0: no limit)."""
        return self.limits.deadline(timeout)

    def patient(self, deadline: polling.Deadline) -> AbstractContextManager[None]:
        """Retry reads until then; see :class:`~trove_ext.trove.limits.Limits`."""
        return self.limits.patient(deadline)

    def _answers(self) -> _Answers:
        return _Answers(str(self.client.client.management_url), self.clock)

    def _send(self, call: Callable[[], R], answers: _Answers, timeout: float) -> R:
        self.journal.requests += 1
        with (
            upstream.request_timeout(self.client, timeout),
            upstream.response_hook(self.client, answers.note),
        ):
            return call()


class _Answers:
    """Trove's responses in one call.

    keystoneauth sends requests to Keystone in between, to renew a token: their
    responses prove nothing about what was sent to Trove.

    :ivar received: whether there was any response of Trove
    :ivar changes: the status of each response to a request that is no read
    """

    def __init__(self, endpoint: str, clock: ServerClock) -> None:
        self._endpoint = urlsplit(endpoint)
        self._clock = clock
        self._redirected = False
        self.received = False
        self.changes: list[int] = []

    @property
    def has_changed(self) -> bool:
        """Whether a change was accepted."""
        return any(status in SUCCESS for status in self.changes)

    def note(self, response: requests.Response, *_args: Any, **_kwargs: Any) -> None:
        """Record a response; see :func:`trove_ext.trove.errors.refuse_foreign`."""
        if not (self._redirected or self._is_own(str(response.request.url))):
            return
        # keystoneauth follows any redirect.
        self._redirected = response.status_code in REDIRECTS
        self.received = True
        self._clock.note(response)
        if response.request.method != "GET":
            self.changes.append(response.status_code)
        errors.refuse_foreign(response)

    def are_elsewhere(self, url: str | None) -> bool:
        """Whether a request that failed was sent to another service than Trove."""
        return url is not None and not self._redirected and not self._is_own(url)

    def _is_own(self, url: str) -> bool:
        parts = urlsplit(url)
        path = self._endpoint.path.rstrip("/")
        return parts.netloc == self._endpoint.netloc and (
            parts.path == path or parts.path.startswith(f"{path}/")
        )


def _may_be_repeated(error: TroveExtError) -> bool:
    """Whether a retry of this read may succeed."""
    return isinstance(error, UnreachableError) and not isinstance(
        error, MalformedAnswerError
    )


def is_refusal(error: BaseException, *statuses: int) -> bool:
    """Whether Trove refused with one of these HTTP statuses."""
    return isinstance(error, RefusedError) and error.status in statuses
