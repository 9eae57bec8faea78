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

"""The real client and the real `openstack` shell over a fake cloud."""

import contextlib
import io
import logging
import os
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

import requests
from keystoneauth1 import session as ksa_session
from keystoneauth1.identity import v3
from troveclient.v1 import client as trove_client

from trove_ext.tests.fake import keystone
from trove_ext.tests.fake.clock import FakeClock, Impossible, SkewedClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.faults import Fault
from trove_ext.tests.fake.log import RequestLog
from trove_ext.tests.fake.transport import FakeTransport, server_of

# troveclient keeps a completion cache under the home directory: nowhere, in tests.
os.environ.setdefault("TROVECLIENT_UUID_CACHE_DIR", os.devnull)


def make_session(
    cloud: FakeCloud, faults: list[Fault] | None = None
) -> ksa_session.Session:
    """Create a keystoneauth session that is logged in to the fake Keystone."""
    identity = server_of(cloud).keystone
    auth = v3.Password(
        keystone.IDENTITY,
        username=identity.username,
        password=identity.password,
        project_name=identity.project,
        user_domain_id="default",
        project_domain_id="default",
    )
    inner = requests.Session()
    transport = FakeTransport(cloud, faults)
    inner.mount("http://", transport)
    inner.mount("https://", transport)
    return ksa_session.Session(auth=auth, session=inner)


def make_client(cloud: FakeCloud, faults: list[Fault] | None = None) -> Any:
    """Create a real troveclient for the fake cloud.

    The log-in is done, and counts as the first requests of the fault plan.
    """
    session = make_session(cloud, faults)
    return trove_client.Client(
        session=session,
        auth=session.auth,
        region_name=server_of(cloud).keystone.region,
        endpoint_type="public",
    )


@contextlib.contextmanager
def virtual_time(clock: FakeClock | SkewedClock) -> Iterator[None]:
    """Replace the project's own clock by a fake one."""
    with mock.patch.multiple(
        "trove_ext.polling.SystemClock",
        monotonic=staticmethod(clock.monotonic),
        sleep=staticmethod(clock.sleep),
        now=staticmethod(clock.now),
    ):
        yield


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Turn what the code under test must never do into a failure.

    :raises AssertionError: a request without a read time-out, an endless loop
    """
    try:
        yield
    except Impossible as impossible:
        raise AssertionError(str(impossible)) from impossible


@dataclass(frozen=True)
class Result:
    """How a run of `openstack` ended."""

    exit_code: int
    stdout: str
    stderr: str
    requests: RequestLog


class _Stream(io.TextIOWrapper):
    """A standard stream in memory, a terminal or not."""

    def __init__(
        self,
        content: bytes = b"",
        *,
        tty: bool = False,
        room: int | None = None,
        encoding: str = "utf-8",
        errors: str = "strict",
        think: Callable[[], None] = lambda: None,
    ) -> None:
        self.memory = io.BytesIO(content)
        super().__init__(
            self.memory, encoding=encoding, errors=errors, write_through=True
        )
        self._tty = tty
        self._room = room
        self._think = think

    def readline(self, *args: Any) -> str:  # type: ignore[override]
        self._think()
        return super().readline(*args)

    def write(self, text: str) -> int:
        if self._room is not None and self.memory.tell() + len(text) > self._room:
            raise BrokenPipeError(32, "Broken pipe")
        return super().write(text)

    def isatty(self) -> bool:
        return self._tty

    def text(self) -> str:
        self.flush()
        return self.memory.getvalue().decode(self.encoding)


def environment(cloud: FakeCloud, home: str) -> dict[str, str]:
    """Return the environment variables of a user of the fake cloud."""
    identity = server_of(cloud).keystone
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": home,
        "COLUMNS": "200",
        "TZ": "UTC",
        "OS_CLIENT_CONFIG_FILE": f"{home}/no-clouds.yaml",
        "TROVECLIENT_UUID_CACHE_DIR": os.devnull,
        "OS_AUTH_TYPE": "password",
        "OS_AUTH_URL": keystone.IDENTITY,
        "OS_USERNAME": identity.username,
        "OS_PASSWORD": identity.password,
        "OS_PROJECT_NAME": identity.project,
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
        "OS_REGION_NAME": identity.region,
        "OS_IDENTITY_API_VERSION": "3",
    }


@contextlib.contextmanager
def _streams(
    stdin: str | None,
    *,
    tty: bool,
    room: int | None,
    err_room: int | None,
    encoding: str = "utf-8",
    think: Callable[[], None],
) -> Iterator[tuple[_Stream, _Stream]]:
    given = _Stream((stdin or "").encode(), tty=tty, think=think)
    out = _Stream(tty=tty, room=room, encoding=encoding)
    # As Python creates them.
    errors = "backslashreplace"
    err = _Stream(tty=tty, room=err_room, encoding=encoding, errors=errors)
    saved = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = given, out, err
    try:
        yield out, err
    finally:
        sys.stdin, sys.stdout, sys.stderr = saved


@contextlib.contextmanager
def _logging_restored() -> Iterator[None]:
    """Undo the changes of the shell to the logging of the process."""
    root = logging.getLogger()
    handlers, level, filters = root.handlers[:], root.level, root.filters[:]
    levels = {item: item.level for item in _loggers()}
    root.handlers = []
    try:
        with warnings.catch_warnings():
            yield
    finally:
        root.handlers, root.filters = handlers, filters
        for item in _loggers():
            # Not by setLevel, which empties the caches of all loggers each time.
            item.level = levels.get(item, logging.NOTSET)
        root.setLevel(level)


def _loggers() -> list[logging.Logger]:
    known = logging.root.manager.loggerDict.values()
    return [item for item in known if isinstance(item, logging.Logger)]


def run_openstack(
    argv: list[str],
    cloud: FakeCloud,
    clock: FakeClock | None = None,
    *,
    stdin: str | None = None,
    tty: bool = False,
    faults: list[Fault] | None = None,
    env: dict[str, str | None] | None = None,
    room: int | None = None,
    err_room: int | None = None,
    encoding: str = "utf-8",
    answer_time: float = 0.0,
) -> Result:
    """Run `openstack` with these arguments inside this process.

    A signal that the command does not handle ends the run, not the tests.

    :raises AssertionError: a request without a read time-out, an endless loop

    :param room: characters after which standard output is a broken pipe
    :param err_room: the same of standard error, as with ``2>&1 | head``
    :param encoding: of stdout and stderr, as by ``PYTHONIOENCODING``
    :param answer_time: virtual seconds before each line of standard input
    :param env: changes to the environment; None removes a variable
    :returns: the requests of this run only
    """
    # Slow, and not needed by tests that only use a client.
    from openstackclient import shell

    clock = clock or cloud.clock
    transport = FakeTransport(cloud, faults)
    seen = len(cloud.log)
    with contextlib.ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory())
        variables: dict[str, str | None] = {**environment(cloud, home), **(env or {})}
        present = {k: v for k, v in variables.items() if v is not None}
        stack.enter_context(mock.patch.dict(os.environ, present, clear=True))
        stack.enter_context(
            mock.patch.object(requests.Session, "get_adapter", return_value=transport)
        )
        stack.enter_context(virtual_time(SkewedClock(clock, cloud.local_skew)))
        stack.enter_context(_logging_restored())
        out, err = stack.enter_context(
            _streams(
                stdin,
                tty=tty,
                room=room,
                err_room=err_room,
                encoding=encoding,
                think=lambda: clock.advance(answer_time),
            )
        )
        stack.enter_context(_deadly_signals())
        stack.enter_context(guarded())
        _forget_clients()
        code = _exit_code(lambda: shell.main(list(argv)))
        sent = RequestLog(cloud.log[seen:])
        unmet = [each for each in faults or () if not any(map(each.meets, sent))]
        assert not unmet, f"no request has met {unmet}"
        return Result(code, out.text(), err.text(), sent)


def _forget_clients() -> None:
    """Drop the clients of an earlier run in this process.

    osc-lib keeps them in descriptors of the class: a process has one cloud.
    """
    from osc_lib import clientmanager

    for item in vars(clientmanager.ClientManager).values():
        if isinstance(item, clientmanager.ClientCache):
            item._handle = None


class Killed(BaseException):
    """The effect of an unhandled signal; a real one runs no `finally`."""


@contextlib.contextmanager
def _deadly_signals() -> Iterator[None]:
    """Make SIGTERM and SIGHUP end the run, and not the tests."""

    def die(number: int, _frame: object) -> None:
        raise Killed(number)

    numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    saved = {number: signal.getsignal(number) for number in numbers}
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, die)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in saved.items():
            signal.signal(number, handler)


def _exit_code(run: Any) -> int:
    """Return what a shell finds in `$?`, and print the user's traceback."""
    try:
        code = run()
    except SystemExit as leave:
        code = leave.code
    except Killed as killed:
        return 128 + int(killed.args[0])
    except KeyboardInterrupt:
        traceback.print_exc()
        return 130
    except Exception:  # noqa: BLE001 - as the interpreter does
        # Python itself exits like this; a test looks for the traceback.
        traceback.print_exc()
        return 1
    if isinstance(code, str):
        sys.stderr.write(code + "\n")
        return 1
    return int(code or 0)
