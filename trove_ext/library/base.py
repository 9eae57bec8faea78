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

"""What all methods of a connection share: references, one run per call, waiting."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import NotFoundError, TroveExtError
from trove_ext.trove import read, wait_report
from trove_ext.trove.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trove_ext.model.backup import Backup
    from trove_ext.model.instance import Instance
    from trove_ext.polling import Deadline, Target
    from trove_ext.trove.client import Cloud

#: Seconds that a wait may take unless the caller says otherwise.
TIMEOUT = 3600.0


@dataclass(slots=True)
class Job:
    """One call of a method that changes something or waits.

    :ivar result: what the call returns, as read so far
    """

    deadline: Deadline
    result: object = None


class Base:
    """The connection without its methods for jobs."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    @property
    def client(self) -> Any:
        """The ``troveclient.v1.client.Client``, for requests that have no method here.

        Its requests are sent without the rules of this library.
        """
        return self._cloud.client

    @contextlib.contextmanager
    def _job(self, timeout: float) -> Iterator[Job]:
        """Start the time of a call; its errors get what it has read and sent.

        :param timeout: seconds; 0 for no limit
        """
        self._cloud.journal = journal = Journal()
        job = Job(self._cloud.start(timeout))
        try:
            yield job
        except TroveExtError as exc:
            summary = journal.summary()
            unanswered = [summary.unanswered] if summary.unanswered else []
            exc.sent = tuple(each.what for each in [*summary.sent, *unanswered])
            exc.result = job.result
            raise

    def _reading(self) -> contextlib.AbstractContextManager[Job]:
        """Start a call that only reads: each request has the client's own limits."""
        return self._job(0)

    def _await(self, targets: Iterable[Target], deadline: Deadline) -> None:
        """Wait for all of them.

        :raises ResourceFailedError: one ended in an error state
        :raises WaitTimeoutError: time is over; the operation continues on the server
        """
        outcomes = self._cloud.wait(list(targets), deadline)
        wait_report.raise_for(outcomes)

    def _instances(self, instances: Iterable[Instance]) -> tuple[Instance, ...]:
        return tuple(self._again(read.get_instance, instances))

    def _backups(self, backups: Iterable[Backup]) -> tuple[Backup, ...]:
        return tuple(self._again(read.get_backup, backups))

    def _again(
        self, get: Callable[[Cloud, str], Any], things: Iterable[Any]
    ) -> Iterator[Any]:
        """Read resources again, without deleted ones."""
        for thing in things:
            with contextlib.suppress(NotFoundError):
                yield get(self._cloud, thing.id)


def reference(thing: str | Backup | Instance) -> str:
    """Return the ID of a record; a name or an ID unchanged."""
    return thing if isinstance(thing, str) else thing.id


def raise_if(error: TroveExtError | None) -> None:
    """Raise the error in the result of a workflow."""
    if error is not None:
        raise error
