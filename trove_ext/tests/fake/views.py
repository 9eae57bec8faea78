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

"""JSON bodies, key for key as Trove's view modules write them.

trove/instance/views.py, trove/backup/views.py, trove/flavor/views.py,
trove/datastore/views.py, trove/configuration/views.py. A time is in UTC, without
a zone and without fractions (trove/common/base_wsgi.py, JSONDictSerializer).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.errors import server_error
from trove_ext.tests.fake.state import (
    Backup,
    Configuration,
    Datastore,
    DatastoreVersion,
    Flavor,
    Instance,
    Task,
)

Json = dict[str, Any]
HOST = "trove.fake"


def time(moment: datetime) -> str:
    """Format a time as Trove does."""
    return moment.replace(tzinfo=None, microsecond=0).isoformat()


def links(cloud: FakeCloud, path: str, key: str) -> list[Json]:
    """trove/common/views.py: https, whatever the endpoint is."""
    return [
        {"href": f"https://{HOST}/v1.0/{cloud.project_id}/{path}/{key}", "rel": "self"},
        {"href": f"https://{HOST}/{path}/{key}", "rel": "bookmark"},
    ]


def page(
    key: str, rows: list[Json], marker: object, path: str, query: dict[str, str]
) -> Json:
    """trove/common/pagination.py: SimplePaginatedDataView."""
    if not marker:
        return {key: rows}
    changed = urlencode({**query, "marker": quote(str(marker))})
    href = f"https://{HOST}{path}?{changed}"
    return {key: rows, "links": [{"rel": "next", "href": href}]}


def instance(cloud: FakeCloud, row: Instance) -> Json:
    """InstanceView."""
    version = cloud.versions[row.version_id]
    view: Json = {
        "id": row.id,
        "name": row.name,
        "status": cloud.status(row),
        "operating_status": cloud.operating_status(row),
        "links": links(cloud, "instances", row.id),
        "flavor": {
            "id": row.flavor_id,
            "links": links(cloud, "flavors", row.flavor_id),
        },
        "datastore": {"type": version.datastore, "version": version.name},
        "region": row.region,
        "access": {},
        "volume": {"size": row.volume_size},
    }
    if cloud.admin:
        view["tenant_id"] = cloud.project_id
    _add_addresses(view, row)
    if row.replica_of is not None:
        view["replica_of"] = _reference(cloud, row.replica_of)
    replicas = cloud.replicas(row)
    if replicas:
        view["replicas"] = [_reference(cloud, replica.id) for replica in replicas]
    if row.access:
        view["access"] = row.access
    elif "addresses" in view:
        view["access"] = {"is_public": False}
    return view


def _add_addresses(view: Json, row: Instance) -> None:
    if row.hostname:
        view["hostname"] = row.hostname
    elif row.task is not Task.BUILDING and row.network_id:
        view["ip"] = [row.ip]
        view["addresses"] = [
            {"address": row.ip, "type": "private", "network": row.network_id}
        ]


def _reference(cloud: FakeCloud, key: str) -> Json:
    return {"id": key, "links": links(cloud, "instances", key)}


def detail(cloud: FakeCloud, row: Instance) -> Json:
    """InstanceDetailView of a SimpleInstance: what a detailed list shows."""
    view = instance(cloud, row)
    view["created"] = time(row.created)
    view["updated"] = time(row.updated)
    view["service_status_updated"] = time(cloud.heartbeat(row))
    if row.cluster_id:
        view["cluster_id"] = row.cluster_id
    view["datastore"]["version_number"] = cloud.versions[row.version_id].version
    if row.fault:
        view["fault"] = {
            "message": row.fault.message,
            "created": time(row.fault.created),
            "details": "Traceback (most recent call last): ..."
            if cloud.admin
            else None,
        }
    if row.configuration_id in cloud.configurations:
        group = cloud.configurations[row.configuration_id]
        view["configuration"] = {
            "id": group.id,
            "name": group.name,
            "links": links(cloud, "configurations", group.id),
        }
    if row.locality:
        view["locality"] = row.locality
    if cloud.admin:
        view["server_id"] = row.id[::-1]
        view["volume_id"] = row.id[::-1]
        view["encrypted_rpc_messaging"] = False
    return view


def backup(cloud: FakeCloud, row: Backup) -> Json:
    """BackupView."""
    view: Json = {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "locationRef": row.location,
        "instance_id": row.instance_id,
        "created": time(row.created),
        "updated": time(row.updated),
        "size": row.size,
        "status": str(row.state),
        "parent_id": row.parent_id,
        "project_id": cloud.project_id,
    }
    if row.version_id:
        version = cloud.versions[row.version_id]
        view["datastore"] = {
            "type": version.datastore,
            "version": version.name,
            "version_id": version.id,
        }
    return view


def flavor(cloud: FakeCloud, row: Flavor) -> Json:
    """FlavorView: an ID that is no number is only in str_id."""
    number = row.id.isdigit() and not row.id.startswith("0")
    return {
        "id": int(row.id) if number else None,
        "links": links(cloud, "flavors", row.id),
        "name": row.name,
        "ram": row.ram,
        "vcpus": row.vcpus,
        "disk": row.disk,
        "ephemeral": 0,
        "str_id": row.id,
    }


def version(
    cloud: FakeCloud, row: DatastoreVersion, *, with_datastore: bool = True
) -> Json:
    """DatastoreVersionView."""
    view: Json = {
        "id": row.id,
        "name": row.name,
        "version": row.version,
        "links": links(cloud, "datastores/versions", row.id),
    }
    if with_datastore:
        view["datastore"] = cloud.datastores[row.datastore].id
    return view


def datastore(cloud: FakeCloud, row: Datastore) -> Json:
    """DatastoreView."""
    rows = [v for v in cloud.versions.values() if v.datastore == row.name]
    return {
        "id": row.id,
        "name": row.name,
        "links": links(cloud, "datastores", row.id),
        "versions": [version(cloud, v, with_datastore=False) for v in rows],
        "default_version": row.default_version_id,
    }


def configuration(cloud: FakeCloud, row: Configuration) -> Json:
    """ConfigurationView."""
    of = cloud.versions[row.version_id]
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "created": time(row.created),
        "updated": time(row.updated),
        "datastore_version_id": of.id,
        "datastore_name": of.datastore,
        "datastore_version_name": of.name,
    }


def key_page(
    rows: list[Any], key: Callable[[Any], str], query: dict[str, str]
) -> tuple[list[Any], str | None]:
    """Cut one page of at most 20 out of rows, ordered by a key; marker excluded.

    As Trove does for instances, configurations, databases and users
    (trove/common/utils.py, pagination_limit; trove/db/__init__.py).
    """
    try:
        limit = min(int(query.get("limit") or 20), 20)
    except ValueError as exc:
        raise server_error() from exc
    marker = query.get("marker")
    rows = sorted(rows, key=key)
    if marker:
        rows = [row for row in rows if key(row) > marker]
    more = len(rows) > limit
    rows = rows[:limit]
    return rows, key(rows[-1]) if more and rows else None


def parse_query(text: str) -> dict[str, str]:
    """Parse a query string; if a name is given twice, the last one counts."""
    return dict(parse_qsl(text, keep_blank_values=True))
