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

"""Configuration groups: trove/configuration/service.py and instance/models.py.

A guest keeps the values of its group in a file, to which a change only adds
(`ImportOverrideStrategy.apply`): a value is gone with the file, at a detach.
"""

from typing import Any

from trove_ext.tests.fake import errors, views
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.state import Configuration, Instance, Task

Answer = tuple[int, Any]
TIMEOUT = "Timeout trying to connect to the Guest Agent."
#: A few of the rules of trove/templates/postgresql/validation-rules.json: the name,
#: the type, and whether a change needs a restart.
PARAMETERS: dict[str, tuple[type, bool]] = {
    "default_transaction_read_only": (bool, False),
    "idle_in_transaction_session_timeout": (int, False),
    "work_mem": (int, False),
    "shared_buffers": (int, True),
    # Of the templates of MySQL, where it has a default.
    "max_connections": (int, False),
}


class Configurations:
    """What changes groups, and applies them to instances."""

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud

    # Requests

    def create(self, _path: str, _query: Any, body: Any) -> Answer:
        """POST /configurations."""
        data = body["configuration"]
        self.cloud.allow("configuration:create")
        values = self._checked(data["values"])
        chosen = data.get("datastore", {})
        store = chosen.get("type") or self.cloud.default_datastore
        version = next(
            row.id
            for row in self.cloud.versions.values()
            if row.datastore == store and chosen.get("version") in (row.id, row.name)
        )
        now = self.cloud.clock.now()
        group = Configuration(
            self.cloud.new_id(), data["name"], version, now, now, values=values
        )
        self.cloud.configurations[group.id] = group
        view = views.configuration(self.cloud, group)
        return 200, {"configuration": {**view, "values": values, "instance_count": 0}}

    def edit(self, _path: str, _query: Any, body: Any, key: str) -> Answer:
        """PATCH: adds values, and applies the group to all of its instances."""
        group = self._group(key, "edit")
        group.values |= self._checked(body["configuration"]["values"])
        self._refresh(group)
        return 202, None

    def update(self, _path: str, _query: Any, body: Any, key: str) -> Answer:
        """PUT: replaces the values, and applies the group."""
        group = self._group(key, "update")
        group.values = self._checked(body["configuration"].get("values", {}))
        self._refresh(group)
        return 202, None

    def delete(self, _path: str, _query: Any, _body: Any, key: str) -> Answer:
        """DELETE: refused while an instance has it."""
        group = self._group(key, "delete")
        if self._users(group):
            raise errors.bad_request(
                "A configuration group cannot be deleted if it is associated with "
                "one or more non-terminated instances. Detach the configuration "
                "group from all non-terminated instances and please try again."
            )
        del self.cloud.configurations[group.id]
        return 202, None

    def instances(
        self, path: str, query: dict[str, str], _body: Any, key: str
    ) -> Answer:
        """GET /configurations/ID/instances."""
        users = self._users(self._group(key, "instances"))
        rows, marker = views.key_page(users, lambda row: row.id, query)
        shown = [{"id": row.id, "name": row.name} for row in rows]
        return 200, views.page("instances", shown, marker, path, query)

    def parameters(
        self, _path: str, _query: Any, _body: Any, store: str, version: str
    ) -> Answer:
        """GET /datastores/ID/versions/ID/parameters."""
        del store
        rows = [
            {
                "name": name,
                "type": "boolean" if kind is bool else "integer",
                "restart_required": restart,
                "datastore_version_id": version,
            }
            for name, (kind, restart) in PARAMETERS.items()
        ]
        return 200, {"configuration-parameters": rows}

    # What a guest does with a group

    def attach(self, member: Instance, group: Configuration) -> None:
        """`attach_configuration`: of the same version ID only."""
        if group.version_id != member.version_id:
            raise errors.bad_request(
                "Datastore Version on Configuration "
                f"{group.version_id} does not match the Datastore Version on the "
                f"instance {member.version_id}."
            )
        self._apply(member, group)

    def detach(self, member: Instance, group: Configuration | None) -> None:
        """`remove_configuration`: without a restart only if the group is empty.

        The template of PostgreSQL has defaults for none of these rules.
        """
        self._reach(member)
        member.overrides = {}
        member.configuration_id = None
        left = bool(group and group.values) and self.cloud.is_postgresql(member)
        self.cloud.set_task(Task.RESTART_REQUIRED if left else Task.NONE, member)
        if not left:
            member.settings = {}

    def _refresh(self, group: Configuration) -> None:
        for member in self._users(group):
            with self.cloud.blamed(member.id):
                self._apply(member, group)
        group.updated = self.cloud.clock.now()

    def _apply(self, member: Instance, group: Configuration) -> None:
        """`update_configuration`, which ends whatever task the instance has."""
        self._reach(member)
        member.overrides |= group.values
        member.configuration_id = group.id
        restart = any(PARAMETERS.get(name, (0, False))[1] for name in group.values)
        self.cloud.set_task(Task.RESTART_REQUIRED if restart else Task.NONE, member)
        if not restart:
            member.settings = dict(member.overrides)

    def _reach(self, member: Instance) -> None:
        if member.off_since is not None:
            self.cloud.clock.advance(self.cloud.timings.agent_call)
            raise errors.bad_request(TIMEOUT)

    def _users(self, group: Configuration) -> list[Instance]:
        found = self.cloud.live_instances
        return [row for row in found if row.configuration_id == group.id]

    def _group(self, key: str, rule: str) -> Configuration:
        self.cloud.allow(f"configuration:{rule}")
        if key not in self.cloud.configurations:
            raise errors.missing(
                f"Configuration group with ID {key} could not be found."
            )
        return self.cloud.configurations[key]

    def _checked(self, values: dict[str, object]) -> dict[str, object]:
        for name, value in values.items():
            if name not in PARAMETERS:
                raise errors.unprocessable(
                    f"The configuration parameter {name} is not supported for this "
                    "datastore."
                )
            if not isinstance(value, PARAMETERS[name][0]):
                raise errors.unprocessable(
                    f"The value provided for the configuration parameter {name} is not "
                    "of the right type."
                )
        return dict(values)
