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

"""Databases and users of an instance, and its root.

The original is BaseMySqlAdmin and BaseMySqlRootAccess in
trove/guestagent/datastore/mysql_common/service.py; its models check the names.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trove.common import cfg, exception
from trove.common.db.mysql import models

from trove_ext.sandbox.guest.engine import Page, Serialized
from trove_ext.sandbox.guest.mariadb.server import MariaDB, Row, Session

CONF = cfg.CONF


class Accounts:
    """Writes with the binary log on a source and without it on a replica."""

    def __init__(self, db: MariaDB) -> None:
        self._db = db

    # Databases

    def create_databases(self, databases: Iterable[Mapping[str, Any]]) -> None:
        """Create databases; raises ValueError for a reserved name."""
        with self._db.local_session() as session:
            for item in databases:
                schema = models.MySQLSchema.deserialize(dict(item))
                schema.check_create()
                session.query(
                    f"CREATE DATABASE IF NOT EXISTS {quoted(schema.name)}"
                    " CHARACTER SET = %s COLLATE = %s",
                    schema.character_set,
                    schema.collate,
                )

    def delete_database(self, database: Mapping[str, Any]) -> None:
        """Drop a database; raises ValueError for a reserved name."""
        schema = models.MySQLSchema.deserialize(dict(database))
        schema.check_delete()
        with self._db.local_session() as session:
            session.query(f"DROP DATABASE {quoted(schema.name)}")

    def list_databases(
        self, limit: int | None, marker: str | None, *, include_marker: bool
    ) -> Page:
        """List databases by name, at most *limit* of them, those after *marker*."""
        rows = self._db.query(
            "SELECT schema_name AS name, default_character_set_name AS charset,"
            " default_collation_name AS collation, schema_name AS marker"
            " FROM information_schema.schemata"
            f" WHERE schema_name NOT IN %s AND {_after('schema_name', include_marker)}"
            " ORDER BY schema_name",
            tuple(CONF.mariadb.ignore_dbs),
            marker or "",
        )
        shown, following = _page(rows, limit)
        return [_schema(row).serialize() for row in shown], following

    # Users

    def create_users(self, users: Iterable[Mapping[str, Any]]) -> None:
        """Create users with all rights in their databases; ValueError if reserved."""
        with self._db.local_session() as session:
            for item in users:
                user = models.MySQLUser.deserialize(dict(item))
                user.check_create()
                session.query(
                    "CREATE USER %s@%s IDENTIFIED BY %s",
                    user.name,
                    user.host,
                    user.password,
                )
                _grant(session, user, [x["_name"] for x in user.databases])

    def delete_user(self, user: Mapping[str, Any]) -> None:
        """Drop a user; raises ValueError for a reserved name."""
        found = models.MySQLUser.deserialize(dict(user))
        found.check_delete()
        with self._db.local_session() as session:
            session.query("DROP USER %s@%s", found.name, found.host)

    def list_users(
        self, limit: int | None, marker: str | None, *, include_marker: bool
    ) -> Page:
        """List users by ``name@host``, at most *limit*, those after *marker*."""
        name_and_host = "CONCAT(User, '@', Host)"
        rows = self._db.query(
            f"SELECT User, Host, {name_and_host} AS marker FROM mysql.user"
            " WHERE is_role = 'N' AND Host <> 'localhost' AND User NOT IN %s"
            f" AND {_after(name_and_host, include_marker)}"
            " ORDER BY marker",
            tuple(CONF.mariadb.ignore_users),
            marker or "",
        )
        shown, following = _page(rows, limit)
        return [self._user(row).serialize() for row in shown], following

    def get_user(self, name: str, host: str) -> Serialized | None:
        """Return a user with its databases, or None."""
        user = self._find_user(name, host)
        return user.serialize() if user else None

    def change_passwords(self, users: Iterable[Mapping[str, Any]]) -> None:
        """Set the passwords of users."""
        with self._db.local_session() as session:
            for item in users:
                _set_password(session, item["name"], item["host"], item["password"])

    def update_user(self, name: str, host: str, changes: Mapping[str, Any]) -> None:
        """Give a user another password, name or host; NotFound if there is none."""
        user = self._known_user(name, host)
        with self._db.local_session() as session:
            if changes.get("password") is not None:
                _set_password(session, user.name, user.host, changes["password"])
            if changes.get("name") or changes.get("host"):
                session.query(
                    "RENAME USER %s@%s TO %s@%s",
                    user.name,
                    user.host,
                    changes.get("name") or user.name,
                    changes.get("host") or user.host,
                )

    def grant(self, name: str, host: str, databases: Sequence[str]) -> None:
        """Give a user all rights in databases; BadRequest for a reserved one."""
        user = self._known_user(name, host)
        for database in databases:
            try:
                models.MySQLSchema(name=database).check_reserved()
            except ValueError as exc:
                message = f"Grant access to {database} is not allowed"
                raise exception.BadRequest(message) from exc
        with self._db.local_session() as session:
            _grant(session, user, databases)

    def revoke(self, name: str, host: str, database: str) -> None:
        """Take from a user all rights in a database."""
        user = self._known_user(name, host)
        with self._db.local_session() as session:
            session.query(
                f"REVOKE ALL ON {quoted(database)}.* FROM %s@%s", user.name, user.host
            )

    def list_grants(self, name: str, host: str) -> list[Serialized]:
        """Return the databases in which a user has more than USAGE."""
        return list(self._known_user(name, host).databases)

    # Root

    def is_root_enabled(self) -> bool:
        """Whether there is a root that isn't at localhost."""
        return bool(
            self._db.query(
                "SELECT 1 FROM mysql.user WHERE User = 'root' AND Host <> 'localhost'"
            )
        )

    def enable_root(self, password: str | None) -> Serialized:
        """Let root in from everywhere and return it, with a random password if none."""
        root = models.MySQLUser.root(password=password)
        option = " WITH GRANT OPTION" if CONF.root_grant_option else ""
        with self._db.local_session() as session:
            session.query("CREATE USER IF NOT EXISTS %s@%s", root.name, root.host)
            _set_password(session, root.name, root.host, root.password)
            session.query(
                f"GRANT {', '.join(CONF.root_grant)} ON *.* TO %s@%s{option}",
                root.name,
                root.host,
            )
        serialized: Serialized = root.serialize()
        return serialized

    # Helpers

    def _user(self, row: Row) -> Any:
        user = models.MySQLUser(name=row["User"], host=row["Host"])
        for database in self._databases_of(row["User"], row["Host"]):
            user.databases = database
        return user

    def _databases_of(self, name: str, host: str) -> list[str]:
        rows = self._db.query(
            "SELECT DISTINCT table_schema AS name FROM"
            " information_schema.SCHEMA_PRIVILEGES"
            " WHERE privilege_type <> 'USAGE' AND grantee = %s ORDER BY name",
            f"'{name}'@'{host}'",
        )
        # A grant contains a pattern, in which an underscore is escaped.
        return [row["name"].replace("\\_", "_") for row in rows]

    def _find_user(self, name: str, host: str) -> Any:
        try:
            models.MySQLUser(name=name).check_reserved()
        except ValueError as exc:
            raise exception.BadRequest(f"Username {name} is not valid: {exc}") from exc
        rows = self._db.query(
            "SELECT User, Host FROM mysql.user"
            " WHERE Host <> 'localhost' AND User = %s AND Host = %s",
            name,
            host,
        )
        return self._user(rows[0]) if rows else None

    def _known_user(self, name: str, host: str) -> Any:
        user = self._find_user(name, host)
        if user is None:
            raise exception.UserNotFound(uuid=f"{name}@{host}")
        return user


def quoted(name: str) -> str:
    """Write *name* as an identifier of SQL; for use in a statement with values."""
    return "`" + name.replace("`", "``").replace("%", "%%") + "`"


def _after(column: str, include_marker: bool) -> str:
    return f"{column} {'>=' if include_marker else '>'} %s"


def _page(rows: list[Row], limit: int | None) -> tuple[list[Row], str | None]:
    if limit is None or len(rows) <= limit:
        return rows, None
    return rows[:limit], rows[limit - 1]["marker"] if limit else None


def _schema(row: Row) -> Any:
    # The original would raise for a charset that the models don't list.
    known = row["charset"] in models.MySQLSchema.charset
    return models.MySQLSchema(
        name=row["name"],
        character_set=row["charset"] if known else None,
        collate=row["collation"]
        if row["collation"] in models.MySQLSchema.collation
        else None,
    )


def _grant(session: Session, user: Any, databases: Iterable[str]) -> None:
    for database in databases:
        session.query(
            f"GRANT ALL ON {quoted(database)}.* TO %s@%s", user.name, user.host
        )


def _set_password(session: Session, name: str, host: str, password: str) -> None:
    session.query("ALTER USER %s@%s IDENTIFIED BY %s", name, host, password)
