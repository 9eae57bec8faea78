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

"""One sandbox for a whole run of the functional tests.

``tools/test.sh`` starts it and names its directory in TROVE_EXT_SANDBOX_DIR. If this
variable is not set, the first test that needs a sandbox starts it, in a directory that
all workers of this checkout share, and the last worker that ends stops it.
"""

from __future__ import annotations

import atexit
import fcntl
import functools
import hashlib
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
from typing import IO

DIRECTORY_VARIABLE = "TROVE_EXT_SANDBOX_DIR"
PROGRAMS = pathlib.Path(sys.executable).parent
#: The directory of trove-sandbox, if it runs in another environment than these tests:
#: for example with the clients of an old release, which can't be installed beside
#: Trove.
SANDBOX_PROGRAMS = pathlib.Path(
    os.environ.get("TROVE_EXT_SANDBOX_PROGRAMS") or PROGRAMS
)
CHECKOUT = pathlib.Path(__file__).parents[3]


def trove_sandbox(directory: pathlib.Path, *argv: str) -> str:
    """Run ``trove-sandbox`` for one directory; return its standard output."""
    done = subprocess.run(
        [str(SANDBOX_PROGRAMS / "trove-sandbox"), "--dir", str(directory), *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AssertionError(
            f"trove-sandbox {shlex.join(argv)} exited {done.returncode}:\n"
            f"{done.stdout}{done.stderr}"
        )
    return done.stdout


def _locked(path: pathlib.Path, operation: int) -> IO[str]:
    handle = path.open("w")
    fcntl.flock(handle, operation)
    return handle


class SharedSandbox:
    """A sandbox that the workers of one checkout start and stop together.

    Each worker has a shared lock while it runs; the one that gets the exclusive lock
    is the last. The lock of a killed worker is released, so it can't become stale.
    """

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory
        self._turn = directory.with_name(directory.name + ".turn")
        self._users = directory.with_name(directory.name + ".users")

    def join(self) -> None:
        """Use the sandbox until the process ends; start it if it is not running."""
        with _locked(self._turn, fcntl.LOCK_EX):
            self._held = _locked(self._users, fcntl.LOCK_SH)
            self.directory.mkdir(mode=0o700, exist_ok=True)
            trove_sandbox(self.directory, "up")
        atexit.register(self.leave)

    def leave(self) -> None:
        """Stop using it; stop the sandbox if no other worker uses it."""
        with _locked(self._turn, fcntl.LOCK_EX):
            self._held.close()
            try:
                last = _locked(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            with last:
                trove_sandbox(self.directory, "down")
                shutil.rmtree(self.directory)


def _shared_directory() -> pathlib.Path:
    digest = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:12]
    name = f"trove-ext-functional-{os.getuid()}-{digest}"
    return pathlib.Path(tempfile.gettempdir()) / name


@functools.cache
def directory() -> pathlib.Path:
    """The directory of the sandbox of this run, which is started if necessary."""
    given = os.environ.get(DIRECTORY_VARIABLE)
    if given:
        return pathlib.Path(given)
    shared = SharedSandbox(_shared_directory())
    shared.join()
    return shared.directory


def settings(root: pathlib.Path) -> dict[str, str]:
    """The variables that ``trove-sandbox env`` says to export."""
    lines = trove_sandbox(root, "env").splitlines()
    words = [shlex.split(line) for line in lines]
    pairs = [word[1] for word in words if word[:1] == ["export"]]
    return dict(pair.split("=", 1) for pair in pairs)
