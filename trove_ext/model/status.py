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

"""Every raw state of Trove, as data; phases and faults, as texts.

Sources: ``trove/instance/models.py`` (``InstanceStatus``, ``SimpleInstance.status``
and ``operating_status``), ``trove/instance/service_status.py`` and
``trove/backup/state.py``. ``status`` is ACTIVE also while a hidden task runs;
``operating_status`` is empty then. Settled is both together.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

# Of an instance: ``status``

ACTIVE = "ACTIVE"
BUILD = "BUILD"
#: A backup of it is in progress.
BACKUP = "BACKUP"
DETACH = "DETACH"
#: It is being deleted (``trove/instance/models.py``, ``SimpleInstance.status``).
DELETING = "SHUTDOWN"
#: The server accepts an action in these (``trove/instance/models.py``,
#: ``validate_can_perform_action``).
RESTART_REQUIRED = "RESTART_REQUIRED"
READY_STATUSES = frozenset({ACTIVE, RESTART_REQUIRED})
#: Trove leaves these only by an admin's reset or a delete.
FAILED_STATUSES = frozenset({"ERROR", "FAILED"})
#: The task of every member while roles change; it never ends if Trove is restarted
#: meanwhile.
SWITCHING_STATUSES = frozenset({"PROMOTE", "EJECT"})

# Of an instance: ``operating_status``

HEALTHY = "HEALTHY"
#: The guest agent reports that the database server does not run.
DATABASE_DOWN = "SHUTDOWN"
#: The heartbeat of the guest agent is stale (``FAILED_TIMEOUT_GUESTAGENT`` in
#: ``trove/instance/service_status.py``).
NOT_HEARD = "ERROR"

# Of a backup

COMPLETED = "COMPLETED"
FAILED = "FAILED"
#: Its data could not be deleted. That also marks the row as deleted, so it is seldom
#: seen (``trove/taskmanager/models.py``, ``BackupTasks.delete_backup``).
DELETE_FAILED = "DELETE_FAILED"
#: Registered from data of another region, not taken here.
RESTORED = "RESTORED"
#: ``trove/backup/state.py``, ``RUNNING_STATES``: Trove refuses to delete these.
RUNNING_BACKUPS = frozenset({"NEW", "BUILDING", "SAVING"})
#: ``trove/backup/models.py``, ``is_done_successfuly``: what a restore accepts.
COMPLETED_BACKUPS = frozenset({COMPLETED, RESTORED})
#: The other two of ``END_STATES`` in ``trove/backup/state.py``. They still count in
#: the quota.
FAILED_BACKUPS = frozenset({FAILED, DELETE_FAILED})

# Of anything

DELETED = "DELETED"

NO_REASON = "Trove stored no reason"
#: How far apart Trove may store a failure and the fault that explains it: one is
#: written by the guest's conductor, the other by the task manager.
FAULT_DELAY = timedelta(seconds=60)


class Phase(enum.Enum):
    """The meaning of a state for a wait."""

    BUSY = "busy"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Fault:
    """The last error that Trove stored for an instance.

    :ivar message: at most 255 characters; the next fault overwrites it
    :ivar created: when it was stored last
    """

    message: str
    created: datetime | None

    @property
    def text(self) -> str:
        """The message in one line."""
        return " ".join(self.message.split())

    def __str__(self) -> str:
        if self.created is None:
            return self.text
        return f"{self.text} (at {self.created.isoformat(timespec='seconds')})"


def new_fault(before: Fault | None, now: Fault | None) -> Fault | None:
    """Return the fault that Trove has stored since *before* was read, if any.

    A fault has no ID in the API: with another time or text it is another fault.
    """
    return now if now != before else None


def fault_between(
    fault: Fault | None, start: datetime | None, end: datetime | None
) -> Fault | None:
    """Return a fault if it was stored within the time of a job, by the server's clock.

    All three times are Trove's own. A time that is missing excludes nothing.

    :param start: when the job began
    :param end: when Trove stored its end
    """
    if fault is None or fault.created is None:
        return fault
    early = start is not None and fault.created < start
    late = end is not None and fault.created > end + FAULT_DELAY
    return None if early or late else fault


def explain(cause: Fault | None, stored: Fault | None) -> str:
    """Describe why a job failed; a fault of something else is marked as such.

    :param cause: the fault of this job, see `new_fault` and `fault_between`
    :param stored: the one that the instance has
    """
    if cause is not None:
        return cause.text
    if stored is None:
        return NO_REASON
    return f"{NO_REASON} for it (the last fault is another one: {stored})"


def is_settled(status: str, operating_status: str | None) -> bool:
    """Return whether no task is in progress and the database is healthy.

    :param operating_status: None if Trove is too old to send the field:
        then ``status`` alone decides
    """
    return status in READY_STATUSES and operating_status in {HEALTHY, None}


def is_database_down(status: str, operating_status: str | None) -> bool:
    """Return whether the database does not run and no task of Trove will change that.

    A backup in progress, the only status besides the ready ones that is no task, does
    not start a database.
    """
    ready = status in READY_STATUSES or status == BACKUP
    return ready and operating_status == DATABASE_DOWN


def is_silent(status: str, operating_status: str | None) -> bool:
    """Return whether the guest agent is not heard although no task is in progress."""
    return status in READY_STATUSES and operating_status == NOT_HEARD


def instance_phase(status: str, operating_status: str | None) -> Phase:
    """Return the phase of the two raw strings."""
    if status in FAILED_STATUSES:
        return Phase.FAILED
    return Phase.DONE if is_settled(status, operating_status) else Phase.BUSY


def describe(status: str, operating_status: str | None) -> str:
    """Join the two raw strings as shown to users: ``ACTIVE/HEALTHY``, ``BUILD``."""
    return f"{status}/{operating_status}" if operating_status else status
