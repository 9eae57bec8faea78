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

"""The directory of a sandbox, and the settings chosen at its first start.

One directory contains everything: settings, keys, databases, logs, pid files. Nothing
outside is written, so removing the directory removes the sandbox, and two directories
are two sandboxes.
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from trove_ext.sandbox import labels

# Incremented if a new layout can't read what an older one wrote.
LAYOUT = 4
DATABASE_PORT = 3306
# The ports of MariaDB and of PostgreSQL.
INSTANCE_PORTS = (3306, 5432)
_MARK = "settings.json"
_NOT_IN_PATHS = re.compile(r"[^\w./@+,:=~-]")


class SandboxError(Exception):
    """A problem that the user may be able to fix; one line."""


class ForeignDirectoryError(SandboxError):
    """The directory contains something else, or a sandbox of another layout."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What is chosen once, at the first ``up``, and kept."""

    layout: int
    block: int
    """The sandbox's addresses are 127.77.<block>.1 to .254; .1 is its own database."""
    keystone_port: int
    trove_port: int
    swift_port: int
    """Of the sandbox itself: the regions share its object store."""
    engine: str
    """Major and minor version of the MariaDB that made the data: ``10.11``."""
    database_password: str
    admin_password: str
    user_password: str
    service_password: str
    token_seconds: int = 86400
    """Lifetime of a Keystone token."""
    rate: int = 100000
    """Requests a minute that Trove accepts from one user, for each method."""
    agent_seconds: int = 20
    """How long Trove waits for a guest agent that is at work."""
    postgresql: str | None = None
    """Major version of the PostgreSQL that wrote data, ``15``; None if there is none.

    It may be installed after the first ``up``.
    """

    region: str = labels.REGION
    """The region of this Trove."""

    @property
    def is_main(self) -> bool:
        """Whether it has a Keystone and an object store of its own."""
        return self.region == labels.REGION

    @property
    def store_url(self) -> str:
        """The URL of the object store, without the account."""
        return f"http://127.0.0.1:{self.swift_port}/v1"

    @property
    def database_address(self) -> str:
        """Address of the private database, on port 3306."""
        return f"127.77.{self.block}.1"

    @property
    def auth_url(self) -> str:
        """The URL of Keystone."""
        return f"http://127.0.0.1:{self.keystone_port}/v3"

    def service_url(self, path: str) -> str:
        """Return the URL of a service that shares the port of Trove."""
        return f"http://127.0.0.1:{self.trove_port}/{path}"

    @property
    def database_url(self) -> str:
        """The URL of Trove, without the project."""
        return self.service_url("v1.0")


def default_root() -> Path:
    """Return the default state directory (XDG base directories)."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "trove-ext" / "sandbox"


def is_free(address: str, port: int) -> bool:
    """Whether this address is free to listen on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _free_block() -> int:
    # At random, so two sandboxes that are set up at once, or of which one is down,
    # hardly ever choose the same one.
    for block in secrets.SystemRandom().sample(range(1, 255), 254):
        addresses = [f"127.77.{block}.{n}" for n in (1, 10, 11)]
        if all(is_free(a, port) for a in addresses for port in INSTANCE_PORTS):
            return block
    raise SandboxError("No block of addresses 127.77.0.0/16 is free")


def choose(
    engine: str, token_seconds: int, rate: int, agent_seconds: int = 20
) -> Settings:
    """Choose ports, addresses and passwords for a new sandbox."""
    return Settings(
        layout=LAYOUT,
        block=_free_block(),
        keystone_port=_free_port(),
        trove_port=_free_port(),
        swift_port=_free_port(),
        engine=engine,
        database_password=secrets.token_urlsafe(18),
        admin_password=secrets.token_urlsafe(18),
        user_password=secrets.token_urlsafe(18),
        service_password=secrets.token_urlsafe(18),
        token_seconds=token_seconds,
        rate=rate,
        agent_seconds=agent_seconds,
    )


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, atomically."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
        out.write(text)
    fresh.replace(path)


class StateDir:
    """The directory of one sandbox."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()

    @property
    def instances(self) -> Path:
        """The hosts' directories, by instance ID."""
        return self.root / "instances"

    @property
    def swift(self) -> Path:
        """Swift's configuration and its objects."""
        return self.root / "swift"

    @property
    def logs(self) -> Path:
        """Logs of the services."""
        return self.root / "logs"

    @property
    def pids(self) -> Path:
        """A file for each running service."""
        return self.root / "pids"

    @property
    def database(self) -> Path:
        """The private database of Keystone and Trove."""
        return self.root / "database"

    @property
    def keys(self) -> Path:
        """Keystone's keys."""
        return self.root / "keys"

    @property
    def clouds(self) -> Path:
        """How clients log in."""
        return self.root / "clouds.yaml"

    @property
    def policy(self) -> Path:
        """Trove's rules, as far as they are changed."""
        return self.root / "policy.yaml"

    @property
    def inventory(self) -> Path:
        """What the stand-ins of Nova and the others store."""
        return self.root / "inventory.sqlite"

    @property
    def trove_config(self) -> Path:
        """Trove's configuration."""
        return self.root / "trove.conf"

    @property
    def keystone_config(self) -> Path:
        """Keystone's configuration."""
        return self.root / "keystone.conf"

    def exists(self) -> bool:
        """Whether a sandbox has been set up here."""
        return (self.root / _MARK).is_file()

    def check(self) -> None:
        """Raise SandboxError if the directory can't be used or isn't a sandbox's.

        The path is used in configuration files and in the command lines of MariaDB's
        shell scripts, which accept neither blanks nor special characters.
        """
        if _NOT_IN_PATHS.search(str(self.root)):
            raise SandboxError(
                f"{self.root} has a character that MariaDB's programs don't accept:"
                " name another directory with --dir"
            )
        if self.root.exists() and not self.root.is_dir():
            raise ForeignDirectoryError(f"{self.root} is not a directory")
        if self.exists():
            self.settings()
        elif self.root.is_dir() and {path.name for path in self.root.iterdir()} - {
            "lock"
        }:
            raise ForeignDirectoryError(
                f"{self.root} has files but no sandbox: name another one with --dir"
            )

    def make(self) -> None:
        """Create the directory and its content; only its owner may enter."""
        for path in (self.root, self.instances, self.logs, self.pids):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def settings(self) -> Settings:
        """Read the settings.

        Raises SandboxError if there are none yet, ForeignDirectoryError if they are of
        another layout or no settings at all.
        """
        path = self.root / _MARK
        try:
            return self._parse(path.read_text())
        except FileNotFoundError:
            raise SandboxError(
                f"No sandbox in {self.root}: create one with trove-sandbox up"
            ) from None
        except (ValueError, TypeError, KeyError) as exc:
            raise ForeignDirectoryError(
                f"{self.root} is of another version of trove-sandbox, or damaged:"
                " trove-sandbox reset removes it"
            ) from exc

    @staticmethod
    def _parse(text: str) -> Settings:
        settings = Settings(**json.loads(text))
        if settings.layout != LAYOUT:
            raise ValueError(settings.layout)
        return settings

    def save(self, settings: Settings) -> None:
        """Store the settings, readable by their owner only: they contain passwords."""
        text = json.dumps(dataclasses.asdict(settings), indent=2)
        write_private(self.root / _MARK, text + "\n")

    @contextlib.contextmanager
    def lock(self, *, wait: bool = False) -> Iterator[None]:
        """Lock the sandbox against other commands that change it.

        Raises SandboxError if a command is running already, unless *wait* is set.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.root / "lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                raise SandboxError(
                    f"Another trove-sandbox command is in progress in {self.root}"
                ) from None
            yield

    def remove(self) -> None:
        """Remove the sandbox with its content."""
        shutil.rmtree(self.root)
