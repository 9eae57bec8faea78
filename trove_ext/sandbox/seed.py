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

"""Rows for tests at scale: instances, replicas and backups without processes.

They are written to Trove's tables and the stand-ins' inventory: a thousand real
instances need 125 GB. Trove lists, shows and deletes them like any other; it refuses
what needs a guest.
"""

import datetime as dt
import json
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from trove_ext.sandbox import database, labels, projects
from trove_ext.sandbox.standins.store import Row, Store
from trove_ext.sandbox.state import SandboxError, Settings, StateDir

# No guest sends heartbeats for them, so this one must never become stale.
_HEARTBEAT = dt.datetime(2099, 1, 1)  # noqa: DTZ001 - as Trove stores it: UTC
# Trove's IDs for "no tasks" and "healthy" (trove/instance/tasks.py and
# service_status.py).
_NO_TASK = (1, "No tasks for the instance.")
_HEALTHY = (33, "healthy")
_CHAIN = 7
"""A full backup and six incrementals: a week."""
_SET_EVERY, _REPLICAS = 10, 2
"""The first of each ten instances is a source, the next two are its replicas."""
_FAILED_EVERY = 50
_GB = 5


@dataclass(frozen=True)
class _Place:
    """The values that all rows of one seeding share.

    :ivar version: the ID of the instances' datastore version
    :ivar backup_version: of the backups'; None as in rows of a Trove that stored none
    """

    tenant: str
    version: str
    now: dt.datetime
    backup_version: str | None = None


def instances(count: int, place: _Place) -> list[Row]:
    """Create rows of made-up instances for Trove's table."""
    rows: list[Row] = []
    source = None
    for number in range(count):
        position = number % _SET_EVERY
        if position == 0:
            source = None
        row = _instance(number, place)
        if position == 0:
            source = row["id"]
        elif position <= _REPLICAS:
            row["slave_of_id"] = source
        rows.append(row)
    return rows


def _instance(number: int, place: _Place) -> Row:
    created = place.now - dt.timedelta(days=60, minutes=-number)
    return {
        "id": str(uuid.uuid4()),
        "created": created,
        "updated": created,
        "name": f"seed-{number:05}",
        "compute_instance_id": str(uuid.uuid4()),
        "task_id": _NO_TASK[0],
        "task_description": _NO_TASK[1],
        "volume_id": str(uuid.uuid4()),
        "flavor_id": labels.FLAVORS[1].id,
        "volume_size": _GB,
        "tenant_id": place.tenant,
        "deleted": 0,
        "datastore_version_id": place.version,
        "slave_of_id": None,
        "region_id": labels.REGION,
        "access": json.dumps({"is_public": False}),
    }


def backups(count: int, of: Sequence[Row], place: _Place) -> Iterator[Row]:
    """Create rows of made-up backups of these instances: chains of a week, one a day.

    Oldest first; one of fifty failed, and the next one builds upon the last that
    didn't.
    """
    each, more = divmod(count, len(of))
    for number, instance in enumerate(of):
        length = each + (1 if number < more else 0)
        yield from _history(instance, length, number, place)


def _history(instance: Row, length: int, number: int, place: _Place) -> Iterator[Row]:
    parent = None
    for day in range(length):
        if day % _CHAIN == 0:
            parent = None
        age = dt.timedelta(days=length - day - 1, hours=1, seconds=number)
        is_failed = (number * length + day) % _FAILED_EVERY == _FAILED_EVERY - 1
        row = _backup(instance, parent, place.now - age, place)
        if is_failed:
            row |= {"state": "FAILED", "location": None, "checksum": None, "size": None}
        else:
            parent = row["id"]
        yield row


def _backup(instance: Row, parent: str | None, made: dt.datetime, place: _Place) -> Row:
    backup_id = str(uuid.uuid4())
    url = f"http://127.0.0.1:1/v1/AUTH_{place.tenant}/{labels.SEEDED_CONTAINER}"
    return {
        "id": backup_id,
        "name": f"{instance['name']}-{made:%Y%m%d}",
        "location": f"{url}/{backup_id}.xbstream",
        "backup_type": "incremental" if parent else "full",
        "size": round(random.uniform(0.1, _GB), 2),
        "tenant_id": place.tenant,
        "state": "COMPLETED",
        "instance_id": instance["id"],
        "checksum": uuid.uuid4().hex,
        "deleted": 0,
        "created": made,
        "updated": made,
        "parent_id": parent,
        "datastore_version_id": place.backup_version,
        "storage_driver": "swift",
    }


def _heartbeat(instance: Row) -> Row:
    return {
        "id": str(uuid.uuid4()),
        "instance_id": instance["id"],
        "status_id": _HEALTHY[0],
        "status_description": _HEALTHY[1],
        "updated_at": _HEARTBEAT,
    }


def _server(instance: Row) -> Row:
    return {
        "id": instance["compute_instance_id"],
        "name": instance["name"],
        "instance_id": instance["id"],
        "status": "ACTIVE",
        "hosted": False,
        "seeded": True,
        "metadata": {
            "trove_instance_id": instance["id"],
            "trove_project_id": instance["tenant_id"],
        },
        "tags": [
            "trove_instance",
            f"trove_instance_id_{instance['id']}",
            f"trove_project_id_{instance['tenant_id']}",
        ],
        "image_id": labels.IMAGE_ID,
        "flavor_id": instance["flavor_id"],
        "memory_mb": labels.FLAVORS[1].ram,
        "volume_gb": _GB,
        "address": "",
    }


def _volume(instance: Row) -> Row:
    return {
        "id": instance["volume_id"],
        "name": f"trove-{instance['id']}",
        "size": _GB,
        "volume_type": labels.VOLUME_TYPES[0].name,
        "status": "in-use",
        "attachments": [],
        "availability_zone": "nova",
        "created_at": instance["created"].isoformat(),
    }


def _insert(cursor: Any, table: str, rows: Sequence[Row]) -> None:
    if not rows:
        return
    names = list(rows[0])
    marks = ", ".join(["%s"] * len(names))
    sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"
    cursor.executemany(sql, [[row[name] for name in names] for row in rows])


def _count_used(cursor: Any, tenant: str, used: dict[str, int]) -> None:
    for resource, number in used.items():
        cursor.execute(
            "UPDATE quota_usages SET in_use = in_use + %s"
            " WHERE tenant_id = %s AND resource = %s",
            (number, tenant, resource),
        )


def _place(cursor: Any, tenant: str, *, with_version: bool) -> _Place:
    cursor.execute(
        "SELECT v.id FROM datastore_versions v JOIN datastores d"
        " ON d.id = v.datastore_id WHERE d.default_version_id = v.id AND d.name = %s",
        ("mysql",),
    )
    now = dt.datetime.now(dt.timezone.utc).replace(microsecond=0, tzinfo=None)
    version = cursor.fetchone()["id"]
    return _Place(tenant, version, now, version if with_version else None)


def run(
    where: StateDir,
    settings: Settings,
    cloud: str,
    number: int,
    of_backups: int,
    *,
    with_version: bool = True,
) -> None:
    """Fill the project of *cloud* with instances and backups.

    Trove queries its database four times for each row of a backup that has a datastore
    version (``trove/backup/views.py``): without one its own cost can be separated from
    that of the client.

    Raises SandboxError if backups are requested without an instance for them, or if
    the sandbox isn't running.
    """
    if of_backups and not number:
        raise SandboxError("Backups need instances: give --instances as well")
    if not database.answers(settings):
        raise SandboxError("The sandbox isn't running: start it with trove-sandbox up")
    tenant = projects.project_id(where, cloud)
    projects.warm(settings, tenant)
    with database.connect(settings) as connection, connection.cursor() as cursor:
        place = _place(cursor, tenant, with_version=with_version)
        made = instances(number, place)
        history = list(backups(of_backups, made, place)) if made else []
        _insert(cursor, "instances", made)
        _insert(cursor, "service_statuses", [_heartbeat(row) for row in made])
        _insert(cursor, "backups", history)
        used = {"instances": number, "backups": of_backups, "volumes": number * _GB}
        _count_used(cursor, tenant, used | {"ram": number * labels.FLAVORS[1].ram})
        _stock(where, made)
        connection.commit()


def _stock(where: StateDir, made: Sequence[Row]) -> None:
    """Add the servers and volumes of the made-up instances to the stand-ins."""
    store = Store(where.inventory)
    store.put_all("server", [(_server(row), row["id"]) for row in made])
    store.put_all("volume", [(_volume(row), "") for row in made])
    store.close()
