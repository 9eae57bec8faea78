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

"""The interface of MariaDB to the rest of the sandbox."""

import contextlib
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from trove_ext.sandbox.guest import engine
from trove_ext.sandbox.guest.mariadb import config

if TYPE_CHECKING:
    from trove_ext.sandbox.guest.agent_base import Parts
    from trove_ext.sandbox.guest.mariadb.agent import MariaDBAgent
    from trove_ext.sandbox.guest.mariadb.server import MariaDB


class MariaDBEngine:
    """See :class:`trove_ext.sandbox.guest.engine.Engine`."""

    manager = engine.MARIADB
    title = "MariaDB"
    port = config.PORT

    def layout(self, root: Path) -> config.Layout:
        """Return where an instance under *root* has its files."""
        return config.Layout(root)

    def server(self, root: Path, address: str, memory_mb: int) -> "MariaDB":
        """Return the mariadbd of the instance under *root*."""
        from trove_ext.sandbox.guest.mariadb.server import MariaDB

        return MariaDB(config.Layout(root), address, memory_mb)

    def agent(self, parts: "Parts") -> "MariaDBAgent":
        """Return the guest agent of an instance."""
        from trove_ext.sandbox.guest.mariadb.agent import MariaDBAgent

        return MariaDBAgent(parts)

    def pid(self, root: Path) -> int | None:
        """Return the process ID of the instance's mariadbd, if it is running."""
        return config.running_pid(config.Layout(root))

    def kill(self, root: Path) -> None:
        """Kill the instance's mariadbd."""
        pid = self.pid(root)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop_replication(self, root: Path, address: str) -> None:
        """Stop both threads of a replica; a restart starts them again."""
        import pymysql

        layout = config.Layout(root)
        try:
            connection = pymysql.connect(
                read_default_file=str(layout.credentials),
                host=address,
                port=config.PORT,
            )
            with connection, connection.cursor() as cursor:
                cursor.execute("STOP SLAVE")
        except pymysql.MySQLError as exc:
            raise engine.DatabaseError(str(exc)) from exc
