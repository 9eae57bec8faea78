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

"""The tables of a fake cloud: what tests add, and how rows are found."""

import random
import uuid
from collections.abc import Callable
from datetime import datetime

from trove_ext.tests.fake import errors
from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.state import (
    Backup,
    BackupState,
    Configuration,
    Content,
    Datastore,
    DatastoreVersion,
    Flavor,
    Instance,
)

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
    DatastoreVersion("00000000-0000-4000-8000-000000000015", "15", "15", "postgresql"),
)
DATASTORES = (
    Datastore("00000000-0000-4000-8000-00000000da01", "mysql", VERSIONS[0].id),
    Datastore("00000000-0000-4000-8000-00000000da02", "mariadb", VERSIONS[2].id),
    Datastore("00000000-0000-4000-8000-00000000da03", "postgresql", VERSIONS[3].id),
)


class Rows:
    """Instances, backups and groups; deleted rows are kept and marked."""

    clock: FakeClock
    instances: dict[str, Instance]
    backups: dict[str, Backup]
    configurations: dict[str, Configuration]
    flavors: dict[str, Flavor]
    datastores: dict[str, Datastore]
    versions: dict[str, DatastoreVersion]
    settle: Callable[[Instance], None]
    charge: Callable[[dict[str, int]], None]
    _random: random.Random

    def new_id(self) -> str:
        """Create an ID; the sequence is the same in every run."""
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
        """Add a settled instance without any check; the quotas count it."""
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
        storage_driver: str = "swift",
    ) -> Backup:
        """Add a backup without any check; the quota counts it."""
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
            storage_driver=storage_driver,
            content=instance.content.copy(),
        )
        if state in (BackupState.COMPLETED, BackupState.RESTORED):
            self.store(backup, size)
        self.backups[backup.id] = backup
        self.charge({"backups": 1})
        return backup

    @staticmethod
    def store(backup: Backup, size: float | None) -> None:
        """Give a backup its object in the store, or its volume snapshot."""
        backup.size = size
        if backup.storage_driver == "cinder":
            backup.location = f"cinder://{backup.id[::-1]}"
            return
        backup.location = (
            "http://swift.fake/v1/AUTH_"
            + PROJECT_ID
            + f"/database_backups/{backup.id}.xbstream.gz.enc"
        )

    def add_configuration(
        self, name: str, datastore: str = "mysql", **values: object
    ) -> Configuration:
        """Add a configuration group for the default version of a datastore."""
        now = self.clock.now()
        version_id = self.datastores[datastore].default_version_id
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

    def built(self, instance_id: str) -> Instance:
        """Find an instance that has a server (`load_instance`, needs_server).

        :raises ApiError: 404; 422 if Nova never created a server
        """
        found = self.by_id(instance_id)
        if not found.has_server:
            raise errors.unprocessable(f"Instance {instance_id} is not ready.")
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

    def is_postgresql(self, instance: Instance) -> bool:
        """Whether the instance has that engine."""
        return self.versions[instance.version_id].datastore == "postgresql"

    def takes_writes(self, instance: Instance) -> bool:
        """Whether the database of a PostgreSQL instance accepts a write."""
        fenced = bool(instance.settings.get("default_transaction_read_only"))
        return not fenced and (instance.replica_of is None or instance.diverged)

    def running_backup(self, instance: Instance) -> Backup | None:
        """Find a backup that keeps the instance busy."""
        for backup in self.live_backups:
            if backup.instance_id == instance.id and backup.state.is_running:
                return backup
        return None
