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

"""The state of a fake cloud, its clock, and what all of its rules share."""

import random
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from trove_ext.tests.fake import errors
from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.log import Request, RequestLog
from trove_ext.tests.fake.rows import (
    DATASTORES,
    FLAVORS,
    PROJECT_ID,
    VERSIONS,
    Rows,
)
from trove_ext.tests.fake.state import (
    TASK_STATUS,
    Backup,
    Configuration,
    Fault,
    Instance,
    Knobs,
    Service,
    Task,
    Timings,
)
from trove_ext.tests.fake.trouble import Trouble

if TYPE_CHECKING:
    from trove_ext.tests.fake.server import Server

#: What a simulated process yields: the seconds until its next step.
Steps = Generator[float, None, None]


class GuestError(Exception):
    """A guest agent refused, failed or stayed silent."""


class FakeCloud(Rows, Trouble):
    """Trove and Keystone as their users see them, with Trove's rules.

    Tests read and change the public attributes as they like. `instances` and
    `backups` keep what was deleted, marked so, as Trove's tables do.

    :ivar admin: whether the user has the role admin
    :ivar quotas: limits by resource; volumes in GB, ram in MB, -1 for none
    :ivar rate_limit: requests of one method a minute, None for no limit
    :ivar older_backup_delete: the delete of a running backup is refused with 422
        for three days, and not with 500 at any age
    :ivar storage_strategy: the storage driver of a backup whose request names none
    :ivar older_update: every PUT and PATCH that names no configuration group takes the
        one of the instance away, as in Trove 19.0.1, 21.1, 22.0, 23.0.0 and 24.0.0
    :ivar missing_fields: names that are missing in every response of Trove
    :ivar has_date_header: whether Trove's responses have the header ``Date``
    :ivar local_skew: how far the machine of a run of `openstack` is ahead of the
        cloud, by its time of day
    :ivar before_request: called with each request before a server sees it; what
        they raise is raised by the request, as by a signal handler
    :ivar after_request: the same when it was carried out, before the response
    """

    #: Made when it is first needed (`transport.server_of`).
    server: "Server"

    def __init__(self, clock: FakeClock, *, seed: int = 1) -> None:
        self.clock = clock
        self.timings = Timings()
        self.knobs = Knobs()
        self.log = RequestLog()
        self.project_id = PROJECT_ID
        self.admin = False
        self.quotas = {"instances": 50, "ram": -1, "volumes": 1000, "backups": 50}
        self.usage = dict.fromkeys(self.quotas, 0)
        self.max_volume_size = 100
        self.rate_limit: int | None = None
        self.older_backup_delete = False
        self.older_update = False
        self.storage_strategy = "swift"
        self.missing_fields: set[str] = set()
        self.has_date_header = True
        self.local_skew = timedelta()
        self.before_request: list[Callable[[Request], None]] = []
        self.after_request: list[Callable[[Request], None]] = []
        self.forbidden: set[str] = set()
        self.default_datastore: str | None = "mysql"
        self.flavors = {flavor.id: flavor for flavor in FLAVORS}
        # Copies: tests change them.
        self.versions = {version.id: replace(version) for version in VERSIONS}
        self.datastores = {store.name: replace(store) for store in DATASTORES}
        self.configurations: dict[str, Configuration] = {}
        self.instances: dict[str, Instance] = {}
        self.backups: dict[str, Backup] = {}
        self._random = random.Random(seed)
        self._generation = 0

    # States, as trove/instance/models.py derives them

    def heartbeat(self, instance: Instance) -> datetime:
        """The time of the guest agent's last heartbeat."""
        return instance.off_since or self.clock.now()

    def heartbeat_is_current(self, instance: Instance) -> bool:
        """Whether the last heartbeat is not older than the expiry."""
        age = self.clock.now() - self.heartbeat(instance)
        return age < timedelta(seconds=self.timings.heartbeat_expiry)

    def service(self, instance: Instance) -> Service:
        """The service status that a GET shows (`update_service_status`)."""
        if instance.task is Task.NONE and not self.heartbeat_is_current(instance):
            return Service.FAILED_TIMEOUT_GUESTAGENT
        return instance.service

    def status(self, instance: Instance) -> str:
        """`SimpleInstance.status`."""
        if instance.task.is_error:
            return "ERROR"
        if instance.task in TASK_STATUS:
            return TASK_STATUS[instance.task]
        return "BACKUP" if self.running_backup(instance) else instance.server_status

    def operating_status(self, instance: Instance) -> str:
        """`SimpleInstance.operating_status`: empty while there is a task."""
        if instance.task is not Task.NONE or instance.server_status != "ACTIVE":
            return ""
        return self.service(instance).api_status

    # What the rules share

    def allow(self, rule: str) -> None:
        """Check the policy.

        :raises ApiError: 403
        """
        admin_only = rule in ("instance:reset_status", "backup:index:all_projects")
        if rule in self.forbidden or (admin_only and not self.admin):
            raise errors.policy_refusal(rule)

    def ready(self, instance: Instance) -> None:
        """`Instance.validate_can_perform_action`.

        It checks the stored service status: that of a dead host is still HEALTHY.

        :raises ApiError: 422
        """
        kind = "instance"
        if instance.server_status != "ACTIVE":
            status = instance.server_status
        elif instance.task not in (Task.NONE, Task.RESTART_REQUIRED):
            kind, status = "task", instance.task.action
        elif not instance.service.action_is_allowed:
            status = self.status(instance)
        elif self.running_backup(instance):
            status = "BACKUP"
        else:
            return
        raise errors.unprocessable(
            f"Instance {instance.id} is not currently available for an action to be "
            f"performed ({kind} status was {status})."
        )

    @contextmanager
    def blamed(self, instance_id: str) -> Iterator[None]:
        """Store a refusal as the instance's fault, replacing the existing one.

        That is `StartNotification` (trove/common/notification.py) together with
        `persist_instance_fault`.
        """
        try:
            yield
        except errors.ApiError as error:
            if instance_id in self.instances:
                self.blame(self.instances[instance_id], error.reason)
            raise

    def blame(self, instance: Instance, message: str) -> None:
        """Overwrite the instance's fault."""
        instance.fault = Fault(errors.fault_text(message), self.clock.now())

    @contextmanager
    def charged(self, deltas: dict[str, int]) -> Iterator[None]:
        """`run_with_quotas`: take from the quotas unless the body fails.

        :raises ApiError: 413
        """
        overs = [
            name
            for name, delta in deltas.items()
            if delta > 0
            and self.quotas[name] >= 0
            and self.usage[name] + delta > self.quotas[name]
        ]
        if overs:
            raise errors.quota_exceeded(overs)
        yield
        self.charge(deltas)

    def charge(self, deltas: dict[str, int]) -> None:
        """Count without a check; Trove never goes below zero."""
        for name, delta in deltas.items():
            self.usage[name] = max(0, self.usage[name] + delta)

    # What happens by itself

    def start(self, steps: Steps, *, guest: Instance | None = None) -> None:
        """Run a process in virtual time.

        It ends when Trove is restarted; one inside a `guest` outlives that, and
        ends with its host.
        """
        generation = self._generation

        def step() -> None:
            gone = guest is not None and (guest.deleted or guest.off_since is not None)
            stopped = guest is None and generation != self._generation
            if gone or stopped:
                return
            pause = next(steps, None)
            if pause is not None:
                self.clock.after(pause, step)

        self.clock.after(0.0, step)

    def touch(self, row: Instance | Backup) -> None:
        """Move `updated`, as every save does."""
        row.updated = self.clock.now()

    def set_task(self, task: Task, *instances: Instance) -> None:
        """Store a task on instances."""
        for instance in instances:
            instance.task = task
            self.touch(instance)

    def settle(self, instance: Instance) -> None:
        """End a build at once: ACTIVE and as healthy as its server is."""
        instance.server_status = "ACTIVE"
        self.set_task(Task.NONE, instance)
        self.beat(instance)

    def finish(self, instance: Instance) -> Steps:
        """End a task: NONE now, HEALTHY with the next heartbeat."""
        if not instance.deleted:
            self.set_task(Task.NONE, instance)
            yield self.timings.heartbeat
            self.beat(instance)
