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

"""A PostgreSQL that answers queries, in place of psycopg's connections."""

import socket
from types import TracebackType
from typing import Any, Self
from unittest import mock

from trove_ext.tests.fake.cloud import FakeCloud


class PostgresServer:
    """A stand-in for psycopg: root, whose password Trove has set, reads one value.

    :ivar errors: what the next log-ins, or statements, raise
    :ivar closed: addresses at which nothing responds
    """

    def __init__(self, fake: FakeCloud, value: bytes = b"300") -> None:
        self.fake = fake
        self.result = mock.Mock(ntuples=1, nfields=1, get_value=lambda *_at: value)
        self.errors: list[Exception] = []
        self.statement_errors: list[Exception] = []
        self.closed: tuple[str, ...] = ()
        self.logins: list[dict[str, Any]] = []
        self.statements: list[str] = []

    def open(self, place: tuple[str, int], timeout: float = 0.0) -> mock.Mock:
        """As socket.create_connection."""
        assert timeout > 0
        if place[0] in self.closed:
            raise OSError(111, "Connection refused")
        return mock.Mock(spec=["close"])

    def connect(self, **kwargs: Any) -> Self:
        """As psycopg.connect."""
        self.logins.append(kwargs)
        if self.errors:
            raise self.errors.pop(0)
        (guest,) = [x for x in self.fake.live_instances if x.ip == kwargs["host"]]
        assert kwargs["user"] == "root"
        assert kwargs["password"] == guest.root_password
        assert kwargs["dbname"] in {*guest.content.databases, "postgres"}
        return self

    def __enter__(self) -> Self:
        self.pair = socket.socketpair()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        for end in self.pair:
            end.close()

    def fileno(self) -> int:
        """As a connection of psycopg has it."""
        return self.pair[0].fileno()

    def execute(self, statement: str) -> mock.Mock:
        """Answer a statement."""
        self.statements.append(statement)
        if self.statement_errors:
            raise self.statement_errors.pop(0)
        return mock.Mock(pgresult=self.result)
