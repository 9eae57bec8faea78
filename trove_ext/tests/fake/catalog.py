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

"""What a project can choose from: flavors, datastores, groups, quotas, limits."""

from typing import Any

from trove_ext.tests.fake import errors, views
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.state import Configuration, Datastore, DatastoreVersion

Answer = tuple[int, Any]


class Catalog:
    """Reads with few rules."""

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud

    def flavors(self, _path: str, _query: Any, _body: Any) -> Answer:
        """GET /flavors."""
        rows = [views.flavor(self.cloud, row) for row in self.cloud.flavors.values()]
        return 200, {"flavors": rows}

    def flavor(self, _path: str, _query: Any, _body: Any, flavor_id: str) -> Answer:
        """GET /flavors/ID: 404 here, while a create with such a flavor is 400."""
        if flavor_id not in self.cloud.flavors:
            raise errors.not_found(flavor_id)
        return 200, {"flavor": views.flavor(self.cloud, self.cloud.flavors[flavor_id])}

    def datastores(self, _path: str, _query: Any, _body: Any) -> Answer:
        """GET /datastores."""
        rows = [views.datastore(self.cloud, r) for r in self.cloud.datastores.values()]
        return 200, {"datastores": rows}

    def _datastore(self, key: str) -> Datastore:
        for row in self.cloud.datastores.values():
            if key in (row.id, row.name):
                return row
        raise errors.missing(f"Datastore '{key}' cannot be found.")

    def datastore(self, _path: str, _query: Any, _body: Any, key: str) -> Answer:
        """GET /datastores/ID."""
        return 200, {"datastore": views.datastore(self.cloud, self._datastore(key))}

    def _versions(self, key: str) -> list[DatastoreVersion]:
        store = self._datastore(key)
        return [v for v in self.cloud.versions.values() if v.datastore == store.name]

    def versions(self, _path: str, _query: Any, _body: Any, key: str) -> Answer:
        """GET /datastores/ID/versions: plain users see those that are active."""
        found = [row for row in self._versions(key) if row.active or self.cloud.admin]
        rows = [views.version(self.cloud, row) for row in found]
        return 200, {"versions": rows}

    def version(
        self, _path: str, _query: Any, _body: Any, key: str, version: str
    ) -> Answer:
        """GET /datastores/ID/versions/VERSION."""
        for row in self._versions(key):
            if version in (row.id, row.name):
                return 200, {"version": views.version(self.cloud, row)}
        raise errors.bad_request(f"Datastore version '{version}' cannot be found.")

    def version_by_id(
        self, _path: str, _query: Any, _body: Any, version: str
    ) -> Answer:
        """GET /datastores/versions/VERSION."""
        if version not in self.cloud.versions:
            raise errors.bad_request(f"Datastore version '{version}' cannot be found.")
        row = self.cloud.versions[version]
        return 200, {"version": views.version(self.cloud, row)}

    def version_flavors(
        self, _path: str, _query: Any, _body: Any, _key: str, version: str
    ) -> Answer:
        """GET /datastores/ID/versions/ID/flavors: the bound ones, or all."""
        bound = self.cloud.versions[version].flavors or tuple(self.cloud.flavors)
        rows = [row for row in self.cloud.flavors.values() if row.id in bound]
        return 200, {"flavors": [views.flavor(self.cloud, row) for row in rows]}

    def configurations(self, path: str, query: dict[str, str], _body: Any) -> Answer:
        """GET /configurations."""
        rows, marker = views.key_page(
            list(self.cloud.configurations.values()), lambda row: row.id, query
        )
        shown = [views.configuration(self.cloud, row) for row in rows]
        return 200, views.page("configurations", shown, marker, path, query)

    def _configuration(self, key: str) -> Configuration:
        if key not in self.cloud.configurations:
            raise errors.missing(
                f"Configuration group with ID {key} could not be found."
            )
        return self.cloud.configurations[key]

    def configuration(self, _path: str, _query: Any, _body: Any, key: str) -> Answer:
        """GET /configurations/ID."""
        row = self._configuration(key)
        view = views.configuration(self.cloud, row)
        users = [i for i in self.cloud.live_instances if i.configuration_id == row.id]
        number = self.cloud.versions[row.version_id].version
        view.update(
            values=row.values,
            instance_count=len(users),
            datastore_version_number=number,
        )
        return 200, {"configuration": view}

    def quotas(self, _path: str, _query: Any, _body: Any, project_id: str) -> Answer:
        """GET /mgmt/quotas/PROJECT: a plain user sees the own project's."""
        if project_id != self.cloud.project_id and not self.cloud.admin:
            raise errors.forbidden(
                f"Operation not allowed for tenant {self.cloud.project_id}."
            )
        rows = [
            {
                "resource": name,
                "in_use": self.cloud.usage[name],
                "reserved": 0,
                "limit": limit,
            }
            for name, limit in self.cloud.quotas.items()
        ]
        return 200, {"quotas": rows}

    def limits(self, _path: str, _query: Any, _body: Any) -> Answer:
        """GET /limits."""
        absolute = {f"max_{name}": limit for name, limit in self.cloud.quotas.items()}
        return 200, {"limits": [{"verb": "ABSOLUTE", **absolute}]}
