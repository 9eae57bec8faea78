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

"""Databases and users of an instance, and its root: by Trove's own code.

PgSqlAdmin of trove/guestagent/datastore/postgres/service.py runs unchanged, with its
weaknesses; only the connection to the server differs.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from trove.common import cfg
from trove.guestagent.datastore.postgres import service

from trove_ext.sandbox.guest.engine import Page, Serialized
from trove_ext.sandbox.guest.postgresql import config
from trove_ext.sandbox.guest.postgresql.sql import socket_host

CONF = cfg.CONF


class _Connection(service.PostgresConnection):  # type: ignore[misc]
    """The original, except that the path of the socket changes with each use."""

    def __init__(self, run: Path, database: str = config.SUPERUSER) -> None:
        super().__init__(config.SUPERUSER, port=config.PORT, database=database)
        self._run = run

    def _execute_stmt(self, *args: Any, **kwargs: Any) -> Any:
        with socket_host(self._run) as host:
            self.connect_str = (
                f"user='{self.user}' host='{host}' port='{self.port}'"
                f" dbname='{self.database}'"
            )
            return super()._execute_stmt(*args, **kwargs)


class Admin(service.PgSqlAdmin):  # type: ignore[misc]
    """The original, for one of many servers in one process."""

    def __init__(self, run: Path) -> None:
        # The original reads CONF.datastore_manager, which only a guest has.
        self._run = run
        self.connection = _Connection(run)

    def use_database(self, database: str) -> None:
        """Connect to another database from now on."""
        self.connection = _Connection(self._run, database)

    @property
    def ignore_users(self) -> list[str]:
        """Users that no list shows."""
        return list(CONF.postgresql.ignore_users)

    @property
    def ignore_dbs(self) -> list[str]:
        """Databases that no list shows."""
        return list(CONF.postgresql.ignore_dbs)


class Accounts:
    """Trove's PgSqlAdmin by the names that the agent has for its calls."""

    def __init__(self, run: Path) -> None:
        self._admin = Admin(run)

    @property
    def admin(self) -> Admin:
        """Trove's own class."""
        return self._admin

    def create_databases(self, databases: Iterable[Mapping[str, Any]]) -> None:
        """Create databases."""
        self._admin.create_databases(databases)

    def delete_database(self, database: Mapping[str, Any]) -> None:
        """Drop a database if it exists."""
        self._admin.delete_database(database)

    def list_databases(
        self, limit: int | None, marker: str | None, *, include_marker: bool
    ) -> Page:
        """List databases; ValueError if one has a name of a single letter."""
        page: Page = self._admin.list_databases(limit, marker, include_marker)
        return page

    def create_users(self, users: Iterable[Mapping[str, Any]]) -> None:
        """Create users with all rights in their databases."""
        self._admin.create_users(users)

    def delete_user(self, user: Mapping[str, Any]) -> None:
        """Drop a user with its rights."""
        self._admin.delete_user(user)

    def list_users(
        self, limit: int | None, marker: str | None, *, include_marker: bool
    ) -> Page:
        """List users."""
        page: Page = self._admin.list_users(limit, marker, include_marker)
        return page

    def get_user(self, name: str, host: str) -> Serialized | None:
        """Return a user with its databases, or None."""
        found: Serialized | None = self._admin.get_user(name, host)
        return found

    def change_passwords(self, users: Iterable[Mapping[str, Any]]) -> None:
        """Set the passwords of users."""
        self._admin.change_passwords(users)

    def update_user(self, name: str, host: str, changes: Mapping[str, Any]) -> None:
        """Give a user another password or name."""
        self._admin.update_attributes(name, host, changes)

    def grant(self, name: str, host: str, databases: Sequence[str]) -> None:
        """Give a user all rights in databases; DatabaseNotFound if one is missing."""
        self._admin.grant_access(name, host, databases)

    def revoke(self, name: str, host: str, database: str) -> None:
        """Revoke all rights of a user in a database."""
        self._admin.revoke_access(name, host, database)

    def list_grants(self, name: str, host: str) -> list[Serialized]:
        """Return the databases that a user has rights in."""
        return list(self._admin.list_access(name, host))

    def is_root_enabled(self) -> bool:
        """Fail: the original's manager asks PgSqlAdmin, which has no such method.

        Trove never makes the call: its API reads its own database.
        """
        return bool(self._admin.is_root_enabled())

    def enable_root(self, password: str | None) -> Serialized:
        """Make the superuser root, or give it another password."""
        root: Serialized = self._admin.enable_root(password)
        return root
