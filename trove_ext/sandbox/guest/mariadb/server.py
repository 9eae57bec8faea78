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

"""One mariadbd: its process, and connections to it."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pymysql
import pymysql.cursors

from trove_ext.sandbox.guest import programs
from trove_ext.sandbox.guest.engine import DatabaseError, State
from trove_ext.sandbox.guest.mariadb import config, template

_START_SECONDS = 60.0
_STOP_SECONDS = 60.0
_STARTING_SECONDS = 15.0
_POLL_SECONDS = 0.05
_CONNECT_SECONDS = 5

Row = dict[str, Any]


class MariaDB:
    """The mariadbd of one instance. It outlives this process and is adopted again."""

    def __init__(self, layout: config.Layout, address: str, memory_mb: int) -> None:
        self.layout = layout
        self.address = address
        self.memory_mb = memory_mb
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._lock = threading.RLock()
        self.powered = True
        """False for good once the host is off: a pending call must start nothing."""
        self._paused = False

    # The process

    def pid(self) -> int | None:
        """Return the process ID of the running mariadbd of this instance."""
        if self._process is not None:
            # This also reaps one that was killed.
            return self._process.pid if self._process.poll() is None else None
        return config.running_pid(self.layout)

    def start(self, *options: str) -> None:
        """Start mariadbd unless it is running, and wait until it responds.

        Raises DatabaseError if it doesn't, with the last words of its log.
        """
        with self._lock:
            if self.pid() is None:
                self._spawn(options)
            # One that was paused when this process ended is adopted, too.
            self.resume()
            self._wait_for_answer()

    def stop(self) -> None:
        """Shut mariadbd down cleanly; after a minute by force."""
        with self._lock:
            self.resume()
            self._signal(signal.SIGTERM)
            if not self._wait_for_end(_STOP_SECONDS):
                self.kill()

    def kill(self) -> None:
        """Kill mariadbd, as a crash would; raises DatabaseError if it keeps running."""
        self._signal(signal.SIGKILL)
        if not self._wait_for_end(_STOP_SECONDS):
            raise DatabaseError(f"mariadbd {self.pid()} doesn't end")

    def restart(self) -> None:
        """Stop and start; what was SET GLOBAL is forgotten."""
        with self._lock:
            self.stop()
            self.start()

    def pause(self) -> None:
        """Pause mariadbd, so nothing changes on its volume."""
        self._paused = True
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused mariadbd continue."""
        self._signal(signal.SIGCONT)
        self._paused = False

    def state(self) -> State:
        """Read the state of mariadbd by a query, as Trove's get_service_status does.

        On a file system that Trove has frozen, the query would succeed.
        """
        if self.pid() is None:
            return State.DEAD
        if self._paused:
            return State.ANSWERS
        try:
            with self.session(_CONNECT_SECONDS) as session:
                session.query("SELECT 1")
        except (pymysql.MySQLError, OSError):
            young = time.monotonic() - self._started < _STARTING_SECONDS
            return State.STARTING if young else State.SILENT
        return State.ANSWERS

    def _spawn(self, options: Sequence[str]) -> None:
        if not self.powered:
            raise DatabaseError("The host has been switched off")
        program = programs.find("mariadbd")
        defaults = f"--defaults-file={self.layout.config}"
        with self.layout.error_log.open("ab") as log:
            self._process = subprocess.Popen(
                [program, defaults, *programs.as_user(), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.layout.root,
                start_new_session=True,
            )
        self._started = time.monotonic()

    def _signal(self, number: signal.Signals) -> None:
        pid = self.pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _wait_for_answer(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while self.pid() is not None and time.monotonic() < deadline:
            if self.state() is State.ANSWERS:
                return
            time.sleep(_POLL_SECONDS)
        log = self.layout.error_log.read_text(errors="replace")
        raise DatabaseError(f"Failed to start mariadbd: {programs.last_words(log)}")

    def _wait_for_end(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.pid() is None:
                self._process = None
                return True
            time.sleep(_POLL_SECONDS)
        return False

    # Its files

    def initialize(self) -> None:
        """Give the instance an empty data directory; raises ProgramError."""
        template.copy_template(self.layout.root.parents[1], self.layout.data)

    def configure(self) -> None:
        """Write the configuration again; overrides are kept."""
        for directory in (self.layout.overrides, self.layout.temporary):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.layout.config.write_text(
            config.render(self.layout, self.address, self.memory_mb)
        )

    def write_override(self, name: str, values: Mapping[str, object]) -> None:
        """Write *values* to the configuration, for the next start."""
        self.layout.override(name).write_text(config.section(values))

    def remove_override(self, name: str) -> None:
        """Remove the values of an override from the configuration."""
        self.layout.override(name).unlink(missing_ok=True)

    def has_override(self, name: str) -> bool:
        """Whether the override is in the configuration."""
        return self.layout.override(name).exists()

    def password(self) -> str:
        """Return the agent's password, generated at the first call."""
        path = self.layout.credentials
        if not path.exists():
            text = config.render_credentials(self.address, secrets.token_urlsafe(18))
            _write_private(path, text)
        line = next(
            x for x in path.read_text().splitlines() if x.startswith("password")
        )
        return line.partition("=")[2].strip()

    def start_first(self, *options: str, keep_root: bool) -> None:
        """Start on data that has another server's accounts; see config.init_sql."""
        text = config.init_sql(self.password(), keep_root=keep_root)
        _write_private(self.layout.init_file, text)
        try:
            self.start(f"--init-file={self.layout.init_file}", *options)
        finally:
            self.layout.init_file.unlink()

    def wipe(self) -> None:
        """Remove everything that belongs to this instance."""
        shutil.rmtree(self.layout.root, ignore_errors=True)

    # Connections

    @contextlib.contextmanager
    def session(self, read_seconds: float | None = None) -> Iterator["Session"]:
        """Connect as the agent, with autocommit; wait *read_seconds* for a response.

        Without TLS, which is required of no account of Trove's: PyMySQL would read the
        system's authorities for each connection, and agents connect for each heartbeat.
        """
        connection = pymysql.connect(
            host=self.address,
            port=config.PORT,
            user=config.ADMIN_USER,
            password=self.password(),
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=read_seconds,
            ssl_disabled=True,
            autocommit=True,
            cursorclass=pymysql.cursors.DictCursor,
        )
        with contextlib.closing(connection):
            yield Session(connection)

    @contextlib.contextmanager
    def local_session(self) -> Iterator["Session"]:
        """Connect to write; on a replica, without the binary log.

        A transaction of its own would make a replica diverge from its set.
        """
        with self.session() as session:
            if session.query("SHOW SLAVE STATUS"):
                session.query("SET sql_log_bin = 0")
            yield session

    def query(self, sql: str, *values: object) -> list[Row]:
        """Run one statement in a connection of its own and return its rows."""
        with self.session() as session:
            return session.query(sql, *values)

    def value(self, sql: str) -> Any:
        """Return the single value of the query *sql*."""
        return next(iter(self.query(sql)[0].values()))


class Session:
    """An open connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def query(self, sql: str, *values: object) -> list[Row]:
        """Run one statement, *values* at its ``%s``, and return its rows."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(text)
