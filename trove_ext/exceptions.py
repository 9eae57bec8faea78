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

"""All errors, under one root.

Each error has its facts as attributes, its exit code, and what to do next as data, so
a script can act on it and the command line can print it. The texts name the resource,
what was expected and what was found.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Self

from trove_ext.follow_up import FollowUp, Problem, merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Exit(enum.IntEnum):
    """The exit codes of the commands."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INTERNAL = 70
    BUSY = 75
    TIMEOUT = 124
    HANGUP = 129
    INTERRUPTED = 130
    PIPE = 141
    TERMINATED = 143


class TroveExtError(Exception):
    """The root: an error that a user can read and act on.

    :ivar follow_ups: what to do next; several are in order
    :ivar result: set by the Python library: what the failed call would have returned,
        as it was read last; None if nothing was created or read
    :ivar sent: set by the Python library: the changing requests of the failed call that
        Trove accepted or may have accepted, in words
    """

    exit_code = Exit.FAILED
    result: object = None
    sent: tuple[str, ...] = ()

    def __init__(
        self, message: str = "", *, follow_ups: Iterable[FollowUp] = ()
    ) -> None:
        self.follow_ups = tuple(follow_ups)
        super().__init__(message)

    def extended(self, line: str) -> Self:
        """Add a line to the message; the kind of error and its facts stay."""
        self.args = (f"{self}\n{line}",)
        return self


class UsageError(TroveExtError):
    """The command line is wrong."""

    exit_code = Exit.USAGE


class CheckError(TroveExtError):
    """Checks made before the first changing request failed; nothing was changed.

    :ivar problems: all that is wrong, one text each
    :ivar details: the same with what to do about each
    """

    def __init__(
        self, what: str, problems: Iterable[str | Problem | TroveExtError]
    ) -> None:
        self.what = what
        self.details = tuple(map(_as_problem, problems))
        self.problems = tuple(map(str, self.details))
        self._lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(
            f"{what}; nothing was changed:{self._lines}",
            follow_ups=merged(each.follow_ups for each in self.details),
        )

    @property
    def of_a_step(self) -> str:
        """The message if it ends a job that has changed something before."""
        return f"{self.what}:{self._lines}"


def _as_problem(problem: str | Problem | TroveExtError) -> Problem:
    if isinstance(problem, TroveExtError):
        return Problem(str(problem), problem.follow_ups)
    return Problem(problem) if isinstance(problem, str) else problem


class ConfigError(TroveExtError):
    """The settings of a cloud can't be used, or there is no such cloud."""


class NotFoundError(TroveExtError):
    """No such resource exists, on any page of the list."""


class AmbiguousNameError(TroveExtError):
    """Several resources have this name.

    :ivar candidates: what is known of each, by its ID
    """

    def __init__(self, kind: str, name: str, candidates: Mapping[str, str]) -> None:
        self.candidates = dict(candidates)
        # In one line: it may be a cell of a table, or read by a monitor.
        ids = ", ".join(f"{key} ({known})" for key, known in self.candidates.items())
        super().__init__(
            f"More than one {kind} exists with the name {name!r}; give the ID of one: "
            f"{ids}"
        )


class ServiceError(TroveExtError):
    """Trove or Keystone responded with an error, or not at all."""


class RefusedError(ServiceError):
    """Trove read the request and refused it: nothing was changed.

    :ivar status: the HTTP status
    :ivar reason: Trove's own message
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        reason: str = "",
        follow_ups: Iterable[FollowUp] = (),
    ) -> None:
        self.status = status
        self.reason = reason
        super().__init__(message, follow_ups=follow_ups)


class PolicyError(RefusedError):
    """The cloud's policy forbids this request to this user (HTTP 403)."""


class LoginError(ServiceError):
    """Keystone did not accept the credentials, or an expired token can't be renewed."""


class UnreachableError(ServiceError):
    """No usable response arrived to a request that changes nothing."""


class MalformedAnswerError(UnreachableError):
    """Trove's response lacks a required field, or has it in an invalid form.

    It is raised only by code that makes a record of a response. The same request would
    get the same response, so it is not retried.
    """


class InternalError(TroveExtError):
    """A bug in this project's own code; its cause is the exception behind it."""

    exit_code = Exit.INTERNAL


class LostAnswerError(ServiceError):
    """No usable response arrived to a request that changes something.

    It may or may not have taken effect: check before anything is sent again.
    """


class ResourceFailedError(TroveExtError):
    """What was waited for ended in an error state."""


class WaitTimeoutError(TroveExtError):
    """The caller's time-out is over; the operation continues on the server."""

    exit_code = Exit.TIMEOUT


class OutOfTimeError(WaitTimeoutError):
    """No usable response arrived before the caller's time-out."""


class BusyError(TroveExtError):
    """Another operation is in progress: try again later."""

    exit_code = Exit.BUSY


class NotConfirmedError(TroveExtError):
    """The user did not confirm; nothing was changed."""


class PartialFailureError(TroveExtError):
    """Some of several targets failed; each was reported already."""


class InterruptedJobError(TroveExtError):
    """A signal ended the command.

    :ivar exit_code: 128 and the number of the signal
    """

    def __init__(
        self, message: str, exit_code: Exit, follow_ups: Iterable[FollowUp] = ()
    ) -> None:
        self.exit_code = exit_code
        super().__init__(message, follow_ups=follow_ups)
