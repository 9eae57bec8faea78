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

"""One PostgreSQL server: its process and its files."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from trove.common import stream_codecs

from trove_ext.sandbox.guest import programs
from trove_ext.sandbox.guest.engine import DatabaseError, State
from trove_ext.sandbox.guest.postgresql import config, template
from trove_ext.sandbox.guest.postgresql.programs import find, unprivileged
from trove_ext.sandbox.guest.postgresql.sql import Sql

_START_SECONDS = 60.0
_STOP_SECONDS = 60.0
_STARTING_SECONDS = 15.0
_POLL_SECONDS = 0.05
_STOPPED = "T"
"""The state of a process after SIGSTOP, in /proc."""

# As PgSqlApp.configuration_manager in Trove's postgres/service.py; it doesn't escape.
_CODEC = stream_codecs.KeyValueCodec(
    value_quoting=True,
    bool_case=stream_codecs.KeyValueCodec.BOOL_LOWER,
    big_ints=True,
)


class Postgres:
    """The server of one instance. It outlives this process and is adopted again."""

    def __init__(self, layout: config.Layout, address: str, memory_mb: int) -> None:
        self.layout = layout
        self.address = address
        self.memory_mb = memory_mb
        self.powered = True
        """False for good once the host is off: a pending call must start nothing."""
        self.sql = Sql(layout.run)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._lock = threading.RLock()

    # The process

    def pid(self) -> int | None:
        """Return the process ID of the running postmaster of this instance."""
        if self._process is not None:
            # This also reaps one that was killed.
            return self._process.pid if self._process.poll() is None else None
        return config.running_pid(self.layout)

    def start(self) -> None:
        """Start the server unless it is running, and wait until it responds.

        A standby and a restored server respond before they have replayed everything,
        and Trove waits only for that. Raises DatabaseError if it doesn't respond
        within a minute, with the end of its log.
        """
        with self._lock:
            if self.pid() is None:
                self._spawn()
            # One that was paused when this process ended is adopted, too.
            self.resume()
            self._wait_for_answer()

    def stop(self) -> None:
        """Shut the server down cleanly; after a minute by force.

        By SIGINT as Docker stops PostgreSQL's image: after SIGTERM it would wait for
        its clients without a limit.
        """
        with self._lock:
            self.resume()
            self.signal(signal.SIGINT)
            if not self._wait_for_end(_STOP_SECONDS):
                self.kill()

    def kill(self) -> None:
        """Kill the server, as a crash would; raises DatabaseError if that fails."""
        pid = self.pid()
        if pid is not None and not kill_all(pid):
            raise DatabaseError(f"PostgreSQL {pid} doesn't end")
        self._wait_for_end(0.0)

    def restart(self) -> None:
        """Stop and start."""
        with self._lock:
            self.stop()
            self.start()

    def reload(self) -> None:
        """Make the server read its configuration again, as pg_ctl reload does."""
        self.signal(signal.SIGHUP)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the postmaster, if there is one."""
        pid = self.pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def pause(self) -> None:
        """Pause the server and its children, so nothing changes on its volume."""
        # The postmaster first: it would start new ones.
        self.signal(signal.SIGSTOP)
        self._signal_children(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server continue."""
        if not self._is_paused():
            return
        self._signal_children(signal.SIGCONT)
        self.signal(signal.SIGCONT)

    def _is_paused(self) -> bool:
        pid = self.pid()
        return pid is not None and _stat(pid)[:1] == [_STOPPED]

    def _signal_children(self, number: int) -> None:
        pid = self.pid()
        for child in _children(pid) if pid is not None else []:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)

    def state(self) -> State:
        """Read the state of the server: HEALTHCHECK in Trove's postgres/service.py.

        On a file system that Trove has frozen, the query would succeed.
        """
        if self.pid() is None:
            return State.DEAD
        if self._is_paused():
            return State.ANSWERS
        if self.sql.is_ready():
            return State.ANSWERS
        young = time.monotonic() - self._started < _STARTING_SECONDS
        return State.STARTING if young else State.SILENT

    def _spawn(self) -> None:
        if not self.powered:
            raise DatabaseError("The host has been switched off")
        self._forget_stranger()
        command = [find("postgres"), "-c", f"config_file={self.layout.config}"]
        with self.layout.error_log.open("ab") as log:
            self._process = subprocess.Popen(
                [*unprivileged(), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.layout.root,
                start_new_session=True,
            )
        self._started = time.monotonic()

    def _forget_stranger(self) -> None:
        """Remove the file of a dead server whose process ID another process has.

        PostgreSQL would mistake that process for itself, and not start.
        """
        pid = config.recorded_pid(self.layout)
        alive = pid is not None and Path(f"/proc/{pid}").exists()
        if pid is not None and alive and not config.is_server(self.layout, pid):
            self.layout.pid_file.unlink(missing_ok=True)

    def _wait_for_answer(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while self.pid() is not None and time.monotonic() < deadline:
            if self.sql.is_ready():
                return
            time.sleep(_POLL_SECONDS)
        log = self.layout.error_log.read_text(errors="replace")
        raise DatabaseError(f"Failed to start PostgreSQL: {programs.last_words(log)}")

    def _wait_for_end(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.pid() is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        self._process = None
        return True

    # Its files

    def initialize(self) -> None:
        """Give the instance an empty data directory; raises ProgramError."""
        self.layout.data.mkdir(mode=0o700, exist_ok=True)
        template.copy_template(self.layout.root.parents[1], self.layout.pgdata)

    def configure(self) -> None:
        """Write the configuration again; overrides are kept."""
        layout = self.layout
        for path in (layout.overrides, layout.run, layout.archive):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = config.render(layout, self.address, self.memory_mb, self._faults)
        layout.config.write_text(text)

    def write_access_rules(self, mode: str | None = None, *, replication: bool) -> None:
        """Write who may connect in a mode of TLS, from the next start or reload on."""
        text = config.access_rules(mode, replication=replication)
        self.layout.access_rules.write_text(text)

    def write_override(self, name: str, values: Mapping[str, object]) -> None:
        """Add *values* to the configuration, besides those of the same override.

        ImportOverrideStrategy.apply in Trove's guestagent/common/configuration.py
        adds to the existing file: a value that a group no longer has remains
        until the group is detached.
        """
        kept = self.override(name)
        text = _CODEC.serialize({**kept, **self._translated(values)})
        self.layout.override(name).write_text(text + "\n")

    def override(self, name: str) -> dict[str, str]:
        """Return the values of an override."""
        path = self.layout.override(name)
        if not path.exists():
            return {}
        found: dict[str, str] = _CODEC.deserialize(path.read_text())
        return found

    def remove_override(self, name: str) -> None:
        """Remove the values of an override from the configuration."""
        self.layout.override(name).unlink(missing_ok=True)

    def has_override(self, name: str) -> bool:
        """Whether the override is in the configuration."""
        return self.layout.override(name).exists()

    def wipe(self) -> None:
        """Remove everything that belongs to this instance, even after a kill."""
        segment = config.shared_memory_id(self.layout)
        if segment is not None:
            with contextlib.suppress(programs.ProgramError):
                programs.run([programs.find("ipcrm", "util-linux"), "-m", segment])
        shutil.rmtree(self.layout.root, ignore_errors=True)

    @property
    def _faults(self) -> Path:
        return self.layout.root.parents[1] / "faults"

    def _translated(self, values: Mapping[str, object]) -> dict[str, object]:
        """Replace a group's paths, those of Trove's image, by this volume's."""
        made: dict[str, object] = {}
        for name, value in values.items():
            if name == "archive_command":
                made[name] = config.archive_command(
                    self.layout, self._faults, str(value)
                )
            else:
                is_text = isinstance(value, str)
                made[name] = config.here(self.layout, str(value)) if is_text else value
        return made


def kill_all(pid: int, seconds: float = _STOP_SECONDS) -> bool:
    """Kill a postmaster with its children; return whether all ended in time.

    Children outlive their postmaster for a moment, and keep the shared memory that
    the next one needs.
    """
    family = [pid, *_children(pid)]
    for member in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)
    deadline = time.monotonic() + seconds
    while any(_runs(member) for member in family):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _children(pid: int) -> list[int]:
    numbers = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdecimal()]
    return [number for number in numbers if _stat(number)[1:2] == [str(pid)]]


def _runs(pid: int) -> bool:
    # A zombie has no memory any more; its parent reaps it.
    return _stat(pid)[:1] not in ([], ["Z"])


def _stat(pid: int) -> list[str]:
    """Return state, parent and so on of a process, nothing if it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    # The name of the program, in parentheses, may contain anything.
    return text.rpartition(")")[2].split()
