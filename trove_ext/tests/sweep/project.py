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


"""A project in a sandbox: its state, read directly, and commands through a proxy."""

import contextlib
import functools
import itertools
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from unittest import mock

import yaml

from trove_ext.sandbox import clouds, projects
from trove_ext.sandbox.state import StateDir
from trove_ext.tests.fake.faults import Fault
from trove_ext.tests.fake.log import RequestLog
from trove_ext.tests.functional import running
from trove_ext.tests.functional.base import Run, run_here
from trove_ext.tests.functional.proxy import FaultProxy

NETWORK = "908816f1-933c-4ff2-8595-f0f57c689e48"
VERSION = "5.7.29"
#: Seconds: what a request, a read with its repetitions and the end of a verification
#: may take. Real ones are minutes; the rules under test are the same.
SHORT = {
    "trove_ext.osc.base.session.REQUEST_TIMEOUT": 5.0,
    "trove_ext.trove.limits.REQUEST_TIMEOUT": 5.0,
    "trove_ext.trove.limits.READ_BUDGET": 8.0,
    "trove_ext.trove.limits.RATE_LIMIT_BUDGET": 8.0,
    "trove_ext.workflows.restore.scratch_instance.DELETE_TIMEOUT": 10.0,
    "trove_ext.workflows.restore.scratch_instance.APPEAR_TIMEOUT": 5.0,
    "trove_ext.workflows.replica.heartbeat.WATCH": 15.0,
}
#: Seconds that a command waits: a permanent fault does not end.
TIMEOUT = {False: 90, True: 8}
SETTLE = 120.0
#: States without an operation in progress; for a host that is off it is ACTIVE/ERROR.
SETTLED = {"ACTIVE/HEALTHY", "ACTIVE/ERROR", "ERROR/", "ERROR/ERROR"}
RUNNING = {"NEW", "BUILDING", "SAVING"}


@dataclass(frozen=True)
class State:
    """The instances and backups of a project, by ID."""

    instances: dict[str, dict[str, Any]]
    backups: dict[str, dict[str, Any]]

    @property
    def ids(self) -> frozenset[str]:
        """All backups that a user has named."""
        backups = (
            backup["id"]
            for backup in self.backups.values()
            if not backup["name"].startswith("Replication snapshot for")
        )
        return frozenset([*self.instances, *backups])

    def instance(self, name: str) -> dict[str, Any] | None:
        """The one instance of a name."""
        found = [
            instance for instance in self.instances.values() if instance["name"] == name
        ]
        return found[0] if len(found) == 1 else None

    def backup(self, name: str) -> dict[str, Any] | None:
        """The one backup of a name."""
        found = [backup for backup in self.backups.values() if backup["name"] == name]
        return found[0] if len(found) == 1 else None

    def settled(self, name: str) -> bool:
        """Whether there is one instance of a name, and it is healthy."""
        one = self.instance(name)
        return one is not None and health(one) == "ACTIVE/HEALTHY"

    def completed(self, name: str) -> bool:
        """Whether there is one backup of a name, and it is complete."""
        one = self.backup(name)
        return one is not None and one["status"] == "COMPLETED"

    def source_of(self, name: str) -> str | None:
        """The name of the source of a replica."""
        one = self.instance(name)
        source = (one or {}).get("replica_of") or {}
        return self.instances.get(source.get("id", ""), {}).get("name")


def health(instance: dict[str, Any]) -> str:
    """Both states of an instance."""
    return f"{instance['status']}/{instance.get('operating_status') or ''}"


class Project:
    """A project of its own, and its user."""

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory
        where = StateDir(directory)
        self.settings = where.settings()
        self.name = name
        self.entry = clouds.read(where.clouds)[self.name]
        self._session = projects.session(self.entry)
        self._numbers = itertools.count(1)

    @classmethod
    def new(cls, directory: Path) -> Self:
        """Create one; Keystone's database accepts only one at a time."""
        name = f"sweep-{uuid.uuid4().hex[:8]}"
        running.trove_sandbox(directory, "project", "create", name)
        return cls(directory, name)

    @functools.cached_property
    def _url(self) -> str:
        return f"{self.settings.database_url}/{self._session.get_project_id()}"

    def new_name(self) -> str:
        """A name that has not been used."""
        return f"n{next(self._numbers)}"

    def state(self) -> State:
        """Read the state, without the proxy."""
        backups = self._get("backups?limit=1000")["backups"]
        instances = self._pages("instances/detail")
        return State(
            {instance["id"]: instance for instance in instances},
            {backup["id"]: backup for backup in backups},
        )

    def settle(self) -> State:
        """Wait until no operation is in progress."""
        deadline = time.monotonic() + SETTLE
        while True:
            state = self.state()
            busy = [
                f"{instance['name']} {health(instance)}"
                for instance in state.instances.values()
                if health(instance) not in SETTLED
            ]
            busy += [
                f"{backup['name']} {backup['status']}"
                for backup in state.backups.values()
                if backup["status"] in RUNNING
            ]
            if not busy:
                return state
            if time.monotonic() > deadline:
                raise AssertionError(f"it does not settle: {busy}")
            time.sleep(0.5)

    def delete(self, state: State, kept: Callable[[dict[str, Any]], bool]) -> None:
        """Delete everything but what is kept: children first, replicas first."""
        backups = [backup for backup in state.backups.values() if not kept(backup)]
        for backup in sorted(
            backups, key=lambda backup: backup["created"], reverse=True
        ):
            self._delete(f"backups/{backup['id']}")
        instances = [
            instance for instance in state.instances.values() if not kept(instance)
        ]
        for instance in sorted(
            instances, key=lambda instance: "replica_of" not in instance
        ):
            self._delete(f"instances/{instance['id']}")
            self._gone(f"instances/{instance['id']}")
        for backup in backups:
            self._gone(f"backups/{backup['id']}")

    def clear(self) -> None:
        """Delete everything: each instance is a running database server."""
        self.delete(self.settle(), lambda _one: False)

    def openstack(self, *argv: str) -> Run:
        """Run a command without the proxy; it must succeed."""
        with self._environment(self.settings.auth_url) as environment:
            run = run_here(("database", *argv), environment)
        if run.exit_code:
            raise AssertionError(str(run))
        return run

    def through(self, line: str, fault: Fault | None) -> tuple[Run, RequestLog]:
        """Run a command through the proxy, with shortened time-outs."""
        settings = self.settings
        lasting = fault is not None and fault.lasting
        argv = ("database", *line.split(), "--timeout", str(TIMEOUT[lasting]))
        with (
            FaultProxy(settings.auth_url, settings.database_url, fault) as proxy,
            self._environment(proxy.auth_url) as environment,
            contextlib.ExitStack() as stack,
        ):
            for name, value in SHORT.items():
                stack.enter_context(mock.patch(name, value))
            return run_here(argv, environment), proxy.log

    def host_off(self, name: str) -> None:
        """Switch an instance's host off, and wait until Trove has noticed."""
        one = self.state().instance(name)
        assert one is not None
        running.trove_sandbox(self.directory, "fault", "host-off", one["id"])
        deadline = time.monotonic() + SETTLE
        while (self.state().instance(name) or {})["operating_status"] != "ERROR":
            if time.monotonic() > deadline:
                raise AssertionError(f"{name} still sends a heartbeat")
            time.sleep(1)

    @contextlib.contextmanager
    def _environment(self, auth_url: str) -> Iterator[dict[str, str]]:
        entry = {**self.entry, "auth": {**self.entry["auth"], "auth_url": auth_url}}
        with tempfile.TemporaryDirectory() as home:
            path = Path(home) / "clouds.yaml"
            path.touch(mode=0o600)
            path.write_text(yaml.safe_dump({"clouds": {self.name: entry}}))
            yield {
                "PATH": os.environ["PATH"],
                "HOME": home,
                "OS_CLIENT_CONFIG_FILE": str(path),
                "OS_CLOUD": self.name,
                "TROVECLIENT_UUID_CACHE_DIR": os.devnull,
                "TZ": "UTC",
                "LC_ALL": "C.UTF-8",
            }

    def _get(self, path: str) -> dict[str, Any]:
        answer = self._session.get(f"{self._url}/{path}", raise_exc=False)
        found: dict[str, Any] = answer.json()
        return found

    def _there(self, path: str) -> bool:
        return bool(self._session.get(f"{self._url}/{path}", raise_exc=False).ok)

    def _pages(self, path: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while True:
            marker = f"?marker={rows[-1]['id']}" if rows else ""
            page = self._get(path + marker)["instances"]
            rows += page
            if len(page) < 20:
                return rows

    def _delete(self, path: str) -> None:
        self._session.delete(f"{self._url}/{path}", raise_exc=False)

    def _gone(self, path: str) -> None:
        deadline = time.monotonic() + SETTLE
        while self._there(path):
            if time.monotonic() > deadline:
                raise AssertionError(f"{path} is not deleted")
            time.sleep(0.5)
