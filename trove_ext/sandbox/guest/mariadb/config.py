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

"""The files of one instance, and the configuration of its mariadbd.

Pure: nothing here starts a process or opens a connection.
"""

import configparser
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trove_ext.sandbox.guest import layout as common
from trove_ext.sandbox.guest.engine import USER

PORT = 3306
"""Trove's API has no field for a port, so every instance listens on this one."""

ADMIN_USER = "os_admin"
"""As ADMIN_USER_NAME in Trove's guestagent/datastore/mysql_common/service.py."""

ADMIN_HOST = "127.0.0.1"
"""The source of the agent's connections: all of 127/8 is reached from there."""

SOURCE = "master-replication"
REPLICA = "slave-replication"
"""Names of overrides: CNF_MASTER and CNF_SLAVE of mysql_common/service.py."""

TLS = "tls"
"""The override of the certificate.

Trove has it in that of the user's configuration group, so detaching a group removes it
(update_overrides in mysql_common/service.py).
"""

GENERAL_LOG, SLOW_LOG = "general_log", "slow_query_log"
_PREFIX = {
    GENERAL_LOG: "05",
    SLOW_LOG: "05",
    SOURCE: "10",
    REPLICA: "20",
    USER: "90",
    TLS: "95",
}

# The keys of Trove's replica templates that every MariaDB understands; the
# others there (log_bin, relay_log) are paths of Trove's own image.
_REPLICATION_KEYS = ("binlog_format", "log_slave_updates", "read_only")

# A socket's path fits into sockaddr_un, 108 bytes with the final zero.
_LONGEST_SOCKET = 100

_MIN_POOL_MB, _MAX_POOL_MB = 32, 64


@dataclass(frozen=True)
class Layout(common.Layout):
    """The paths of the files of one instance; a restore replaces ``data``."""

    @property
    def config(self) -> Path:
        """The configuration file that mariadbd is started with."""
        return self.root / "my.cnf"

    @property
    def credentials(self) -> Path:
        """The agent's own account, in the form that MariaDB's programs read."""
        return self.root / "os_admin.cnf"

    @property
    def init_file(self) -> Path:
        """SQL that the first start after a restore runs."""
        return self.root / "init.sql"

    @property
    def pid_file(self) -> Path:
        """Written by mariadbd while it runs."""
        return self.root / "pid"

    @property
    def temporary(self) -> Path:
        """Directory for temporary tables.

        Not in /tmp: a mariadbd that starts removes all temporary tables there.
        """
        return self.root / "tmp"

    @property
    def socket(self) -> str:
        """The socket of mariadbd, relative to its data directory if necessary."""
        path = self.root / "mysqld.sock"
        return (
            str(path) if len(os.fsencode(path)) < _LONGEST_SOCKET else f"../{path.name}"
        )

    def override(self, name: str) -> Path:
        """Return the file of one override; a user's is last and takes precedence."""
        return self.overrides / f"{_PREFIX[name]}-{name}.cnf"


def server_id(address: str) -> int:
    """Return the replication ID of the server at *address*, unique among sandboxes."""
    return int(ipaddress.IPv4Address(address))


def buffer_pool_mb(memory_mb: int) -> int:
    """Return the megabytes of buffer pool that a flavor of *memory_mb* gets.

    Far less than Trove's template would give, because a laptop runs many instances, but
    a resize to another flavor still changes it.
    """
    return max(_MIN_POOL_MB, min(_MAX_POOL_MB, memory_mb // 16))


def settings(layout: Layout, address: str, memory_mb: int) -> dict[str, object]:
    """Return the instance's own part of ``[mysqld]``.

    After Trove's templates/mariadb/config.template, with three differences. Sizes
    suit a laptop. Nothing is synced to the disk: what was handed to the operating
    system survives a kill -9 of mariadbd, which is the only crash there is here. And
    the binary log is always on: Trove turns it on with a replication role, and so off
    again between the detach of a promoted replica and the moment when it becomes the
    source; a write in between would reach no other member.
    """
    return {
        "datadir": layout.data,
        "tmpdir": layout.temporary,
        "socket": layout.socket,
        "pid_file": layout.pid_file,
        "log_error": layout.error_log,
        "bind_address": address,
        "port": PORT,
        "server_id": server_id(address),
        "skip_name_resolve": 1,
        "local_infile": 0,
        "character_set_server": "utf8mb4",
        "max_connections": 100,
        "performance_schema": "OFF",
        "innodb_buffer_pool_size": f"{buffer_pool_mb(memory_mb)}M",
        "innodb_log_file_size": "32M",
        "innodb_log_buffer_size": "4M",
        "innodb_flush_method": "nosync",
        "innodb_flush_log_at_trx_commit": 2,
        "key_buffer_size": "1M",
        "aria_pagecache_buffer_size": "8M",
        "table_open_cache": 400,
        "log_bin": "mariadb-bin",
        "relay_log": "relay-bin",
        "binlog_format": "MIXED",
        "log_slave_updates": "ON",
        "sync_binlog": 0,
        # Seconds. Trove's CHANGE MASTER leaves the default of 60, a minute in each test
        # of a failover.
        "slave_net_timeout": 10,
    }


def section(values: Mapping[str, object]) -> str:
    """Format *values* as a ``[mysqld]`` section; None is an option without a value."""
    lines = ["[mysqld]"]
    lines += [k if v is None else f"{k} = {v}" for k, v in values.items()]
    return "\n".join(lines) + "\n"


def render(layout: Layout, address: str, memory_mb: int) -> str:
    """Format the whole configuration file of an instance."""
    own = section(settings(layout, address, memory_mb))
    return f"{own}\n!include {layout.credentials}\n!includedir {layout.overrides}/\n"


def render_credentials(address: str, password: str) -> str:
    """Format the agent's account for MariaDB's own programs."""
    values = (
        f"user = {ADMIN_USER}\npassword = {password}\nhost = {address}\nport = {PORT}\n"
    )
    return f"[client]\n{values}"


def replication_settings(contents: str) -> dict[str, object]:
    """Select from Trove's rendered replica configuration what this mariadbd supports.

    *contents* is trove/templates/mariadb/replica.config.template or its sibling for
    a source, or those of MySQL; a line may be an option without a value.
    """
    parser = configparser.ConfigParser(
        allow_no_value=True, interpolation=None, strict=False
    )
    parser.read_string(contents or "")
    if not parser.has_section("mysqld"):
        return {}
    found = {k.replace("-", "_"): v for k, v in parser.items("mysqld")}
    return {k: found[k] for k in _REPLICATION_KEYS if k in found}


def init_sql(password: str, *, keep_root: bool) -> str:
    """Return the SQL that restores the agent's account, whatever the data are.

    Restored data contain the accounts of their original instance. Trove starts
    mariadbd with --skip-grant-tables once (reset_password_for_restore in
    mariadb/manager.py); an init file does the same without admitting other users. None
    of it is in the binary log: on a replica that would be a transaction of its own.

    A root that may log in from elsewhere is one that the user enabled; Trove keeps
    it with a restore (do_prepare in mysql_common/manager.py) and so does
    *keep_root*.
    """
    admin = f"'{ADMIN_USER}'@'{ADMIN_HOST}'"
    lines = [
        "SET sql_log_bin = 0",
        f"CREATE USER IF NOT EXISTS {admin} IDENTIFIED BY '{password}'",
        f"ALTER USER {admin} IDENTIFIED BY '{password}'",
        f"GRANT ALL PRIVILEGES ON *.* TO {admin} WITH GRANT OPTION",
        f"ALTER USER IF EXISTS 'root'@'localhost' IDENTIFIED BY '{password}'",
        "DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1'",
    ]
    if not keep_root:
        lines.append("DROP USER IF EXISTS 'root'@'%'")
    return ";\n".join(lines) + ";\n"


def running_pid(layout: Layout) -> int | None:
    """Return the ID of the process that runs on *layout*, by its file and /proc."""
    try:
        pid = int(layout.pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    # A zombie's command line is empty, another process's is another.
    return pid if os.fsencode(f"--defaults-file={layout.config}") in command else None
