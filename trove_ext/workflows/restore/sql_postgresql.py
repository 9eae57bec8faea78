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

"""Query PostgreSQL, by psycopg 3."""

from __future__ import annotations

import contextlib
import math
import os
import socket
import threading
from typing import TYPE_CHECKING, Any

import psycopg

from trove_ext.model.engine import POSTGRESQL
from trove_ext.workflows.restore.sql import Answer, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trove_ext.polling import Deadline
    from trove_ext.workflows.restore.sql import Login

#: Trove's API has no port; this is the one that its guests listen on.
PORT = POSTGRESQL.port
#: Seconds to open a connection, and to log in.
CONNECT_TIMEOUT = 10.0
#: Seconds of silence after which TCP checks whether the server is alive.
KEEP_ALIVE = 30
#: Seconds after the deadline at which a connection is cut whose server should have
#: canceled the statement.
GRACE = 5.0
#: The largest ``statement_timeout`` (``INT_MAX``).
MILLISECONDS_MAX = 2**31 - 1
#: invalid_password, invalid_authorization_specification, invalid_catalog_name,
#: cannot_connect_now, insufficient_privilege.
_NOT_YET = frozenset({"28P01", "28000", "3D000", "57P03", "42501"})
#: query_canceled, admin_shutdown, crash_shutdown.
_LOST = frozenset({"57014", "57P01", "57P02"})


class LoginRefusedError(Exception):
    """The server does not accept the log-in, or not yet.

    libpq has no SQLSTATE of a connection that failed, only a text, which may be
    translated.
    """


errors: tuple[type[Exception], ...] = (psycopg.Error, LoginRefusedError, OSError)


def run(address: str, login: Login, statement: str, deadline: Deadline) -> Answer:
    """Connect, and run a statement until the deadline.

    The value is the server's own text, as psql prints it.

    :raises psycopg.Error, LoginRefusedError, OSError: see :func:`failure`
    """
    with (
        _connect(address, login, deadline) as connection,
        _cut_at(deadline, connection),
    ):
        # As bytes: psycopg takes no other text that is not a literal in the code.
        result = connection.execute(statement.encode()).pgresult
    if result is None or not result.ntuples:
        return Answer(0, result.nfields if result else 0)
    value = result.get_value(0, 0) if result.nfields else None
    shown = "NULL" if value is None else value.decode(errors="replace")
    return Answer(min(result.ntuples, 2), result.nfields, shown)


def failure(exc: Exception) -> Failure:
    """Return the kind of an error, by its SQLSTATE.

    A connection that breaks has none.
    """
    if isinstance(exc, LoginRefusedError):
        return Failure.NOT_YET
    if isinstance(exc, OSError):
        return Failure.NO_ROUTE
    state = getattr(exc, "sqlstate", None)
    if state in _NOT_YET:
        return Failure.NOT_YET
    is_broken = state is None and isinstance(exc, psycopg.OperationalError)
    is_lost = is_broken or state in _LOST or str(state).startswith("08")
    return Failure.LOST if is_lost else Failure.WRONG


def text(exc: Exception) -> str:
    """Return an error in one line."""
    return " ".join(str(exc).split())


def _connect(address: str, login: Login, deadline: Deadline) -> Any:
    """Connect, encrypted if the server can.

    :raises OSError: nothing responds
    :raises LoginRefusedError: the server does, and refuses
    """
    seconds = max(1.0, min(CONNECT_TIMEOUT, deadline.remaining))
    socket.create_connection((address, PORT), timeout=seconds).close()
    try:
        return psycopg.connect(
            host=address,
            port=PORT,
            user=login.user,
            password=login.password,
            dbname=login.database or "postgres",
            autocommit=True,
            connect_timeout=math.ceil(seconds),
            keepalives_idle=KEEP_ALIVE,
            keepalives_interval=KEEP_ALIVE,
            client_encoding="UTF8",
            options=f"-c statement_timeout={_milliseconds(deadline.remaining)}",
        )
    except psycopg.OperationalError as exc:
        raise LoginRefusedError(str(exc)) from exc


def _milliseconds(remaining: float) -> int:
    """Return PostgreSQL's setting for a time, 0 for no limit."""
    if math.isinf(remaining):
        return 0
    return round(min(max(1.0, remaining) * 1000, MILLISECONDS_MAX))


@contextlib.contextmanager
def _cut_at(deadline: Deadline, connection: Any) -> Iterator[None]:
    """Cut a connection after the deadline: a server that hangs cancels nothing."""
    if math.isinf(deadline.remaining):
        yield
        return
    with socket.socket(fileno=os.dup(connection.fileno())) as held:
        timer = threading.Timer(deadline.remaining + GRACE, _cut, (held,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _cut(held: socket.socket) -> None:
    with contextlib.suppress(OSError):
        held.shutdown(socket.SHUT_RDWR)
