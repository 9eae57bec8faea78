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

"""Runs the databases' programs; in Trove's process subprocess is cooperative."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

# Debian keeps mariadbd outside the PATH of a plain user.
_MORE_PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec")


class ProgramError(Exception):
    """A program is missing, or ended with an error; the text ends with its output."""


def find(name: str, package: str = "MariaDB's server and backup") -> str:
    """Return the path of a program; raises ProgramError if there is none."""
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), *_MORE_PLACES])
    found = shutil.which(name, path=places)
    if not found:
        raise ProgramError(f"{name} was not found: install {package}")
    return found


def as_user() -> list[str]:
    """Return the option that mariadbd requires to run as root."""
    return ["--user=root"] if os.geteuid() == 0 else []


def last_words(text: str, lines: int = 3) -> str:
    """Return the end of a program's output, as one line for an error."""
    return " / ".join(
        [line.strip() for line in text.splitlines() if line.strip()][-lines:]
    )


def run(command: Sequence[str], *, cwd: Path | None = None) -> str:
    """Run a program to its end and return its output.

    Raises ProgramError if it fails.
    """
    done = subprocess.run(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    _check(command, done.returncode, done.stdout)
    return done.stdout


class Jobs:
    """Programs that run for one instance and end when its host loses power."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._powered = True

    def run(
        self,
        command: Sequence[str],
        log: Path,
        *,
        stdin: IO[bytes] | None = None,
        stdout: IO[bytes] | None = None,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> str:
        """Run a program to its end, with its output in *log*, and return the output.

        Raises ProgramError if it fails or is killed.
        """
        self.check_power()
        with log.open("wb") as words:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=stdin or subprocess.DEVNULL,
                stdout=stdout or words,
                stderr=words,
            )
            self._running.add(process)
            try:
                code = process.wait()
            finally:
                self._running.discard(process)
        text = log.read_text(errors="replace")
        _check(command, code, text)
        return text

    def check_power(self) -> None:
        """Raise ProgramError if the host has been switched off."""
        if not self._powered:
            raise ProgramError("The host has been switched off")

    def kill(self) -> None:
        """Kill all that run, and start nothing else."""
        self._powered = False
        for process in list(self._running):
            process.kill()


def _check(command: Sequence[str], code: int, words: str) -> None:
    if code:
        # The words before "--" only run the program as another user.
        start = command.index("--") + 1 if "--" in command else 0
        name = Path(command[start]).name
        raise ProgramError(f"{name} ended with {code}: {last_words(words)}")
