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

"""Connections to the server of an instance, by its socket and as its superuser."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2

from trove_ext.sandbox.guest.postgresql import config

Error = psycopg2.Error

# The server's message while it doesn't accept connections yet, or any more.
_NOT_NOW = "the database system is "
_ANSWERED = "FATAL:"


@contextlib.contextmanager
def socket_host(run: Path) -> Iterator[str]:
    """Return a path of a socket's directory that is short enough.

    Raises FileNotFoundError if the directory doesn't exist.
    """
    handle = os.open(run, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)


class Sql:
    """Queries one server."""

    def __init__(self, run: Path) -> None:
        self._run = run

    @contextlib.contextmanager
    def connection(self, database: str = config.SUPERUSER) -> Iterator[Any]:
        """Connect, with autocommit; raises psycopg2.Error."""
        with self._host() as host:
            connection = psycopg2.connect(
                host=host, port=config.PORT, user=config.SUPERUSER, dbname=database
            )
        with contextlib.closing(connection):
            connection.autocommit = True
            yield connection

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement in a connection of its own and return its rows."""
        with self.connection() as connection:
            return rows(connection, statement, *values)

    def value(self, statement: str) -> Any:
        """Return the single value of the query *statement*."""
        return self.query(statement)[0][0]

    def is_ready(self) -> bool:
        """Whether the server accepts connections, as pg_isready checks.

        Like pg_isready it is true while a standby or a restored server still replays.
        """
        try:
            with self.connection():
                return True
        except psycopg2.Error as exc:
            # A refusal for another reason, such as too many connections, is a response.
            return _ANSWERED in str(exc) and _NOT_NOW not in str(exc)

    @contextlib.contextmanager
    def _host(self) -> Iterator[str]:
        try:
            with socket_host(self._run) as host:
                yield host
        except FileNotFoundError as exc:
            raise psycopg2.OperationalError(str(exc)) from exc


def rows(connection: Any, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Run one statement in an open connection and return its rows, if it has any."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return list(cursor.fetchall()) if cursor.description else []
