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

"""Query MySQL or MariaDB, by PyMySQL."""

from __future__ import annotations

import math
import socket
from typing import TYPE_CHECKING, Any

import pymysql

from trove_ext.model.engine import MYSQL
from trove_ext.workflows.restore.sql import Answer, Failure

if TYPE_CHECKING:
    from trove_ext.polling import Deadline
    from trove_ext.workflows.restore.sql import Login

#: Trove's API has no port; this is the one that its guests listen on.
PORT = MYSQL.port
#: RuntimeError: a log-in method that needs a package which is not installed.
errors: tuple[type[Exception], ...] = (pymysql.MySQLError, RuntimeError)
#: Seconds to open a connection.
CONNECT_TIMEOUT = 10.0
#: Seconds of silence after which TCP checks whether the server is alive.
KEEP_ALIVE = 30
#: MySQL's own numbers: ER_DBACCESS_DENIED_ERROR, ER_ACCESS_DENIED_ERROR,
#: ER_TABLEACCESS_DENIED_ERROR; and PyMySQL's if a connection is lost or a read takes
#: too long (CR_SERVER_GONE_ERROR, CR_SERVER_LOST), or it failed (CR_CONN_HOST_ERROR).
_KINDS = {
    1044: Failure.NOT_YET,
    1045: Failure.NOT_YET,
    1142: Failure.NOT_YET,
    2006: Failure.LOST,
    2013: Failure.LOST,
    2003: Failure.NO_ROUTE,
}


def run(address: str, login: Login, statement: str, deadline: Deadline) -> Answer:
    """Connect, and run a statement until the deadline.

    :raises pymysql.MySQLError, RuntimeError: see :func:`failure`
    """
    with (
        _connect(address, login, deadline) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
        rows = cursor.fetchmany(2)
    columns = len(rows[0]) if rows else 0
    return Answer(len(rows), columns, _spell(rows[0][0]) if columns else "")


def failure(exc: Exception) -> Failure:
    """Return the kind of an error, by its number."""
    return _KINDS.get(exc.args[0], Failure.WRONG) if exc.args else Failure.WRONG


def text(exc: Exception) -> str:
    """Return an error in one line, without its number."""
    return " ".join(str(exc.args[-1] if exc.args else exc).split())


def _connect(address: str, login: Login, deadline: Deadline) -> Any:
    """Connect; PyMySQL encrypts if the server can (since 1.2; before it does not)."""
    limit = max(1.0, deadline.remaining)
    seconds = None if math.isinf(limit) else limit
    connection: Any = pymysql.connect(
        host=address,
        port=PORT,
        user=login.user,
        password=login.password,
        database=login.database,
        connect_timeout=max(1.0, min(CONNECT_TIMEOUT, deadline.remaining)),
        read_timeout=seconds,
        write_timeout=seconds,
    )
    _keep_alive(connection)
    return connection


def _keep_alive(connection: Any) -> None:
    """Detect a dead server while a long query runs.

    PyMySQL has no option for it, and its socket is a private attribute.
    """
    held = getattr(connection, "_sock", None)
    if held is not None:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        held.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEP_ALIVE)
        held.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEP_ALIVE)


def _spell(value: object) -> str:
    if value is None:
        return "NULL"
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
