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

"""Databases, users and root of an instance (trove/extensions/common)."""

import re
from typing import Any
from urllib.parse import unquote

from trove_ext.tests.fake import errors, schema, views
from trove_ext.tests.fake.cloud import FakeCloud, Steps
from trove_ext.tests.fake.state import Instance, Service, User

Answer = tuple[int, Any]
#: ``MySQLSchema.dbname`` in trove/common/db/mysql/models.py.
ALLOWED = re.compile(r"^[A-Za-z0-9_-]+[\s?#@]*[A-Za-z0-9_-]+$")
#: System databases, which Trove hides (trove/common/cfg.py, ignore_dbs).
RESERVED = ["mysql", "information_schema", "performance_schema", "sys"]


class Guest:
    """What the API reads from and writes to a database server."""

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud

    def _load(self, rule: str, instance_id: str) -> Instance:
        """`load_and_verify`.

        :raises ApiError: 404; 403; 422 when the database does not run; 400 after
            the guest's time-out when the host is off
        """
        instance = self.cloud.built(instance_id)
        self.cloud.allow(f"instance:extension:{rule}")
        if instance.service not in (Service.HEALTHY, Service.RUNNING):
            raise errors.unprocessable(
                f"Instance {instance_id} is not ready, status: "
                f"{instance.service.description}."
            )
        if instance.off_since is not None:
            self.cloud.clock.advance(self.cloud.timings.agent_call)
            raise errors.bad_request("Timeout trying to connect to the Guest Agent.")
        return instance

    # Databases

    def databases(
        self, path: str, query: dict[str, str], _body: Any, instance_id: str
    ) -> Answer:
        """GET /instances/ID/databases: pages of 20 by name.

        One name that Trove does not allow fails the page that it is on.
        """
        instance = self._load("database:index", instance_id)
        self._check_names(instance)
        names, marker = views.key_page(list(instance.content.databases), str, query)
        for name in names:
            if not ALLOWED.match(name):
                raise errors.bad_request(f"'{name}' is not a valid schema name.")
        rows = [{"name": name} for name in names]
        return 200, views.page("databases", rows, marker, path, query)

    def create_databases(
        self, _path: str, _query: Any, body: Any, instance_id: str
    ) -> Answer:
        """POST /instances/ID/databases; replicated a moment later."""
        wanted = schema.check_list("databases", body, schema.DATABASES)
        instance = self._load("database:create", instance_id)
        self._check_names(instance)
        with self.cloud.blamed(instance_id):
            for database in wanted:
                self._check_new_database(instance, database["name"])
            if self.cloud.is_postgresql(instance) and not self.cloud.takes_writes(
                instance
            ):
                # A cast: its failure is in the log of the guest alone.
                return 202, None
            for database in wanted:
                self._write(instance, database["name"], drop=False)
        return 202, None

    def _check_names(self, instance: Instance) -> None:
        """Fail on PostgreSQL over any name: the guest lists all before it chooses."""
        if self.cloud.versions[instance.version_id].datastore == "postgresql":
            for name in instance.content.databases:
                if not ALLOWED.match(name):
                    raise errors.bad_request(f"'{name}' is not a valid schema name.")

    @staticmethod
    def _check_new_database(instance: Instance, name: str) -> None:
        if name in RESERVED:
            raise errors.bad_request(
                f'Database name "{name}" is on the reserved list: {RESERVED}.'
            )
        if name in instance.content.databases:
            raise errors.bad_request(
                f'A database with the name "{name}" already exists.'
            )

    def delete_database(
        self, _path: str, _query: Any, _body: Any, instance_id: str, name: str
    ) -> Answer:
        """DELETE /instances/ID/databases/NAME."""
        instance = self._load("database:delete", instance_id)
        name = unquote(name)
        with self.cloud.blamed(instance_id):
            if name not in instance.content.databases:
                raise errors.missing(
                    f"Database {name} cannot be found on the instance."
                )
        self._write(instance, name, drop=True)
        return 202, None

    def _recovers(self, instance: Instance) -> bool:
        """Whether the server is read-only: it still replays its WAL."""
        until = instance.recovers_until
        return until is not None and self.cloud.clock.now() < until

    def _write(self, instance: Instance, name: str, *, drop: bool) -> None:
        if self._recovers(instance):
            # A cast: the guest only logs that it failed.
            return
        _apply(instance, name, drop=drop)
        for replica in self.cloud.replicas(instance):
            self.cloud.start(self._replicate(instance, replica, name, drop=drop))

    def _replicate(
        self, source: Instance, replica: Instance, name: str, *, drop: bool
    ) -> Steps:
        yield self.cloud.timings.replication
        if (
            replica.replicating
            and replica.replica_of == source.id
            and replica.database_running
            and replica.off_since is None
        ):
            _apply(replica, name, drop=drop)

    # Users

    def users(
        self, path: str, query: dict[str, str], _body: Any, instance_id: str
    ) -> Answer:
        """GET /instances/ID/users: pages of 20 by name@host, without passwords."""
        instance = self._load("user:index", instance_id)
        users, marker = views.key_page(
            list(instance.content.users.values()),
            lambda user: f"{user.name}@{user.host}",
            query,
        )
        rows = [_user_view(user) for user in users]
        return 200, views.page("users", rows, marker, path, query)

    def create_users(
        self, _path: str, _query: Any, body: Any, instance_id: str
    ) -> Answer:
        """POST /instances/ID/users."""
        wanted = schema.check_list("users", body, schema.USERS)
        instance = self._load("user:create", instance_id)
        for given in wanted:
            databases = {db["name"] for db in given.get("databases") or []}
            user = User(
                given["name"], given.get("host", "%"), given["password"], databases
            )
            if (user.name, user.host) in instance.content.users:
                raise errors.bad_request(
                    f'A user with the name "{user.name}" already exists.'
                )
            instance.content.users[user.name, user.host] = user
        return 202, None

    def _user(self, instance: Instance, key: str) -> User:
        name, _, host = unquote(unquote(key)).partition("@")
        user = instance.content.users.get((name, host or "%"))
        if user is None:
            raise errors.missing(f"User {key} cannot be found on the instance.")
        return user

    def user(
        self, _path: str, _query: Any, _body: Any, instance_id: str, key: str
    ) -> Answer:
        """GET /instances/ID/users/NAME."""
        instance = self._load("user:show", instance_id)
        return 200, {"user": _user_view(self._user(instance, key))}

    def delete_user(
        self, _path: str, _query: Any, _body: Any, instance_id: str, key: str
    ) -> Answer:
        """DELETE /instances/ID/users/NAME."""
        instance = self._load("user:delete", instance_id)
        user = self._user(instance, key)
        del instance.content.users[user.name, user.host]
        return 202, None

    def access(
        self, _path: str, _query: Any, _body: Any, instance_id: str, key: str
    ) -> Answer:
        """GET /instances/ID/users/NAME/databases."""
        instance = self._load("user_access:index", instance_id)
        names = sorted(self._user(instance, key).databases)
        return 200, {"databases": [{"name": name} for name in names]}

    def grant(
        self, _path: str, _query: Any, body: Any, instance_id: str, key: str
    ) -> Answer:
        """PUT /instances/ID/users/NAME/databases."""
        instance = self._load("user_access:update", instance_id)
        user = self._user(instance, key)
        user.databases |= {db["name"] for db in body["databases"]}
        return 202, None

    def revoke(
        self, _path: str, _query: Any, _body: Any, instance_id: str, key: str, name: str
    ) -> Answer:
        """DELETE /instances/ID/users/NAME/databases/DATABASE."""
        instance = self._load("user_access:delete", instance_id)
        user = self._user(instance, key)
        if unquote(name) not in user.databases:
            raise errors.missing(f"Database {name} cannot be found on the instance.")
        user.databases.discard(unquote(name))
        return 202, None

    # Root

    def root(self, _path: str, _query: Any, _body: Any, instance_id: str) -> Answer:
        """GET /instances/ID/root."""
        return 200, {"rootEnabled": self._load("root:index", instance_id).root_enabled}

    def enable_root(
        self, _path: str, _query: Any, body: Any, instance_id: str
    ) -> Answer:
        """POST /instances/ID/root."""
        instance = self._load("root:create", instance_id)
        if self._recovers(instance):
            raise errors.server_error()
        instance.root_enabled = True
        password = (body or {}).get("password") or "fake-root-password"
        instance.root_password = password
        return 200, {"user": {"name": "root", "password": password}}

    def disable_root(
        self, _path: str, _query: Any, _body: Any, instance_id: str
    ) -> Answer:
        """DELETE /instances/ID/root."""
        instance = self._load("root:delete", instance_id)
        if not instance.root_enabled:
            raise errors.missing("Root user has never been enabled on the instance.")
        instance.root_enabled, instance.root_password = False, ""
        return 204, None


def _apply(instance: Instance, name: str, *, drop: bool) -> None:
    if drop:
        instance.content.databases.discard(name)
    else:
        instance.content.databases.add(name)


def _user_view(user: User) -> dict[str, Any]:
    databases = [{"name": name} for name in sorted(user.databases)]
    return {"name": user.name, "host": user.host, "databases": databases}
