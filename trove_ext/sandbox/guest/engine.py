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

"""The interface between the sandbox and a database engine, and the known engines.

Everything that depends on the engine is in a package beside this module. The rest of
the sandbox gets the engine of a Trove manager (``mariadb``) from :func:`of` and uses
the interface declared here.
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from trove_ext.sandbox.guest.layout import Layout

if TYPE_CHECKING:
    from trove_ext.sandbox.guest.agent import GuestAgent
    from trove_ext.sandbox.guest.agent_base import Parts
    from trove_ext.sandbox.guest.backup_store import BackupObject, BackupStore

MARIADB = "mariadb"
POSTGRESQL = "postgresql"
"""Trove's names of the known engines."""

Serialized = dict[str, Any]
Page = tuple[list[Serialized], str | None]
"""A page of a list, and the marker of the next one."""

USER = "user"
"""The override of the configuration group that a user has attached."""


class DatabaseError(Exception):
    """The database server would not start or stop."""


class State(enum.Enum):
    """The state of a database server, as seen from outside."""

    ANSWERS = "answers"
    STARTING = "starting"
    SILENT = "silent"
    DEAD = "dead"


class Server(Protocol):
    """The database server of one instance. It outlives this process."""

    address: str
    memory_mb: int
    powered: bool
    """False for good once the host is off: a call in progress must start nothing."""

    @property
    def layout(self) -> Layout:
        """The paths of its files."""

    def start(self) -> None:
        """Start it if necessary, and wait until it responds; raises DatabaseError."""

    def stop(self) -> None:
        """Shut it down cleanly; after a minute by force."""

    def kill(self) -> None:
        """Kill it, as a crash would; raises DatabaseError if it keeps running."""

    def restart(self) -> None:
        """Stop and start."""

    def state(self) -> State:
        """Query its state, as Trove's get_service_status does."""

    def initialize(self) -> None:
        """Give the instance an empty database; raises ProgramError."""

    def configure(self) -> None:
        """Write the configuration again; overrides are kept."""

    def write_override(self, name: str, values: Mapping[str, object]) -> None:
        """Write *values* to the configuration, for the next start."""

    def remove_override(self, name: str) -> None:
        """Remove the values of an override from the configuration."""

    def has_override(self, name: str) -> bool:
        """Whether the override is in the configuration."""

    def wipe(self) -> None:
        """Remove everything that belongs to this instance."""


class Backups(Protocol):
    """Takes and restores the backups of one instance."""

    def check_power(self) -> None:
        """Raise ProgramError if the host has been switched off."""

    def take(
        self,
        store: "BackupStore",
        backup_id: str,
        metadata: Mapping[str, str],
        parent: "BackupObject | None",
    ) -> "BackupObject":
        """Back up into the store, after *parent* if there is one."""

    def restore(self, store: "BackupStore", location: str, checksum: str) -> None:
        """Replace the data by those of the backup at *location*."""


class Accounts(Protocol):
    """Databases and users of an instance, and its root."""

    def create_databases(self, databases: Iterable[Mapping[str, Any]]) -> None:
        """Create databases."""

    def delete_database(self, database: Mapping[str, Any]) -> None:
        """Drop a database."""

    def list_databases(
        self, limit: int | None, marker: str | None, *, include_marker: bool
    ) -> Page:
        """List databases by name."""

    def create_users(self, users: Iterable[Mapping[str, Any]]) -> None:
        """Create users with all rights in their databases."""

    def delete_user(self, user: Mapping[str, Any]) -> None:
        """Drop a user."""

    def list_users(
        self, limit: int | None, marker: str | None, *, include_marker: bool
    ) -> Page:
        """List users by name."""

    def get_user(self, name: str, host: str) -> Serialized | None:
        """Return a user with its databases, or None."""

    def change_passwords(self, users: Iterable[Mapping[str, Any]]) -> None:
        """Set the passwords of users."""

    def update_user(self, name: str, host: str, changes: Mapping[str, Any]) -> None:
        """Give a user another password, name or host."""

    def grant(self, name: str, host: str, databases: Sequence[str]) -> None:
        """Give a user all rights in databases."""

    def revoke(self, name: str, host: str, database: str) -> None:
        """Revoke all rights of a user in a database."""

    def list_grants(self, name: str, host: str) -> list[Serialized]:
        """Return the databases that a user has rights in."""

    def is_root_enabled(self) -> bool:
        """Whether root may log in from elsewhere."""

    def enable_root(self, password: str | None) -> Serialized:
        """Enable root and return it, with a random password if none is given."""


class Engine(Protocol):
    """One kind of database."""

    manager: str
    """Trove's name for it: a section of trove.conf, a directory of templates."""
    title: str
    port: int
    """Trove's API has no field for a port, so every instance has the same one."""

    def layout(self, root: Path) -> Layout:
        """Return where an instance under *root* has its files."""

    def server(self, root: Path, address: str, memory_mb: int) -> Server:
        """Return the server of the instance under *root*; nothing is started."""

    def agent(self, parts: "Parts") -> "GuestAgent":
        """Return the guest agent of an instance."""

    def pid(self, root: Path) -> int | None:
        """Return the process ID of the instance's server, if it is running."""

    def kill(self, root: Path) -> None:
        """Kill the instance's server, as a crash would, from another process."""

    def stop_replication(self, root: Path, address: str) -> None:
        """Stop a replica's replication; raises DatabaseError if it can't be."""


def of(manager: str) -> Engine:
    """Return the engine behind a Trove manager; raises KeyError for an unknown one."""
    return {MARIADB: _mariadb, POSTGRESQL: _postgresql}[manager]()


def _mariadb() -> Engine:
    from trove_ext.sandbox.guest.mariadb.engine import MariaDBEngine

    return MariaDBEngine()


def _postgresql() -> Engine:
    from trove_ext.sandbox.guest.postgresql.engine import PostgresEngine

    return PostgresEngine()
