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

"""The files of one instance, and the configuration of its PostgreSQL.

Pure: nothing here starts a process or opens a connection.
"""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from trove_ext.sandbox.guest import layout as common
from trove_ext.sandbox.guest.engine import USER
from trove_ext.sandbox.guest.tls import ENFORCED, MTLS, at_least

PORT = 5432
"""Trove's postgresql_port; the API has no field for another."""

SUPERUSER = "postgres"
"""SUPER_USER_NAME in Trove's guestagent/datastore/postgres/service.py."""

REPLICATION_USER = "replicator"
"""REPLICATION_USER in the same file."""

SYSTEM = "system"
"""The override of the agent itself, read after the user's (SYSTEM_POST_USER_GROUP in
Trove's guestagent/common/configuration.py)."""

GENERAL_LOG = "general_log"
_FILE_NAMES = {
    GENERAL_LOG: "10-system-001-general_log.conf",
    USER: "20-user-001-common.conf",
    SYSTEM: "50-system-001-common.conf",
}

# Where Trove's image has the volume; configuration groups name it (archive_command).
_TROVE_DATA = "/var/lib/postgresql/data"

_MIN_BUFFERS_MB, _MAX_BUFFERS_MB = 16, 64


@dataclass(frozen=True)
class Layout(common.Layout):
    """The paths of the files of one instance.

    On the volume, as Trove has it: ``pgdata`` and ``wal_archive`` side by side.
    """

    @property
    def pgdata(self) -> Path:
        """The data directory of the server."""
        return self.data / "pgdata"

    @property
    def archive(self) -> Path:
        """WAL_ARCHIVE_DIR of Trove's postgres/service.py."""
        return self.data / "wal_archive"

    @property
    def config(self) -> Path:
        """The configuration file that the server is started with."""
        return self.root / "postgresql.conf"

    @property
    def access_rules(self) -> Path:
        """HBA_CONFIG_FILE of Trove's postgres/service.py."""
        return self.root / "pg_hba.conf"

    @property
    def run(self) -> Path:
        """Directory of the socket, for the owner alone: superusers need no password."""
        return self.root / "run"

    @property
    def pid_file(self) -> Path:
        """Written by the server while it runs."""
        return self.pgdata / "postmaster.pid"

    @property
    def replication_password(self) -> Path:
        """The file .replpass of Trove's strategies/replication/postgresql.py."""
        return self.pgdata / ".replpass"

    @property
    def standby_signal(self) -> Path:
        """Makes the server a standby as long as it exists."""
        return self.pgdata / "standby.signal"

    @property
    def recovery_signal(self) -> Path:
        """Makes the next start replay the archive."""
        return self.pgdata / "recovery.signal"

    def override(self, name: str) -> Path:
        """Return the file of one override."""
        return self.overrides / _FILE_NAMES[name]


SOCKET_FOR_CHILDREN = "/proc/self/cwd/run"
"""The socket's directory for a program that is started in the instance's directory.

A socket's path fits into 107 bytes, that of a state directory may be longer.
"""


def shared_buffers_mb(memory_mb: int) -> int:
    """Return the megabytes of shared buffers that a flavor of *memory_mb* gets.

    Far less than Trove's template would give, but a resize to another flavor still
    changes it.
    """
    return max(_MIN_BUFFERS_MB, min(_MAX_BUFFERS_MB, memory_mb // 64))


def archive_command(layout: Layout, faults: Path, command: str | None = None) -> str:
    """Return the command that archives a WAL segment: Trove's own, or a group's.

    Trove's never overwrites (templates/postgresql/config.template). The fault
    ``archive`` makes it fail, whatever the command.
    """
    there = f"{layout.archive}/%f"
    trove = f"test ! -f {there} && cp %p {there}.tmp && mv {there}.tmp {there}"
    switches = _switches(layout, faults, "archive")
    guard = " && ".join(f"test ! -e {switch}" for switch in switches)
    return f"{guard} && {here(layout, command) if command else trove}"


def restore_command(layout: Layout, faults: Path) -> str:
    """Return the command that fetches a WAL segment from the archive: Trove's own.

    The fault ``recovery`` delays it for each segment that is there, so that a replay
    takes as long as that of much WAL; but not for the first two, with which the data
    are consistent, and the server responds.
    """
    there = f"{layout.archive}/%f"
    delays = " ".join(
        f"left=$(sed -n 's/^sleep \\([0-9]*\\).*/\\1/p' {switch} 2>/dev/null); "
        f'while test "${{left:-0}}" -gt 0 -a -e {switch} -a -e {there}; '
        "do sleep 1; left=$((left - 1)); done;"
        for switch in _switches(layout, faults, "recovery")
    )
    # Without the history files of backups, which have a dot in their names.
    first = f'"$(ls {layout.archive} | grep -v "[.]" | head -n 2)"'
    return f'case {first} in *%f*) ;; *) {delays} ;; esac; cp {there} "%p"'


def _switches(layout: Layout, faults: Path, point: str) -> list[str]:
    """Return the files of a fault, of all instances and of this, for a shell."""
    paths = (faults / point, faults / f"{point}@{layout.root.name}")
    return [shlex.quote(str(path)) for path in paths]


def here(layout: Layout, value: str) -> str:
    """Replace the directory of Trove's volume by the one of this instance."""
    return value.replace(_TROVE_DATA, str(layout.data))


def settings(
    layout: Layout, address: str, memory_mb: int, faults: Path
) -> dict[str, object]:
    """Return the configuration of an instance.

    These are as in Trove's templates/postgresql/config.template: wal_level,
    wal_log_hints, archiving, restore_command, wal_keep_size, max_connections. The
    rest suits a laptop. Nothing is synced to the disk: the only crash here is a
    kill -9, which data in the operating system's cache survive. A checkpoint is
    made at once (checkpoint_completion_target): by default Trove's full backups
    wait for minutes until a busy server has spread one.
    """
    return {
        "data_directory": layout.pgdata,
        "hba_file": layout.access_rules,
        "ident_file": layout.pgdata / "pg_ident.conf",
        "listen_addresses": address,
        "port": PORT,
        # Relative to the data directory, to keep it short.
        "unix_socket_directories": os.path.relpath(layout.run, layout.pgdata),
        "max_connections": 100,
        "wal_level": "replica",
        "wal_log_hints": "on",
        "max_wal_size": "1GB",
        "min_wal_size": "80MB",
        "archive_mode": "on",
        "archive_command": archive_command(layout, faults),
        "restore_command": restore_command(layout, faults),
        "wal_keep_size": 80,
        "max_wal_senders": 10,
        "update_process_title": "off",
        "log_timezone": "Etc/UTC",
        "timezone": "Etc/UTC",
        "datestyle": "iso, mdy",
        # From here on the values differ from Trove's.
        "shared_buffers": f"{shared_buffers_mb(memory_mb)}MB",
        "logging_collector": "off",
        "fsync": "off",
        "checkpoint_completion_target": 0,
        "wal_retrieve_retry_interval": "500ms",
        # In /dev/shm it would outlive an instance that was killed.
        "dynamic_shared_memory_type": "mmap",
    }


def render(layout: Layout, address: str, memory_mb: int, faults: Path) -> str:
    """Format the whole configuration file of an instance; overrides are last."""
    values = settings(layout, address, memory_mb, faults)
    lines = [f"{key} = {_quoted(value)}" for key, value in values.items()]
    return "\n".join([*lines, f"include_dir = {_quoted(layout.overrides)}"]) + "\n"


def access_rules(mode: str | None = None, *, replication: bool) -> str:
    """Format pg_hba.conf; apply_access_rules in Trove's postgres/service.py.

    *mode* is that of TLS. Without Trove's three lines that trust every connection as
    ``postgres`` from 127.0.0.1, because here every connection is from there.
    """
    host = "hostssl" if at_least(mode, ENFORCED) else "host"
    is_mtls = at_least(mode, MTLS)
    method = ("cert", "clientcert=verify-full") if is_mtls else ("md5",)
    rules: list[tuple[str, ...]] = [
        ("local", "all", SUPERUSER, "trust"),
        ("local", "replication", SUPERUSER, "trust"),
        ("local", "all", "all", "md5"),
        (host, "all", SUPERUSER, "all", "reject"),
        (host, "all", "all", "all", *method),
    ]
    if replication:
        rules.append((host, "replication", REPLICATION_USER, "all", "md5"))
    return "".join(" ".join(rule) + "\n" for rule in rules)


def _quoted(value: object) -> str:
    escaped = str(value).replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def running_pid(layout: Layout) -> int | None:
    """Return the ID of the server that runs on *layout*, by its file and /proc."""
    pid = recorded_pid(layout)
    return pid if pid is not None and is_server(layout, pid) else None


def recorded_pid(layout: Layout) -> int | None:
    """Return the process ID in the server's file; another process may have it now."""
    try:
        return int(layout.pid_file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def is_server(layout: Layout, pid: int) -> bool:
    """Whether this is a process of the server on *layout*; a zombie is not."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(f"config_file={layout.config}") in command


def shared_memory_id(layout: Layout) -> str | None:
    """Return the ID of the server's shared memory segment (line 7 of its file)."""
    try:
        return layout.pid_file.read_text().split("\n")[6].split()[1]
    except (OSError, IndexError):
        return None
