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

"""Replication by GTID, as Trove's guest does it for MariaDB.

See mysql_base.py and mariadb_gtid.py in trove/guestagent/strategies/replication, and
trove/guestagent/datastore/mariadb/service.py.
"""

import secrets
import time
import uuid
from dataclasses import dataclass
from typing import Any

from trove_ext.sandbox.guest.mariadb.server import MariaDB, Row, Session

# Seconds. Trove gives both 180, and its RPC a time-out of 600 to 1200; the sandbox
# responds to calls within 20, and the text of an error should arrive before that.
RUNNING_SECONDS = 15.0
CATCH_UP_SECONDS = 18.0

_POLL_SECONDS = 0.1


class ReplicationError(Exception):
    """Replication could not be set up, or failed."""


@dataclass(frozen=True)
class Account:
    """The account with which a replica logs in to its source."""

    name: str
    password: str


@dataclass(frozen=True)
class Source:
    """The source of a replica."""

    host: str
    port: int
    account: Account
    tls: bool = False
    """Whether the source has a certificate.

    It is not verified, as with MySQL (mysql_gtid.py): mariadb_gtid.py asks for that
    without a CA, which MariaDB can't do before 11.4.
    """


class Replication:
    """The replication of one instance, as a source or as a replica."""

    def __init__(self, db: MariaDB) -> None:
        self._db = db

    def status(self) -> Row | None:
        """Return SHOW SLAVE STATUS; None if it is not a replica."""
        rows = self._db.query("SHOW SLAVE STATUS")
        return rows[0] if rows else None

    def create_account(self) -> Account:
        """Create an account for a replica, as _create_replication_user does."""
        account = Account(f"slave_{uuid.uuid4().hex[:8]}", secrets.token_urlsafe(12))
        self._db.query(
            "CREATE USER %s@'%%' IDENTIFIED BY %s", account.name, account.password
        )
        self._db.query("GRANT REPLICATION SLAVE ON *.* TO %s@'%%'", account.name)
        return account

    def drop_account(self, name: str) -> None:
        """Remove an account; cleanup_source_on_replica_detach in mysql_base.py."""
        self._db.query("DROP USER IF EXISTS %s@'%%'", name)

    def connect(self, source: Source, position: str | None) -> None:
        """Replicate from *source*; as connect_to_master in mariadb_gtid.py.

        *position* is the GTID position of the backup that this replica was created
        from. None is for an instance that was a member before: it continues from its
        own position. For a former source, only gtid_current_pos has that position;
        Trove leaves gtid_slave_pos unchanged, so a demoted source that had never been
        a replica requests transactions that the new one doesn't have.

        Raises ReplicationError if it doesn't run within 15 s.
        """
        with self._db.session() as session:
            if position is None:
                position = session.query("SELECT @@gtid_current_pos AS p")[0]["p"]
            session.query("SET GLOBAL gtid_slave_pos = %s", position)
            session.query(
                "CHANGE MASTER TO MASTER_HOST=%s, MASTER_PORT=%s, MASTER_USER=%s,"
                " MASTER_PASSWORD=%s, MASTER_CONNECT_RETRY=1,"
                " MASTER_USE_GTID=slave_pos, MASTER_SSL=%s,"
                " MASTER_SSL_VERIFY_SERVER_CERT=0",
                source.host,
                source.port,
                source.account.name,
                source.account.password,
                int(source.tls),
            )
            session.query("START SLAVE")
            _wait_until_running(session)

    def disconnect(self, *, for_failover: bool) -> str | None:
        """Stop replicating, remove the source, and return the account that was used.

        As stop_slave in trove/guestagent/datastore/mysql_common/service.py.
        """
        status = self.status()
        if status is None:
            return None
        with self._db.session() as session:
            session.query("STOP SLAVE")
            session.query("RESET SLAVE ALL")
            if not for_failover:
                session.query("DROP USER IF EXISTS %s@'%%'", status["Master_User"])
        return str(status["Master_User"])

    def last_transaction(self) -> tuple[int | None, int]:
        """Return the source's server ID and this replica's position in it.

        As get_last_txn in trove/guestagent/datastore/mariadb/service.py.
        """
        status = self.status()
        source = status["Master_Server_Id"] if status else None
        position = self._db.value("SELECT @@global.gtid_slave_pos")
        return source, sequence_from(position, source)

    def wait_for(self, position: str) -> None:
        """Wait until this replica has applied everything up to *position*.

        As wait_for_txn in mariadb/service.py, which waits without a limit. Raises
        ReplicationError after 18 s.
        """
        row = self._db.query(
            "SELECT MASTER_GTID_WAIT(%s, %s) AS late", position, CATCH_UP_SECONDS
        )[0]
        if row["late"]:
            mine = self._db.value("SELECT @@global.gtid_slave_pos")
            raise ReplicationError(
                f"The replica didn't catch up with {position} within"
                f" {CATCH_UP_SECONDS:.0f} s: it is at {mine or 'the start'}"
            )


def sequence_from(position: str, source: int | None) -> int:
    """Return the sequence number that *position* has of server *source*; 0 for none.

    A position is a list of ``domain-server-sequence``, one for each domain.
    """
    for gtid in filter(None, position.split(",")):
        _domain, server, sequence = gtid.split("-")
        if server == str(source):
            return int(sequence)
    return 0


def source_of(replica_info: dict[str, Any]) -> Source:
    """Parse what Trove passes from a source to a replica."""
    user = replica_info["replica_conf"]["replication_user"]
    master = replica_info["master"]
    account = Account(user["name"], user["password"])
    tls = "cert_container" in replica_info
    return Source(master["host"], int(master["port"]), account, tls)


def _wait_until_running(session: Session) -> None:
    deadline = time.monotonic() + RUNNING_SECONDS
    status = session.query("SHOW SLAVE STATUS")[0]
    while {status["Slave_IO_Running"], status["Slave_SQL_Running"]} != {"Yes"}:
        if time.monotonic() > deadline:
            error = status["Last_IO_Error"] or status["Last_SQL_Error"] or "no error"
            raise ReplicationError(
                f"Replication is not on after {RUNNING_SECONDS:.0f} s: {error}"
            )
        time.sleep(_POLL_SECONDS)
        status = session.query("SHOW SLAVE STATUS")[0]
