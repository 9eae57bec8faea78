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

"""The guest agent's calls for databases and users.

Each as the call of the same name in trove/guestagent/datastore/manager.py; the work
is done in accounts.
"""

# ruff: noqa: ARG002 - Trove's calls carry more than is needed here

import time
from collections.abc import Mapping, Sequence
from typing import Any

from trove_ext.sandbox.guest.agent_base import AgentBase
from trove_ext.sandbox.guest.engine import Page, Serialized

Items = Sequence[Mapping[str, Any]]


class UserAgent(AgentBase):
    """Databases, users and root."""

    def create_database(self, context: Any, databases: Items) -> None:
        """Create databases."""
        with self._conductor.notification(context):
            self._accounts.create_databases(databases)

    def delete_database(self, context: Any, database: Mapping[str, Any]) -> None:
        """Drop a database."""
        with self._conductor.notification(context):
            self._accounts.delete_database(database)

    def list_databases(
        self,
        context: Any,
        limit: int | None = None,
        marker: str | None = None,
        include_marker: bool = False,
    ) -> Page:
        """List databases."""
        return self._accounts.list_databases(
            limit, marker, include_marker=include_marker
        )

    def create_user(self, context: Any, users: Items) -> None:
        """Create users."""
        with self._conductor.notification(context):
            self._accounts.create_users(users)

    def delete_user(self, context: Any, user: Mapping[str, Any]) -> None:
        """Drop a user."""
        with self._conductor.notification(context):
            self._accounts.delete_user(user)

    def list_users(
        self,
        context: Any,
        limit: int | None = None,
        marker: str | None = None,
        include_marker: bool = False,
    ) -> Page:
        """List users."""
        return self._accounts.list_users(limit, marker, include_marker=include_marker)

    def get_user(self, context: Any, username: str, hostname: str) -> Serialized | None:
        """Return one user, or None."""
        return self._accounts.get_user(username, hostname)

    def change_passwords(self, context: Any, users: Items) -> None:
        """Set passwords."""
        with self._conductor.notification(context):
            self._accounts.change_passwords(users)

    def update_attributes(
        self, context: Any, username: str, hostname: str, user_attrs: Mapping[str, Any]
    ) -> None:
        """Change a user's name, host or password."""
        with self._conductor.notification(context):
            self._accounts.update_user(username, hostname, user_attrs)

    def grant_access(
        self, context: Any, username: str, hostname: str, databases: Sequence[str]
    ) -> None:
        """Give a user rights in databases."""
        self._accounts.grant(username, hostname, databases)

    def revoke_access(
        self, context: Any, username: str, hostname: str, database: str
    ) -> None:
        """Revoke a user's rights in a database."""
        self._accounts.revoke(username, hostname, database)

    def list_access(
        self, context: Any, username: str, hostname: str
    ) -> list[Serialized]:
        """Return the databases that a user has rights in."""
        return self._accounts.list_grants(username, hostname)

    def enable_root(self, context: Any) -> Serialized:
        """Enable root, with a random password."""
        return self._accounts.enable_root(None)

    def enable_root_with_password(
        self, context: Any, root_password: str | None = None
    ) -> Serialized:
        """Enable root, with this password."""
        return self._accounts.enable_root(root_password)

    def disable_root(self, context: Any) -> None:
        """Give root an unknown password, which is all that the original does.

        Trove stores the times of enabling and disabling in whole seconds, and in the
        same second root remains enabled (Root.load in its extensions/common/models.py).
        """
        time.sleep(1)
        self._accounts.enable_root(None)

    def is_root_enabled(self, context: Any) -> bool:
        """Whether root may log in from elsewhere."""
        return self._accounts.is_root_enabled()

    def get_root_password(self, context: Any) -> str:
        """Refuse, as the original does for every datastore."""
        raise self._unsupported("get_root_password")
