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

"""The base of the functional tests: the real ``openstack`` against the sandbox."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time
import uuid
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pymysql
import testtools

from trove_ext.tests.functional import running

#: A line of progress, as commands that wait write it to a pipe.
PROGRESS = r": .* \(\d+ s\)$"
PORT = 3306


@dataclass(frozen=True)
class Run:
    """A command that has ended."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        return (
            f"$ openstack {shlex.join(self.argv)}\nexit code {self.exit_code}\n"
            f"--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        )

    def problem(self, expect: int, stderr: str | None) -> str | None:
        """Return what is wrong with it, or None.

        :param expect: the exit code it should have
        :param stderr: for a command that should fail, a regular expression that
            its standard error contains; for one that should succeed, a regular
            expression that matches *every* line of it. None: it must be empty if
            the command succeeds, and may be anything if the command fails.
        """
        if self.exit_code != expect:
            return f"expected exit code {expect}"
        if "Traceback (most recent call last)" in self.stderr:
            return "a traceback"
        if expect:
            found = stderr is None or re.search(stderr, self.stderr)
            return None if found else f"stderr has nothing like {stderr!r}"
        for line in self.stderr.splitlines():
            if stderr is None or not re.search(stderr, line):
                return f"stderr has an undeclared line: {line!r}"
        return None


def stop_ignoring_signals() -> None:
    """Have processes that are started from here end by Ctrl-C and SIGHUP.

    A shell starts a job in the background with SIGINT ignored, and ``nohup`` one with
    SIGHUP ignored; all their descendants inherit it, ``openstack`` among them.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def _forget_clients() -> None:
    """Drop the clients cached on the class: the next run has another user."""
    from openstackclient.common import clientmanager
    from osc_lib.clientmanager import ClientCache

    # The clients of plugins are cached on the base class.
    for cls in clientmanager.ClientManager.__mro__:
        for value in vars(cls).values():
            if isinstance(value, ClientCache):
                value._handle = None


@contextlib.contextmanager
def _kept_logging() -> Iterator[None]:
    """Restore the logging: each run adds handlers, which would keep its streams."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def run_here(argv: tuple[str, ...], environment: dict[str, str]) -> Run:
    """Run ``openstack`` in this process, with this environment; check nothing."""
    from openstackclient import shell

    _forget_clients()
    out, err = io.StringIO(), io.StringIO()
    code: Any
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(sys, "stdin", io.StringIO()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        _kept_logging(),
        # A test runner turns on warnings that a process does not show.
        warnings.catch_warnings(action="ignore"),
    ):
        try:
            code = shell.main(list(argv))
        except SystemExit as exc:
            code = exc.code
    return Run(argv, int(code or 0), out.getvalue(), err.getvalue())


class FunctionalTestCase(testtools.TestCase):
    """A class of tests with an OpenStack project of its own.

    :cvar cloud: the cloud of the class, which every command uses
        by default
    :cvar sandbox: the directory of the sandbox
    """

    cloud: str
    sandbox: pathlib.Path
    environment: dict[str, str]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        stop_ignoring_signals()
        cls.sandbox = running.directory()
        cls.cloud = cls.new_project()
        home = cls.sandbox / "home"
        home.mkdir(exist_ok=True)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("OS_")}
        cls.environment = {
            **kept,
            **running.settings(cls.sandbox),
            "OS_CLOUD": cls.cloud,
            # troveclient and stevedore keep files there.
            "HOME": str(home),
            "PATH": f"{running.PROGRAMS}{os.pathsep}{os.environ['PATH']}",
            "TZ": "UTC",
            "LC_ALL": "C.UTF-8",
        }

    @classmethod
    def trove_sandbox(cls, *argv: str) -> str:
        """Run ``trove-sandbox`` for the sandbox of this run."""
        return running.trove_sandbox(cls.sandbox, *argv)

    @classmethod
    def new_project(cls) -> str:
        """Create another project; return the name of its cloud."""
        name = f"{cls.__name__.lower()}-{uuid.uuid4().hex[:8]}"
        cls.trove_sandbox("project", "create", name)
        return name

    def openstack(
        self,
        *argv: str,
        expect: int = 0,
        stderr: str | None = None,
        cloud: str | None = None,
        stdin: str | None = None,
        timeout: float = 600,
    ) -> str:
        """Run ``openstack`` as a process; return what it wrote to stdout.

        The test fails unless it exits with ``expect`` and its standard error is as
        :meth:`Run.problem` says: a successful command writes nothing that the test
        did not declare.

        :param cloud: a cloud other than that of the class
        :param stdin: its standard input; empty by default
        :param timeout: seconds after which it is killed and the test fails
        """
        run = self.run_openstack(*argv, cloud=cloud, stdin=stdin, timeout=timeout)
        return self._checked(run, expect, stderr).stdout

    def openstack_json(self, *argv: str, **kwargs: Any) -> Any:
        """Like :meth:`openstack_here` with ``-f json``; return the parsed stdout.

        With a time-out or a standard input, a process of its own.
        """
        as_process = kwargs.keys() & {"stdin", "timeout"}
        run = self.openstack if as_process else self.openstack_here
        return json.loads(run(*argv, "-f", "json", **kwargs))

    def run_openstack(
        self,
        *argv: str,
        cloud: str | None = None,
        stdin: str | None = None,
        timeout: float = 600,
    ) -> Run:
        """Run ``openstack`` as a process and check nothing."""
        done = subprocess.run(
            [str(running.PROGRAMS / "openstack"), *argv],
            env=self._environment(cloud),
            input=stdin or "",
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Run(argv, done.returncode, done.stdout, done.stderr)

    def start_openstack(
        self, *argv: str, cloud: str | None = None
    ) -> subprocess.Popen[str]:
        """Start ``openstack`` and return at once; it is killed when the test ends."""
        process = subprocess.Popen(
            [str(running.PROGRAMS / "openstack"), *argv],
            env=self._environment(cloud),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self._end, process)
        return process

    def until(self, instance_id: str, text: str) -> None:
        """Wait until the instance shows this text."""
        argv = ("database", "instance", "show", instance_id, "-f", "json")
        deadline = time.monotonic() + 60
        while text not in self.openstack_here(*argv):
            self.assertLess(time.monotonic(), deadline, text)
            time.sleep(1)

    def openstack_here(
        self,
        *argv: str,
        expect: int = 0,
        stderr: str | None = None,
        cloud: str | None = None,
    ) -> str:
        """Like :meth:`openstack`, in this process: saves the start of an interpreter."""
        run = self.run_openstack_here(*argv, cloud=cloud)
        return self._checked(run, expect, stderr).stdout

    def run_openstack_here(self, *argv: str, cloud: str | None = None) -> Run:
        """Run ``openstack`` in this process and check nothing."""
        return run_here(argv, self._environment(cloud))

    def sql(
        self,
        instance: str,
        statement: str,
        *,
        user: str = "dbusr",
        password: str = "dbpassword",
        database: str | None = None,
    ) -> list[dict[str, Any]]:
        """Run one SQL statement on an instance; return its rows.

        :param instance: a name or an ID, or an address
        """
        connection = pymysql.connect(
            host=self.address(instance),
            port=PORT,
            user=user,
            password=password,
            database=database,
            autocommit=True,
            connect_timeout=30,
            cursorclass=pymysql.cursors.DictCursor,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def root_sql(self, instance: str, statement: str) -> list[dict[str, Any]]:
        """Like :meth:`sql` as root; the instance must have :meth:`enable_root`."""
        return self.sql(instance, statement, user="root", password="rootpassword")

    def enable_root(self, instance: str) -> None:
        """Enable root; replicas and restores created later have it too."""
        argv = ("database", "root", "enable", instance)
        self.openstack(*argv, "--root_password", "rootpassword")

    def address(self, instance: str) -> str:
        """The address of an instance, by its name or ID."""
        if re.fullmatch(r"127(\.\d+){3}", instance):
            return instance
        shown = self.openstack_json("database", "instance", "show", instance)
        found = re.search(r"\b127(\.\d+){3}\b", json.dumps(shown))
        if found is None:
            self.fail(f"instance {instance} has no address: {shown}")
        return found.group()

    def _environment(self, cloud: str | None) -> dict[str, str]:
        return self.environment | ({"OS_CLOUD": cloud} if cloud else {})

    def _checked(self, run: Run, expect: int, stderr: str | None) -> Run:
        problem = run.problem(expect, stderr)
        if problem is not None:
            self.fail(f"{problem}\n{run}")
        return run

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> None:
        if process.poll() is None:
            process.kill()
        process.communicate()
