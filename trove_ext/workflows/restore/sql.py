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

"""Query a value of a restored database, over MySQL's own protocol.

PyMySQL is the extra ``sql``; this module is imported only for a query.
"""

from __future__ import annotations

import math
import socket
from typing import TYPE_CHECKING, Any

import pymysql

from trove_ext.exceptions import TroveExtError, WaitTimeoutError
from trove_ext.follow_up import Setting, add

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.polling import Clock, Deadline

#: Trove's API has no port; this is the one that its guests listen on.
PORT = 3306
#: Seconds to open a connection, and to wait for the user: Trove passes a new
#: user to the guest and responds before it exists (``trove/guestagent/api.py``,
#: ``create_user`` is a cast).
CONNECT_TIMEOUT = 10.0
USER_BUDGET = 60.0
PAUSE = 1.0
#: Seconds of silence after which TCP checks whether the server is alive.
KEEP_ALIVE = 30
#: MySQL's own numbers: ER_DBACCESS_DENIED_ERROR, ER_ACCESS_DENIED_ERROR,
#: ER_TABLEACCESS_DENIED_ERROR.
NOT_YET = frozenset({1044, 1045, 1142})
#: PyMySQL's errors if a connection is lost or a read takes too long
#: (CR_SERVER_GONE_ERROR, CR_SERVER_LOST).
LOST = frozenset({2006, 2013})
#: PyMySQL's error if the connection failed (CR_CONN_HOST_ERROR).
NO_CONNECTION = 2003


class QueryError(TroveExtError):
    """A query did not give a value."""


class NoRouteError(QueryError):
    """The database can't be reached from here."""


def ask(
    addresses: Sequence[str],
    user: str,
    password: str,
    statement: str,
    *,
    deadline: Deadline,
    clock: Clock,
) -> str:
    """Run a statement at the first reachable address, and return its single value.

    :param user: one that Trove was asked to create just now; the call waits for it
    :param deadline: the end of the wait
    :returns: the value as text, ``NULL`` for none
    :raises NoRouteError: no address is reachable
    :raises QueryError: the server refuses the statement, or returns no single value
    :raises WaitTimeoutError: it was still running at the deadline
    """
    start = clock.monotonic()
    while True:
        try:
            return _ask_once(addresses, user, password, statement, deadline)
        except (pymysql.MySQLError, RuntimeError) as exc:
            # RuntimeError: a log-in method that needs a package which is not installed.
            waited = clock.monotonic() - start
            too_late = waited >= USER_BUDGET or deadline.remaining <= PAUSE
            if _number(exc) in LOST and deadline.passed:
                raise WaitTimeoutError(
                    "the query was still running when time was up"
                ) from exc
            if _number(exc) not in NOT_YET or too_late:
                raise QueryError(f"the query failed: {_text(exc)}") from exc
            clock.sleep(PAUSE)


def _ask_once(
    addresses: Sequence[str],
    user: str,
    password: str,
    statement: str,
    deadline: Deadline,
) -> str:
    with (
        _connect(addresses, user, password, deadline) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
        rows = cursor.fetchmany(2)
    if len(rows) != 1 or len(rows[0]) != 1:
        columns = len(rows[0]) if rows else 0
        raise QueryError(
            "the query must give one row with one column; it gives "
            f"{'several rows' if len(rows) > 1 else f'{len(rows)} rows'} "
            f"with {columns} columns"
        )
    return _spell(rows[0][0])


def _connect(
    addresses: Sequence[str], user: str, password: str, deadline: Deadline
) -> Any:
    """Connect to the first reachable address.

    PyMySQL encrypts if the server can (since 1.2; before it does not).

    :raises NoRouteError: none does
    """
    failures = []
    for address in addresses:
        limit = max(1.0, deadline.remaining)
        seconds = None if math.isinf(limit) else limit
        try:
            connection: Any = pymysql.connect(
                host=address,
                port=PORT,
                user=user,
                password=password,
                connect_timeout=max(1.0, min(CONNECT_TIMEOUT, deadline.remaining)),
                read_timeout=seconds,
                write_timeout=seconds,
            )
            _keep_alive(connection)
        except pymysql.OperationalError as exc:
            if _number(exc) != NO_CONNECTION:
                raise
            failures.append(f"{address}:{PORT}: {_text(exc)}")
        else:
            return connection
    raise NoRouteError(
        "the database can't be reached from here"
        + "".join(f"; {failure}" for failure in failures or ["it has no address"])
        + ". Run this where the network of the instance can be reached, or without "
        "queries, or with an instance that has a public address",
        follow_ups=[
            add(
                "give the instance a public address",
                Setting.PUBLIC,
                Setting.ALLOWED_CIDRS,
            )
        ],
    )


def _keep_alive(connection: Any) -> None:
    """Detect a dead server while a long query runs.

    PyMySQL has no option for it, and its socket is a private attribute.
    """
    held = getattr(connection, "_sock", None)
    if held is not None:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        held.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEP_ALIVE)
        held.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEP_ALIVE)


def _number(exc: BaseException) -> object:
    return exc.args[0] if exc.args else None


def _text(exc: BaseException) -> str:
    return " ".join(str(exc.args[-1] if exc.args else exc).split())


def _spell(value: object) -> str:
    if value is None:
        return "NULL"
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
