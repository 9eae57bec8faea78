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

"""The differences between the database engines of Trove: one table of facts.

A workflow asks for a fact, never for a name. ``T:`` is the package ``trove`` 26.0.0;
each fact about PostgreSQL is shown on a real server by
``tests/functional/test_postgresql_facts.py``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Engine:
    """The facts of one engine, as Trove 26 runs it.

    :ivar name: its name for users
    :ivar title: its name in messages
    :ivar port: the port of its connections (``T:common/cfg.py``: ``tcp_ports``)
    :ivar driver: the Python module for its protocol
    :ivar any_parent: an incremental backup may build on any restorable backup. MySQL's
        starts at the LSN of its parent. PostgreSQL's is the WAL since the last backup
        of any kind that this server made, also if that has FAILED or is deleted since
        (``get_wal_files`` in the driver ``postgres`` of Trove's backup image)
    :ivar backs_up_replicas: a backup of a replica is as good as one of its source.
        PostgreSQL's has ``standby.signal`` in it: what is restored from it takes no
        writes (``T:guestagent/datastore/postgres/service.py``, ``restore_backup``)
    :ivar fences: a promote stops the writes on the old source first. PostgreSQL's
        ``make_read_only`` does nothing (``T:guestagent/datastore/postgres/manager.py``)
    :ivar siblings_follow: after a promote the other replicas have the data of their new
        source. PostgreSQL's are promoted and attached again without
        ``pg_rewind`` (``attach_replica`` in the same module)
    :ivar ejects: an eject can succeed. PostgreSQL's agent has no ``get_last_txn``, for
        which ``T:taskmanager/manager.py`` asks each replica (``_most_current_replica``)
    :ivar restart_resumes: a restart starts replication again that has stopped. A
        PostgreSQL replica does that by itself, if it can: there is no slot, and
        ``wal_keep_size`` is 80 MB
    :ivar healthy_has_data: a restored instance is HEALTHY only with all of its data.
        PostgreSQL's status is ``pg_isready``, which succeeds while the WAL is replayed
    :ivar reads_older_major: the server of a major version starts on the files of the
        one before. PostgreSQL's does not, without ``pg_upgrade`` between
    :ivar users_read_all: a user that Trove creates may read every table of its
        databases. PostgreSQL's has ``CREATE`` on the schema ``public``, and no rights
        on the tables of others (``T:guestagent/datastore/postgres/service.py``,
        ``grant_access``); only root has
    :ivar connects_to_database: a connection is to one database
    :ivar replica_restarts_source: each new replica restarts its source
        (``T:guestagent/strategies/replication/postgresql.py``, ``enable_as_master``)
    :ivar first_replica_promotes: a first replica that was built on an older backup can
        be promoted. PostgreSQL's lacks the password of replicas
        (:mod:`trove_ext.model.replica_password`)
    """

    name: str
    title: str
    port: int
    driver: str
    any_parent: bool
    backs_up_replicas: bool
    fences: bool
    siblings_follow: bool
    ejects: bool
    restart_resumes: bool
    healthy_has_data: bool
    reads_older_major: bool
    users_read_all: bool
    connects_to_database: bool
    replica_restarts_source: bool
    first_replica_promotes: bool


def _mysql(name: str, title: str) -> Engine:
    return Engine(
        name,
        title,
        port=3306,
        driver="pymysql",
        any_parent=True,
        backs_up_replicas=True,
        fences=True,
        siblings_follow=True,
        ejects=True,
        restart_resumes=True,
        healthy_has_data=True,
        reads_older_major=True,
        users_read_all=True,
        connects_to_database=False,
        replica_restarts_source=False,
        first_replica_promotes=True,
    )


MYSQL = _mysql("mysql", "MySQL")
MARIADB = _mysql("mariadb", "MariaDB")
POSTGRESQL = Engine(
    "postgresql",
    "PostgreSQL",
    port=5432,
    driver="psycopg",
    any_parent=False,
    backs_up_replicas=False,
    fences=False,
    siblings_follow=False,
    ejects=False,
    restart_resumes=False,
    healthy_has_data=False,
    reads_older_major=False,
    users_read_all=False,
    connects_to_database=True,
    replica_restarts_source=True,
    first_replica_promotes=False,
)
ENGINES = {engine.name: engine for engine in (MYSQL, MARIADB, POSTGRESQL)}

#: Parts of the name of a datastore, and the engine. An operator chooses that name, and
#: the API shows nothing else about the engine (``T:datastore/views.py``).
_LABELS = (
    ("postgres", POSTGRESQL),
    ("pgsql", POSTGRESQL),
    ("maria", MARIADB),
    ("mysql", MYSQL),
    ("percona", MYSQL),
)


def recognize(datastore: str | None) -> Engine | None:
    """Return the engine that the name of a datastore shows, or None.

    >>> recognize("PostgreSQL 16 (HA)").name
    'postgresql'
    """
    label = (datastore or "").lower()
    if label == "pg":
        return POSTGRESQL
    return next((engine for word, engine in _LABELS if word in label), None)


def of(datastore: str | None) -> Engine:
    """Return the engine of a datastore; if its name does not show it, MySQL."""
    return recognize(datastore) or MYSQL
