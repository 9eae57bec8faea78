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

"""Query a value of a restored database, over the protocol of its engine.

The drivers are the extra ``sql``; the modules that import them are imported only for a
query.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from trove_ext.exceptions import TroveExtError, WaitTimeoutError
from trove_ext.follow_up import Setting, add
from trove_ext.model.engine import POSTGRESQL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.model.engine import Engine
    from trove_ext.polling import Clock, Deadline

#: Seconds to wait for the user: Trove passes a new user to the guest and responds
#: before it exists (``trove/guestagent/api.py``, ``create_user`` is a cast).
USER_BUDGET = 60.0
PAUSE = 1.0


class QueryError(TroveExtError):
    """A query did not give a value."""


class NoRouteError(QueryError):
    """The database can't be reached from here."""


class Failure(enum.Enum):
    """The kind of a driver's error.

    NOT_YET: the user does not exist yet, or has no rights yet. LOST: the connection
    was lost, or the statement canceled. NO_ROUTE: nothing responds at the address.
    WRONG: the server refuses the statement.
    """

    NOT_YET = "not yet"
    LOST = "lost"
    NO_ROUTE = "no route"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Login:
    """Who queries.

    :ivar database: the one to connect to; None for none, which not every engine allows
    """

    user: str
    password: str
    database: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement returned.

    :ivar rows: how many rows, at most two
    :ivar value: the first column of the first row as text, ``NULL`` for none
    """

    rows: int
    columns: int
    value: str = ""


class Driver(Protocol):
    """A module for the protocol of one engine.

    ``errors`` are its exceptions, and ``PORT`` the port that Trove's guests use.
    """

    PORT: int
    errors: tuple[type[Exception], ...]

    def run(
        self, address: str, login: Login, statement: str, deadline: Deadline
    ) -> Answer:
        """Connect, and run a statement until the deadline."""

    def failure(self, exc: Exception) -> Failure:
        """Return the kind of an error."""

    def text(self, exc: Exception) -> str:
        """Return an error in one line."""


def driver_of(engine: Engine) -> Driver:
    """Import the driver of an engine.

    :raises ImportError: it is not installed
    """
    if engine.driver == POSTGRESQL.driver:
        from trove_ext.workflows.restore import sql_postgresql

        return sql_postgresql
    from trove_ext.workflows.restore import sql_mysql

    return sql_mysql


def ask(
    driver: Driver,
    addresses: Sequence[str],
    login: Login,
    statement: str,
    *,
    deadline: Deadline,
    clock: Clock,
) -> str:
    """Run a statement at the first reachable address, and return its single value.

    :param login: of a user that Trove was asked to create just now; the call waits
        for it
    :param deadline: the end of the wait
    :returns: the value as text, ``NULL`` for none
    :raises NoRouteError: no address is reachable
    :raises QueryError: the server refuses the statement, or returns no single value
    :raises WaitTimeoutError: it was still running at the deadline
    """
    start = clock.monotonic()
    while True:
        try:
            return _value(_run(driver, addresses, login, statement, deadline))
        except driver.errors as exc:
            failure = driver.failure(exc)
            waited = clock.monotonic() - start
            too_late = waited >= USER_BUDGET or deadline.remaining <= PAUSE
            if failure is Failure.LOST and deadline.passed:
                raise WaitTimeoutError(
                    "the query was still running when time was up"
                ) from exc
            if failure is not Failure.NOT_YET or too_late:
                raise QueryError(f"the query failed: {driver.text(exc)}") from exc
            clock.sleep(PAUSE)


def _value(answer: Answer) -> str:
    if answer.rows == 1 and answer.columns == 1:
        return answer.value
    rows = "several rows" if answer.rows > 1 else f"{answer.rows} rows"
    raise QueryError(
        "the query must give one row with one column; it gives "
        f"{rows} with {answer.columns} columns"
    )


def _run(
    driver: Driver,
    addresses: Sequence[str],
    login: Login,
    statement: str,
    deadline: Deadline,
) -> Answer:
    """Run it at the first address that is reachable.

    :raises NoRouteError: none is
    """
    failures = []
    for address in addresses:
        try:
            return driver.run(address, login, statement, deadline)
        except driver.errors as exc:
            if driver.failure(exc) is not Failure.NO_ROUTE:
                raise
            failures.append(f"{address}:{driver.PORT}: {driver.text(exc)}")
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
