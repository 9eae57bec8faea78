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

"""The database of Keystone and Trove: a private mariadbd, and the rows of Trove.

SQLite is not enough: if an admin's ``reset status`` coincides with a running backup,
Trove waits for a lock that it holds itself; and of two log-ins at the same moment
Keystone answers one with 500 ("database is locked").
"""

import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trove_ext.sandbox import labels
from trove_ext.sandbox.guest import engine, programs
from trove_ext.sandbox.guest.mariadb import template
from trove_ext.sandbox.guest.postgresql import programs as postgresql
from trove_ext.sandbox.state import (
    DATABASE_PORT,
    SandboxError,
    Settings,
    StateDir,
    write_private,
)

TROVE, KEYSTONE = "trove", "keystone"
"""The names of the two databases."""
_USER = "trove"
_CONNECT_SECONDS = 1.0


def engine_version() -> str:
    """Return major and minor version of the mariadbd here: ``10.11``.

    Raises SandboxError if none is installed, or its backup program is missing.
    """
    return ".".join(_mariadb_number().split(".")[:2])


def _mariadb_number() -> str:
    """Return the version of the mariadbd here, ``10.11.19``; raises SandboxError."""
    try:
        for name in ("mariadb-install-db", "mariadb-backup"):
            programs.find(name)
        text = programs.run([programs.find("mariadbd"), "--no-defaults", "--version"])
    except programs.ProgramError as exc:
        raise SandboxError(f"{exc} (Debian: mariadb-server, mariadb-backup)") from exc
    # mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64
    return text.split("Ver ", 1)[1].split("-", 1)[0]


def url(settings: Settings, name: str) -> str:
    """Return the URL of one of the two databases, as SQLAlchemy has it."""
    account = f"{_USER}:{settings.database_password}"
    place = f"{settings.database_address}/{name}?charset=utf8mb4"
    return f"mysql+pymysql://{account}@{place}"


def _config(state: StateDir, settings: Settings) -> str:
    return f"""\
[mysqld]
datadir = {state.database}
# In /tmp, another mariadbd that starts would remove temporary tables of this one.
tmpdir = {state.root / "tmp"}
socket = sandbox.sock
pid_file = sandbox.pid
bind_address = {settings.database_address}
port = {DATABASE_PORT}
init_file = {state.root / "database.sql"}
skip_name_resolve = 1
character_set_server = utf8mb4
max_connections = 300
performance_schema = OFF
innodb_buffer_pool_size = 48M
innodb_log_file_size = 32M
innodb_flush_method = nosync
innodb_flush_log_at_trx_commit = 2
aria_pagecache_buffer_size = 8M
"""


def _first_sql(settings: Settings) -> str:
    user = f"'{_USER}'@'127.0.0.1'"
    return (
        f"CREATE DATABASE IF NOT EXISTS {TROVE};\n"
        f"CREATE OR REPLACE USER {user} IDENTIFIED BY '{settings.database_password}';\n"
        f"GRANT ALL ON *.* TO {user};\n"
    )


def prepare(state: StateDir, settings: Settings) -> list[str]:
    """Create the data directory if there is none; return the command to start it.

    Raises SandboxError if MariaDB can't create it.
    """
    if not state.database.is_dir():
        try:
            template.copy_template(state.root, state.database)
        except (programs.ProgramError, subprocess.CalledProcessError) as exc:
            raise SandboxError(f"No database could be made: {exc}") from exc
    (state.root / "tmp").mkdir(mode=0o700, exist_ok=True)
    config = state.root / "database.cnf"
    write_private(config, _config(state, settings))
    write_private(state.root / "database.sql", _first_sql(settings))
    return [
        programs.find("mariadbd"),
        f"--defaults-file={config}",
        *programs.as_user(),
    ]


def answers(settings: Settings) -> bool:
    """Whether the database accepts connections."""
    address = (settings.database_address, DATABASE_PORT)
    try:
        with socket.create_connection(address, timeout=_CONNECT_SECONDS):
            return True
    except OSError:
        return False


def connect(settings: Settings) -> Any:
    """Open a connection to Trove's database."""
    import pymysql

    return pymysql.connect(
        host=settings.database_address,
        port=DATABASE_PORT,
        user=_USER,
        password=settings.database_password,
        database=TROVE,
        charset="utf8mb4",
        cursorclass=pymysql.cursors.DictCursor,
    )


def make_tables() -> None:
    """Create Trove's tables unless they exist; to be run as Trove.

    As ``trove-manage db_sync`` (trove/cmd/manage.py).
    """
    from trove.common import cfg
    from trove.db import get_db_api

    get_db_api().db_sync(cfg.CONF)


def fill(versions: Sequence[labels.DatastoreVersion]) -> None:
    """Register datastore versions and what Trove allows in them; to be run as Trove.

    As ``trove-manage datastore_update``, ``datastore_version_update`` and
    ``db_load_datastore_config_parameters`` (trove/cmd/manage.py).
    """
    from trove.configuration import models as configurations
    from trove.datastore import models as datastores

    for name in dict.fromkeys(version.datastore for version in versions):
        datastores.update_datastore(name, None)
    for version in versions:
        _add_version(datastores, version)
        configurations.load_datastore_configuration_parameters(
            version.datastore,
            version.name,
            str(_rules(version)),
            version_number=_number(version),
        )


def _add_version(datastores: Any, version: labels.DatastoreVersion) -> None:
    datastores.update_datastore_version(
        version.datastore,
        version.name,
        version.manager,
        labels.IMAGE_ID,
        None,
        "",
        True,  # noqa: FBT003 - Trove's own signature: active
        version=_number(version),
    )
    if version.default:
        datastores.update_datastore(version.datastore, version.name)


def _number(version: labels.DatastoreVersion) -> str:
    """Return the number of a version, which for the default ones is the engine's.

    Trove's own tests compare it with what the engine reports. The others are newer by
    their labels alone.
    """
    if not version.default:
        return version.name
    is_mariadb = version.manager == engine.MARIADB
    return _mariadb_number() if is_mariadb else postgresql.number() or version.name


def _rules(version: labels.DatastoreVersion) -> Path:
    """Return the options that a configuration group may contain."""
    import trove

    templates = Path(trove.__path__[0]) / "templates"
    return templates / version.manager / "validation-rules.json"
