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
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from trove_ext.tests.fake import errors
from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.log import RequestLog
from trove_ext.tests.fake.state import (
    TASK_STATUS,
    Backup,
    BackupState,
    Configuration,
    Content,
    Datastore,
    DatastoreVersion,
    Fault,
    Flavor,
    Instance,
    Knobs,
    Service,
    Task,
    Timings,
)
from trove_ext.tests.fake.trouble import Trouble

#: What a process yields: the seconds until its next step.
Steps = Generator[float, None, None]

PROJECT_ID = "5f0e7a1c9d3b4e6f8a2b4c6d8e0f1a2b"
NETWORK_ID = "33a0fb4d-1c8f-4a55-8fb9-e2a2c2c5a3c4"

FLAVORS = (
    Flavor("10", "db.small", ram=2048, vcpus=1),
    Flavor("11", "db.medium", ram=4096, vcpus=2),
    Flavor("a1b2c3d4-0000-4000-8000-00000000000c", "db.large", ram=8192, vcpus=4),
)
VERSIONS = (
    DatastoreVersion(
        "00000000-0000-4000-8000-000000000571", "5.7.29", "5.7.29", "mysql"
    ),
    DatastoreVersion(
        "00000000-0000-4000-8000-000000000572", "5.7.40", "5.7.40", "mysql"
    ),
    DatastoreVersion(
        "00000000-0000-4000-8000-000000001011", "10.11", "10.11", "mariadb"
    ),
)
DATASTORES = (
    Datastore("00000000-0000-4000-8000-00000000da01", "mysql", VERSIONS[0].id),
    Datastore("00000000-0000-4000-8000-00000000da02", "mariadb", VERSIONS[2].id),
)


class GuestError(Exception):
    """A guest agent refused, failed or stayed silent."""


class FakeCloud(Trouble):
    """Trove and Keystone as their users see them, with Trove's rules.

    Tests read and change the public attributes as they like. `instances` and
    `backups` keep what was deleted, marked so, as Trove's tables do.

    :ivar admin: whether the user has the role admin
    :ivar quotas: limits by resource; volumes in GB, ram in MB, -1 for none
    :ivar rate_limit: requests of one method a minute, None for no limit
    """

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
        self.forbidden: set[str] = set()
        self.default_datastore: str | None = "mysql"
        self.flavors = {flavor.id: flavor for flavor in FLAVORS}
        self.versions = {version.id: version for version in VERSIONS}
        self.datastores = {store.name: store for store in DATASTORES}
        self.configurations: dict[str, Configuration] = {}
        self.instances: dict[str, Instance] = {}
        self.backups: dict[str, Backup] = {}
        self._random = random.Random(seed)
        self._generation = 0

    # Rows

    def new_id(self) -> str:
        """Make an ID: the same ones in every run."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def add_instance(
        self,
        name: str,
        *,
        replica_of: Instance | None = None,
        volume: int = 5,
        flavor: str = "10",
        datastore: str = "mysql",
        databases: tuple[str, ...] = (),
        access: dict[str, object] | None = None,
        created: datetime | None = None,
    ) -> Instance:
        """Put a settled instance there, past all rules but counted by the quotas."""
        created = created or self.clock.now()
        instance = Instance(
            self.new_id(),
            name,
            created,
            created,
            flavor_id=flavor,
            volume_size=volume,
            version_id=self.datastores[datastore].default_version_id,
            replica_of=replica_of.id if replica_of else None,
            network_id=NETWORK_ID,
            access=access,
            content=(
                replica_of.content.copy() if replica_of else Content(set(databases))
            ),
        )
        self.put(instance)
        self.settle(instance)
        deltas = {"instances": 1, "ram": self.flavors[flavor].ram, "volumes": volume}
        self.charge(deltas)
        return instance

    def put(self, instance: Instance) -> None:
        """Store a new instance and give it an address."""
        number = len(self.instances) + 1
        instance.ip = f"10.0.{number // 250}.{number % 250 + 1}"
        self.instances[instance.id] = instance

    def add_backup(
        self,
        name: str,
        instance: Instance,
        *,
        parent: Backup | None = None,
        state: BackupState = BackupState.COMPLETED,
        size: float | None = 0.31,
        created: datetime | None = None,
        description: str | None = None,
    ) -> Backup:
        """Put a backup there, past all rules but counted by the quota."""
        created = created or self.clock.now()
        backup = Backup(
            self.new_id(),
            name,
            created,
            created,
            instance.id,
            instance.version_id,
            description=description,
            parent_id=parent.id if parent else None,
            state=state,
            content=instance.content.copy(),
        )
        if state in (BackupState.COMPLETED, BackupState.RESTORED):
            self.store(backup, size)
        self.backups[backup.id] = backup
        self.charge({"backups": 1})
        return backup

    @staticmethod
    def store(backup: Backup, size: float | None) -> None:
        """Give a backup its object in the store."""
        backup.size = size
        backup.location = (
            "http://swift.fake/v1/AUTH_"
            + PROJECT_ID
            + f"/database_backups/{backup.id}.xbstream.gz.enc"
        )

    def add_configuration(self, name: str, **values: object) -> Configuration:
        """Put a configuration group there, for the default version of mysql."""
        now = self.clock.now()
        version_id = self.datastores["mysql"].default_version_id
        group = Configuration(
            self.new_id(), name, version_id, now, now, values=dict(values)
        )
        self.configurations[group.id] = group
        return group

    def instance(self, key: str) -> Instance:
        """Find the instance with this ID or name that is not deleted.

        :raises ApiError: 404
        """
        for instance in self.instances.values():
            if not instance.deleted and key in (instance.id, instance.name):
                return instance
        raise errors.not_found(key)

    def backup(self, key: str) -> Backup:
        """Find the backup with this ID or name that is not deleted.

        :raises ApiError: 404
        """
        for backup in self.backups.values():
            if not backup.deleted and key in (backup.id, backup.name):
                return backup
        raise errors.not_found(key)

    def by_id(self, instance_id: str) -> Instance:
        """Find an instance as the API does, by its ID alone.

        :raises ApiError: 404
        """
        found = self.instances.get(instance_id)
        if found is None or found.deleted:
            raise errors.not_found(instance_id)
        return found

    def backup_by_id(self, backup_id: str) -> Backup:
        """Find a backup as the API does, by its ID alone.

        :raises ApiError: 404
        """
        found = self.backups.get(backup_id)
        if found is None or found.deleted:
            raise errors.not_found(backup_id)
        return found

    @property
    def live_instances(self) -> list[Instance]:
        """All that are not deleted."""
        return [i for i in self.instances.values() if not i.deleted]

    @property
    def live_backups(self) -> list[Backup]:
        """All that are not deleted."""
        return [b for b in self.backups.values() if not b.deleted]

    def replicas(self, source: Instance) -> list[Instance]:
        """List the replicas of a source."""
        return [i for i in self.live_instances if i.replica_of == source.id]

    def running_backup(self, instance: Instance) -> Backup | None:
        """Find a backup that keeps the instance busy."""
        for backup in self.live_backups:
            if backup.instance_id == instance.id and backup.state.is_running:
                return backup
        return None

    # States, as trove/instance/models.py derives them

    def heartbeat(self, instance: Instance) -> datetime:
        """When the guest agent was last heard of."""
        return instance.off_since or self.clock.now()

    def heartbeat_is_current(self, instance: Instance) -> bool:
        """Whether it was heard of within the expiry."""
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
        """Ask the policy.

        :raises ApiError: 403
        """
        admin_only = rule in ("instance:reset_status", "backup:index:all_projects")
        if rule in self.forbidden or (admin_only and not self.admin):
            raise errors.policy_refusal(rule)

    def ready(self, instance: Instance) -> None:
        """`Instance.validate_can_perform_action`.

        It looks at the stored service status: a dead host's still says HEALTHY.

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
        """Store a refusal as the instance's fault, over the one that is there.

        That is `StartNotification` (trove/common/notification.py) together with
        `persist_instance_fault`.
        """
        try:
            yield
        except errors.ApiError as error:
            if instance_id in self.instances:
                self.blame(self.instances[instance_id], error.message)
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

    # What goes on by itself

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
