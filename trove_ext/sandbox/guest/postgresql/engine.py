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

"""The interface of PostgreSQL to the rest of the sandbox."""

from pathlib import Path
from typing import TYPE_CHECKING

from trove_ext.sandbox.guest import engine
from trove_ext.sandbox.guest.postgresql import config

if TYPE_CHECKING:
    from trove_ext.sandbox.guest.agent_base import Parts
    from trove_ext.sandbox.guest.postgresql.agent import PostgresAgent
    from trove_ext.sandbox.guest.postgresql.server import Postgres


class PostgresEngine:
    """See :class:`trove_ext.sandbox.guest.engine.Engine`."""

    manager = engine.POSTGRESQL
    title = "PostgreSQL"
    port = config.PORT

    def layout(self, root: Path) -> config.Layout:
        """Return where an instance under *root* has its files."""
        return config.Layout(root)

    def server(self, root: Path, address: str, memory_mb: int) -> "Postgres":
        """Return the server of the instance under *root*."""
        from trove_ext.sandbox.guest.postgresql.server import Postgres

        return Postgres(config.Layout(root), address, memory_mb)

    def agent(self, parts: "Parts") -> "PostgresAgent":
        """Return the guest agent of an instance."""
        from trove_ext.sandbox.guest.postgresql.agent import PostgresAgent

        return PostgresAgent(parts)

    def pid(self, root: Path) -> int | None:
        """Return the process ID of the instance's postmaster, if it is running."""
        return config.running_pid(config.Layout(root))

    def kill(self, root: Path) -> None:
        """Kill the instance's postmaster and its children."""
        from trove_ext.sandbox.guest.postgresql.server import kill_all

        pid = self.pid(root)
        if pid is not None:
            kill_all(pid)

    def stop_replication(self, root: Path, address: str) -> None:  # noqa: ARG002
        """Stop the replay of a replica; a restart starts it again."""
        from trove_ext.sandbox.guest.postgresql.sql import Error, Sql

        try:
            Sql(config.Layout(root).run).query("SELECT pg_wal_replay_pause()")
        except Error as exc:
            raise engine.DatabaseError(str(exc).strip()) from exc
