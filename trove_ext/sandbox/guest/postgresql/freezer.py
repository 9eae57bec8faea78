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

"""Holds a server still for a snapshot of its volume.

As pre_create_backup and post_create_backup in trove/guestagent/datastore/postgres/
manager.py. Trove freezes the file system; here the volume is a directory, so all
processes of the server are stopped by a signal.
"""

import contextlib
import logging
from typing import Any

from trove_ext.sandbox.guest.postgresql import sql
from trove_ext.sandbox.guest.postgresql.server import Postgres

_LOG = logging.getLogger(__name__)


class Freezer:
    """Keeps the connection of a backup from the beginning to the end of a snapshot."""

    def __init__(self, db: Postgres) -> None:
        self._db = db
        self._held = contextlib.ExitStack()
        self._connection: Any = None

    def freeze(self) -> dict[str, Any]:
        """Begin a backup, on a replica a checkpoint, and stop the server."""
        if self._db.sql.value("SELECT pg_is_in_recovery()"):
            self._db.sql.query("CHECKPOINT")
        else:
            connection = self._held.enter_context(self._db.sql.connection())
            sql.rows(connection, "SELECT pg_backup_start('snapshot backup', true)")
            self._connection = connection
        self._db.pause()
        return {}

    def thaw(self) -> None:
        """Let the server continue, and end the backup; a failure is only logged."""
        self._db.resume()
        connection, self._connection = self._connection, None
        with self._held:
            if connection is not None:
                try:
                    sql.rows(connection, "SELECT pg_backup_stop(true)")
                except sql.Error:
                    _LOG.exception("Ending the backup of %s", self._db.address)
