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

"""The sandbox's processes: started in the background, found again, ended.

Nothing supervises them in between. Each has a file with its process ID and its start
time, because process IDs are reused.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from trove_ext.sandbox.state import SandboxError, StateDir, write_private

_PROC = Path("/proc")
_POLL_SECONDS = 0.1
_START_TIME_FIELD = 22
_LOG_LINES = 3
_POSTGRES = "postgres"
_DATABASE_PROGRAMS = ("mariadb", "mbstream", _POSTGRES, "pg_", "initdb")


@dataclass(frozen=True)
class Process:
    """A running process."""

    name: str
    pid: int
    started: int
    """Clock ticks after the boot of the machine; unique with the process ID."""


def start_time(pid: int) -> int | None:
    """Return when a process started, in clock ticks; None if it has ended."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name of the program, in parentheses, may contain anything.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[_START_TIME_FIELD - 3])


def is_alive(process: Process) -> bool:
    """Whether it is still running, and not another one with that process ID."""
    return start_time(process.pid) == process.started


def start(state: StateDir, name: str, command: list[str]) -> Process:
    """Start a program in the background, in a session of its own."""
    with (state.logs / f"{name}.out").open("ab") as log:
        child = subprocess.Popen(
            command,
            cwd=state.root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            umask=0o077,
        )
    process = Process(name, child.pid, start_time(child.pid) or 0)
    record = json.dumps({"pid": process.pid, "started": process.started})
    write_private(state.pids / name, record + "\n")
    return process


def find(state: StateDir, name: str) -> Process | None:
    """Return the process of that name, if it is running."""
    try:
        record = json.loads((state.pids / name).read_text())
    except FileNotFoundError:
        return None
    process = Process(name, record["pid"], record["started"])
    return process if is_alive(process) else None


def wait(
    process: Process, answers: Callable[[], bool], seconds: float, state: StateDir
) -> None:
    """Wait until the process responds.

    Raises SandboxError, with the last words of its log, if it ends or the time
    is over.
    """
    deadline = time.monotonic() + seconds
    while not answers():
        # A child of this process that ended is a zombie until it is waited for.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process.pid, os.WNOHANG)
        if not is_alive(process):
            raise SandboxError(f"{process.name} ended: {last_words(state, process)}")
        if time.monotonic() > deadline:
            raise SandboxError(
                f"{process.name} didn't answer within {seconds:.0f} s:"
                f" {last_words(state, process)}"
            )
        time.sleep(_POLL_SECONDS)


def last_words(state: StateDir, process: Process) -> str:
    """Return the end of a process's log, as one line."""
    path = state.logs / f"{process.name}.out"
    lines = path.read_text(errors="replace").strip().splitlines()
    return " / ".join(line.strip() for line in lines[-_LOG_LINES:]) + f" (see {path})"


def programs_of(state: StateDir) -> list[Process]:
    """Find every process whose command line names a path under the state directory.

    This also finds processes without a pid file: a database whose Trove was killed, a
    server whose ``up`` was killed.
    """
    mine = os.getpid()
    found = []
    for entry in _PROC.iterdir():
        if not entry.name.isdecimal() or int(entry.name) == mine:
            continue
        name = _name_in(state, entry)
        started = start_time(int(entry.name))
        if name and started is not None:
            found.append(Process(name, int(entry.name), started))
    return found


def _name_in(state: StateDir, entry: Path) -> str | None:
    """Return the name of a program of the sandbox, None for any other."""
    try:
        if entry.stat().st_uid != os.geteuid():
            return None
        words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    program = Path(words[0]).name
    ours = program.startswith(_DATABASE_PROGRAMS) or any(
        word.startswith("trove_ext.sandbox.") for word in words
    )
    return program if ours and _mentions(words, str(state.root)) else None


def _mentions(words: Iterable[str], root: str) -> bool:
    return any(
        word == root or f"{root}/" in word or word.endswith(f"={root}")
        for word in words
    )


def _signal(processes: Iterable[Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            if is_alive(process):
                os.kill(process.pid, number)


def end(processes: list[Process], seconds: float) -> None:
    """End processes by SIGTERM, after *seconds* by SIGKILL; wait for their end."""
    # After SIGTERM PostgreSQL waits for its clients without a limit.
    servers = [process for process in processes if process.name == _POSTGRES]
    _signal(servers, signal.SIGINT)
    _signal([x for x in processes if x not in servers], signal.SIGTERM)
    if _gone(processes, seconds):
        return
    _signal(processes, signal.SIGKILL)
    if not _gone(processes, seconds):
        left = ", ".join(str(p.pid) for p in processes if is_alive(p))
        raise SandboxError(f"These processes could not be killed: {left}")


def _gone(processes: list[Process], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(is_alive(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
