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

"""The state of the stand-ins, in one SQLite file: servers, volumes, ports and so on.

Rows of JSON with two lookup keys. A file and not memory, because Trove is restarted,
and because ``trove-sandbox seed`` writes rows from another process.
"""

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Row = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
    kind TEXT NOT NULL, id TEXT NOT NULL, name TEXT, owner TEXT, row TEXT NOT NULL,
    PRIMARY KEY (kind, id));
CREATE INDEX IF NOT EXISTS by_name ON resources (kind, name);
CREATE INDEX IF NOT EXISTS by_owner ON resources (kind, owner);
"""
_WAIT_SECONDS = 10.0


class Store:
    """Rows of several kinds; each has an ``id``, and may have a name and an owner."""

    def __init__(self, path: Path) -> None:
        # Greenthreads of one thread, or a command line: never two threads at once.
        self._db = sqlite3.connect(
            path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)

    def put(self, kind: str, row: Row, owner: str = "") -> None:
        """Store a row, replacing one with its ID."""
        self.put_all(kind, [(row, owner)])

    def put_all(self, kind: str, rows: Iterable[tuple[Row, str]]) -> None:
        """Store many rows with their owners at once."""
        values = [
            (kind, row["id"], row.get("name"), owner, json.dumps(row))
            for row, owner in rows
        ]
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?, ?)", values
        )
        self._db.execute("COMMIT")

    def get(self, kind: str, row_id: str) -> Row | None:
        """Return the row with this ID, if there is one."""
        found = self._select("kind = ? AND id = ?", kind, row_id)
        return found[0] if found else None

    def by_name(self, kind: str, name: str) -> list[Row]:
        """Return the rows of this name."""
        return self._select("kind = ? AND name = ?", kind, name)

    def by_owner(self, kind: str, owner: str) -> list[Row]:
        """Return the rows that belong to this owner."""
        return self._select("kind = ? AND owner = ?", kind, owner)

    def all(self, kind: str) -> list[Row]:
        """Return all rows of this kind."""
        return self._select("kind = ?", kind)

    def delete(self, kind: str, row_id: str) -> None:
        """Delete the row with this ID, if there is one."""
        self._db.execute(
            "DELETE FROM resources WHERE kind = ? AND id = ?", (kind, row_id)
        )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _select(self, where: str, *values: str) -> list[Row]:
        query = f"SELECT row FROM resources WHERE {where} ORDER BY rowid"
        return [json.loads(text) for (text,) in self._db.execute(query, values)]
