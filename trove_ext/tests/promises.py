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

"""What this project promises, and which tests show it on which ground.

A test class, or a single test, that shows a promise has the mark `shows`. The table of
doc/source/contributing/tested.rst is made from the marks, which are read from the
source: nothing is imported for it. ``trove_ext/tests/unit/test_promises.py`` checks
that no functional test is without a mark, and no promise without a test.
"""

import ast
import enum
import functools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

TESTS = Path(__file__).parent
_MARK = "shows"

Marked = TypeVar("Marked", bound=Callable[..., object])


class Promise(enum.Enum):
    """A promise; its value is the sentence of the documents."""

    GUIDE = "The commands of the public guides run as they stand."
    STOCK = "A stock command without an option of ours does what it did before."
    WAIT = (
        "``--wait`` ends with 0 only if the operation is complete; otherwise the"
        " message names the reason, or the command that continues."
    )
    ONCE = "Nothing that creates is sent twice, whatever request is lost."
    DELETE = "Nothing is deleted that was not named, or listed before."
    CHECKS = "All problems are reported at once, before the first changing request."
    PARENT = "An incremental backup is taken on a parent that can be restored."
    CHAINS = "A chain is shown whole, with what can be restored and what can not."
    FRESH = "``backup check`` finds an instance without a backup that is new enough."
    ROTATE = "``backup rotate`` can be killed at any point and be run concurrently."
    RETENTION = "What the policy keeps is kept, with all its ancestors."
    RESTORE = "A restored instance has the data of the backup."
    VERIFY = "``backup verify`` checks the data and leaves no instance."
    REPLICA = "New replicas replicate their source, and are waited for until they do."
    PROMOTE = (
        "A promote is checked first and verified afterwards; no acknowledged row is"
        " lost."
    )
    FAILOVER = "A source that is down is replaced; what is left of it is named."
    DETACH = "A detach is verified, and a lost configuration group is named."
    ENGINE = "What loses data with PostgreSQL is refused, or needs an option."
    SIGNALS = "A signal or a closed stream ends a command with what was sent."
    INPUT = "No input causes a traceback, or a request that it did not ask for."
    ACCESS = "Scheduled jobs need no more than the documented access rules."
    LIBRARY = "The Python library does the same as the commands."
    FAKE = "The fake cloud responds as the real Trove."
    SANDBOX = "The sandbox recovers from kills and is independent of others."
    TROVE = "The sandbox does what Trove's own tests expect of a cloud."


class Ground(enum.Enum):
    """What a test runs against; the value is the heading of the documents."""

    FAKE = "Fake cloud"
    MARIADB = "Sandbox, MariaDB"
    SNAPSHOTS = "Sandbox, snapshots"
    POSTGRESQL = "Sandbox, PostgreSQL"
    TEMPEST = "Trove's own tests"
    RELEASES = "All releases"


#: The ground of a test that names none, by the directory it is in.
_BY_DIRECTORY = {
    "unit": Ground.FAKE,
    "functional": Ground.MARIADB,
}


def shows(*_promises: Promise, on: Ground | None = None) -> Callable[[Marked], Marked]:
    """Mark a test, or all tests of a class, that show these promises.

    :param on: the ground, if it is not that of the test's directory: the fake cloud
        for a unit test, the sandbox with MariaDB for a functional one
    """
    del on

    def unchanged(marked: Marked) -> Marked:
        return marked

    return unchanged


@dataclass(frozen=True)
class Mark:
    """A mark as it was read."""

    path: str
    """Below trove_ext/tests."""
    name: str
    """Of the class or function."""
    promises: tuple[Promise, ...]
    ground: Ground
    tests: int
    """How many tests have it."""


@functools.cache
def read() -> tuple[Mark, ...]:
    """Read the marks of all tests."""
    paths = [path for name in _BY_DIRECTORY for path in (TESTS / name).rglob("*.py")]
    return tuple(mark for path in sorted(paths) for mark in _read_file(path))


def _read_file(path: Path) -> Iterator[Mark]:
    where, text = path.relative_to(TESTS), path.read_text(encoding="utf-8")
    if f"@{_MARK}(" not in text:
        return
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and _name(decorator.func) == _MARK:
                promises = tuple(Promise[_name(arg)] for arg in decorator.args)
                ground = _ground(decorator, where.parts[0])
                yield Mark(
                    str(where), node.name, promises, ground, len(list(_tests(node)))
                )


def _ground(decorator: ast.Call, directory: str) -> Ground:
    for keyword in decorator.keywords:
        return Ground[_name(keyword.value)]
    return _BY_DIRECTORY[directory]


def _tests(node: ast.ClassDef | ast.FunctionDef) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef):
        yield node.name
        return
    for member in node.body:
        if isinstance(member, ast.FunctionDef) and member.name.startswith("test"):
            yield member.name


def _name(node: ast.expr) -> str:
    """Return the last part of a dotted name: FAKE of Ground.FAKE."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def table() -> Counter[tuple[Promise, Ground]]:
    """Count the tests, or steps, that show each promise on each ground."""
    from trove_ext.tests.releases import steps
    from trove_ext.tests.tempest import allowed

    found: Counter[tuple[Promise, Ground]] = Counter()
    found[Promise.TROVE, Ground.TEMPEST] = allowed.SUITE - len(allowed.load())
    for mark in read():
        for promise in mark.promises:
            found[promise, mark.ground] += mark.tests
    for topic in steps.TOPICS:
        for promise in topic.promises:
            found[promise, Ground.RELEASES] += len(topic.steps)
    return found
