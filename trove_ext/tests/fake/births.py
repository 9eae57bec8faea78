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

"""How instances are created: new, restored, replicas (`InstanceController.create`)."""

from datetime import timedelta
from typing import Any

from trove_ext.tests.fake import errors, schema, views
from trove_ext.tests.fake.backups import TIME_BUG, Backups
from trove_ext.tests.fake.cloud import FakeCloud, Steps
from trove_ext.tests.fake.guest import ALLOWED
from trove_ext.tests.fake.rows import NETWORK_ID
from trove_ext.tests.fake.state import (
    Backup,
    BackupState,
    Content,
    DatastoreVersion,
    Instance,
    Service,
    Task,
    User,
    armed,
)

Answer = tuple[int, Any]


class Births:
    """POST /instances."""

    def __init__(self, cloud: FakeCloud, backups: Backups) -> None:
        self.cloud = cloud
        self.backups = backups

    def create(self, _path: str, _query: Any, body: Any) -> Answer:
        """Check in Trove's order, store BUILD, return the last one stored."""
        data = schema.check("instance", body, schema.INSTANCE, name=True)
        self.cloud.allow("instance:create")
        self._refuse_combinations(data)
        source = self._source(data)
        version = (
            self.cloud.versions[source.version_id] if source else self._version(data)
        )
        if source and (data.get("users") or data.get("databases")):
            raise errors.bad_request("Cannot create a replica with users or databases.")
        self._check_nic(data, source)
        flavor_id = source.flavor_id if source else _last(data.get("flavorRef"))
        self._check_flavor(flavor_id, version)
        size = source.volume_size if source else self._volume(data)
        backup = self._backup(data, size, version)
        if source:
            self.cloud.ready(source)
        if data.get("configuration", "") not in {"", None, *self.cloud.configurations}:
            raise errors.server_error()
        deltas = {
            "instances": 1,
            "ram": self.cloud.flavors[flavor_id].ram,
            "volumes": size,
        }
        with self.cloud.charged(deltas):
            rows = self._store(data, source, version, flavor_id, size)
        if source:
            self.cloud.start(self._replicate(source, rows))
        else:
            rows[0].restored_from = backup.id if backup else None
            self.cloud.start(self._build(rows[0], backup))
        view = views.detail(self.cloud, rows[-1])
        if len(rows) > 1:
            # A list of what each one's root password would be: truthy, and shown.
            view["password"] = [None] * len(rows)
        return 200, {"instance": view}

    # Checks

    def _refuse_combinations(self, data: dict[str, Any]) -> None:
        if data.get("replica_of"):
            given = {
                "flavor": data.get("flavorRef"),
                "datastore": data.get("datastore"),
                "volume": data.get("volume"),
                "locality": data.get("locality"),
            }
            for name, value in given.items():
                if value:
                    raise errors.bad_request(
                        f"Cannot specify {name} when creating replicas."
                    )
        elif (data.get("replica_count") or 0) > 1:
            raise errors.bad_request(
                "Replica count only valid when creating replicas. Cannot create "
                f"{data['replica_count']} instances."
            )

    def _source(self, data: dict[str, Any]) -> Instance | None:
        if not data.get("replica_of"):
            return None
        source = self.cloud.by_id(data["replica_of"])
        if source.replica_of:
            # The plain Forbidden: 401, as if the log-in had failed.
            raise errors.unauthorized(
                f"Cannot create a replica of a replica {source.id}"
            )
        return source

    def _version(self, data: dict[str, Any]) -> DatastoreVersion:
        """`get_datastore_version`: the cloud's default if none is given."""
        given = data.get("datastore") or {}
        name = given.get("type") or self.cloud.default_datastore
        if not name:
            raise errors.bad_request(
                "Please specify datastore. No default datastore is defined."
            )
        stores = self.cloud.datastores.values()
        store = next((s for s in stores if name in (s.id, s.name)), None)
        if store is None:
            raise errors.missing(f"Datastore '{name}' cannot be found.")
        key = given.get("version") or store.default_version_id
        versions = [
            v
            for v in self.cloud.versions.values()
            if v.datastore == store.name and key in (v.id, v.name)
        ]
        if not versions and schema.is_uuid(key):
            raise errors.missing("DBDatastoreVersion Not Found")
        if not versions:
            raise errors.bad_request(f"Datastore version '{key}' cannot be found.")
        if not versions[0].active:
            raise errors.bad_request(f"Datastore version '{key}' is not active.")
        return versions[0]

    @staticmethod
    def _check_nic(data: dict[str, Any], source: Instance | None) -> None:
        for nic in data.get("nics") or []:
            if source and nic.get("ip_address"):
                raise errors.bad_request(
                    "Cannot specify IP address when creating replicas."
                )
            if not any(nic.get(k) for k in ("net-id", "network_id", "subnet_id")):
                raise errors.bad_request(
                    "Instance network or subnet needs to be specified."
                )

    def _check_flavor(self, flavor_id: str, version: DatastoreVersion) -> None:
        if version.flavors and flavor_id not in version.flavors:
            raise errors.bad_request(
                f"Flavor {flavor_id} is not supported for datastore version {version.id}"
            )
        if flavor_id not in self.cloud.flavors:
            raise errors.bad_request(f"Resource {flavor_id} cannot be found.")

    def _volume(self, data: dict[str, Any]) -> int:
        volume = data.get("volume")
        if not volume:
            raise errors.bad_request("Volume size was not specified.")
        size = int(volume["size"])
        if size > self.cloud.max_volume_size:
            raise errors.over_limit(
                "Volume 'size' cannot exceed maximum of "
                f"{self.cloud.max_volume_size} GB, {size} cannot be accepted."
            )
        return size

    def _backup(
        self, data: dict[str, Any], size: int, version: DatastoreVersion
    ) -> Backup | None:
        """Check the named backup alone; Trove does not check its ancestors."""
        if "restorePoint" not in data:
            return None
        backup = self.cloud.backup_by_id(_last(data["restorePoint"]["backupRef"]))
        if backup.state not in (BackupState.COMPLETED, BackupState.RESTORED):
            raise errors.conflict(
                f"Unable to create instance because backup {backup.id} is not "
                f"completed. Actual state: {backup.state}."
            )
        if (backup.size or 0) > size:
            raise errors.forbidden(
                "Backup is too large for given flavor or volume. Backup size: "
                f"{backup.size} GBs. Available size: {size} GBs."
            )
        if backup.object_lost:
            raise errors.missing(
                f"Backup file in {backup.location} was not found in the object storage."
            )
        of = self.cloud.versions[backup.version_id] if backup.version_id else version
        if of.datastore != version.datastore:
            raise errors.bad_request(
                f"The datastore from which the backup was taken, {of.datastore}, does "
                f"not match the destination datastore of {version.datastore}."
            )
        return backup

    # Rows

    def _store(
        self,
        data: dict[str, Any],
        source: Instance | None,
        version: DatastoreVersion,
        flavor_id: str,
        size: int,
    ) -> list[Instance]:
        count = (data.get("replica_count") or 1) if source else 1
        names = [data["name"]]
        if count > 1:
            names = [f"{data['name']}-{number + 1}" for number in range(count)]
        nic: dict[str, Any] = next(iter(data.get("nics") or []), {})
        rows = []
        for name in names:
            now = self.cloud.clock.now()
            row = Instance(
                self.cloud.new_id(), name, now, now, flavor_id, size, version.id
            )
            row.replica_of = source.id if source else None
            row.configuration_id = data.get("configuration") or (
                source.configuration_id if source else None
            )
            row.network_id = nic.get("net-id") or nic.get("network_id") or NETWORK_ID
            row.access = data.get("access")
            row.availability_zone = data.get("availability_zone")
            row.volume_type = (data.get("volume") or {}).get("type")
            row.locality = data.get("locality")
            row.content = _content(data)
            row.database_running = row.built = False
            self.cloud.put(row)
            rows.append(row)
        return rows

    # What the task manager does

    def _build(self, instance: Instance, backup: Backup | None) -> Steps:
        """BUILD, then ACTIVE, or ERROR with the reason in the fault."""
        timings = self.cloud.timings
        instance.server_status = "ACTIVE"
        if self._nova_refuses(instance):
            return
        if armed(self.cloud.knobs.create_hangs, instance):
            yield timings.restore_timeout if backup else timings.usage_timeout
            self._fail(instance, armed(self.cloud.knobs.create_hangs, instance) or "")
            return
        yield timings.restore if backup else timings.create
        failure = self._guest_failure(instance, backup)
        if failure is not None:
            self._fail(instance, failure)
            return
        if backup:
            instance.content = _merged(backup.content, instance.content)
            self._begin_recovery(instance)
        self._serve(instance)

    def _begin_recovery(self, instance: Instance) -> None:
        """HEALTHY comes first on PostgreSQL: its health is ``pg_isready``."""
        if self.cloud.versions[instance.version_id].datastore == "postgresql":
            seconds = self.cloud.timings.recovery
            instance.recovers_until = self.cloud.clock.now() + timedelta(
                seconds=seconds
            )

    def _nova_refuses(self, instance: Instance) -> bool:
        """Cause an armed failure of Nova: at once, and without a server."""
        failure = armed(self.cloud.knobs.create, instance)
        if failure is None:
            return False
        instance.has_server = False
        self._fail(
            instance,
            f"Failed to create server for instance {instance.id}\n{failure} (HTTP 500)",
        )
        return True

    def _guest_failure(self, instance: Instance, backup: Backup | None) -> str | None:
        if backup is None:
            return None
        failure = armed(self.cloud.knobs.restore, instance)
        return failure or self.backups.chain_problem(backup)

    def _serve(self, instance: Instance) -> None:
        # Not if it has been deleted in the meantime.
        if instance.task is Task.BUILDING:
            instance.database_running = instance.built = True
            self.cloud.settle(instance)

    def _fail(self, instance: Instance, message: str) -> None:
        if instance.task is Task.BUILDING:
            self.cloud.set_task(Task.BUILDING_ERROR_TIMEOUT_GA, instance)
            instance.service = Service.FAILED
            self.cloud.blame(instance, message)

    def _replicate(self, source: Instance, replicas: list[Instance]) -> Steps:
        """`_create_replication_slave`: one snapshot for all, deleted at the end."""
        for replica in replicas:
            replica.server_status = "ACTIVE"
        snapshot = self._snapshot_row(source, replicas[0])
        yield self.cloud.timings.backup_queued
        if self._snapshot_fails(source, replicas[0], snapshot):
            return
        self.backups.set_state(snapshot, BackupState.BUILDING)
        yield self.cloud.timings.backup
        self.backups.complete(source, snapshot)
        yield self.cloud.timings.create
        for replica in replicas:
            yield from self._attach(source, replica)
        try:
            self.backups.delete(snapshot.id)
        except errors.ApiError as error:
            self.cloud.blame(replicas[0], error.reason)

    def _snapshot_row(self, source: Instance, first: Instance) -> Backup:
        """`get_replication_master_snapshot`: incremental if there is a backup."""
        parent = self.backups.last_completed(source.id)
        name = f"Replication snapshot for {first.id}"
        snapshot = self.backups.add_row(source, name, parent)
        snapshot.description = "Backup image used to initialize replication slave"
        return snapshot

    def _snapshot_fails(
        self, source: Instance, first: Instance, snapshot: Backup
    ) -> bool:
        """Take from the backup quota, late; cause armed failures.

        Trove then tries to delete the snapshot, which is refused because it counts
        as running: it stays NEW and keeps the source in BACKUP.
        """
        failure = armed(self.cloud.knobs.snapshot, source)
        try:
            with self.cloud.charged({"backups": 1}):
                if failure is None and source.off_since is None:
                    return False
                raise errors.bad_request(failure or "Timeout.")
        except errors.ApiError:
            self.cloud.blame(
                source,
                f"Error creating replication snapshot from instance {source.id} for "
                f"new replica {first.id}.",
            )
        self.cloud.set_task(Task.BUILDING_ERROR_REPLICA, first)
        self.cloud.blame(
            first,
            "An error occurred while deleting a bad replication snapshot from "
            f"instance {source.id}.\n{TIME_BUG}",
        )
        return True

    def _attach(self, source: Instance, replica: Instance) -> Steps:
        if armed(self.cloud.knobs.create_hangs, replica):
            yield self.cloud.timings.restore_timeout
            self._fail(replica, "Polling request timed out.")
            return
        if self._nova_refuses(replica):
            return
        replica.content = source.content.copy()
        replica.read_only = True
        self._serve(replica)


def _last(reference: object) -> str:
    """An ID, also at the end of a link (`utils.get_id_from_href`)."""
    return str(reference).split("/")[-1]


def _content(data: dict[str, Any]) -> Content:
    """Create as the guest does: nothing after a name that it refuses.

    `_prepare` in trove/guestagent/datastore/manager.py tries databases and users apart,
    and only logs what fails.
    """
    content = Content()
    for given in data.get("databases") or []:
        if not ALLOWED.match(given["name"]):
            break
        content.databases.add(given["name"])
    for given in data.get("users") or []:
        databases = {db["name"] for db in given.get("databases") or []}
        if "," in given["name"] or not all(map(ALLOWED.match, databases)):
            break
        user = User(given["name"], given.get("host", "%"), given["password"], databases)
        content.users[user.name, user.host] = user
    return content


def _merged(restored: Content, asked: Content) -> Content:
    content = restored.copy()
    content.databases |= asked.databases
    content.users.update(asked.users)
    return content
