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
"""Stops the writes of a MariaDB while its volume is copied.

As pre_create_backup in trove/guestagent/datastore/mariadb/manager.py and
post_create_backup in mysql_common/manager.py. Trove freezes the file system; here the
volume is a directory, so mariadbd itself is stopped by a signal.
"""

import contextlib
from typing import Any

from trove_ext.sandbox.guest.mariadb.server import MariaDB, Session

POSITION_FILE = "xtrabackup_binlog_info"
"""The file with the position from which a new replica starts."""

# Written by a restore with mariadb-backup. A replica would read it first.
_OTHER_POSITION_FILE = "mariadb_backup_binlog_info"


class Freezer:
    """Holds the lock of one instance from the beginning to the end of a snapshot."""

    def __init__(self, db: MariaDB) -> None:
        self._db = db
        self._held = contextlib.ExitStack()

    def freeze(self) -> dict[str, Any]:
        """Block writes until `thaw`; return the position of the binary log."""
        try:
            session = self._held.enter_context(self._db.session())
            session.query("FLUSH TABLES WITH READ LOCK")
            position = self._write_position(session)
            self._db.pause()
        except Exception:
            self.thaw()
            raise
        return position

    def thaw(self) -> None:
        """Allow writes again; the lock ends with its connection."""
        self._db.resume()
        self._held.close()

    def _write_position(self, session: Session) -> dict[str, Any]:
        status = session.query("SHOW MASTER STATUS")[0]
        gtid = session.query("SELECT @@global.gtid_current_pos AS p")[0]["p"]
        fields = (status["File"], status["Position"], gtid)
        data = self._db.layout.data
        (data / _OTHER_POSITION_FILE).unlink(missing_ok=True)
        (data / POSITION_FILE).write_text("\t".join(map(str, fields)))
        names = ("log_file", "log_position", "log_executed_gtid_set")
        return dict(zip(names, fields, strict=True))
