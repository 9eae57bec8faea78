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

"""Runs command lines, and reports what is wrong with their results."""

import contextlib
import pathlib
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from unittest import mock

from cliff.commandmanager import CommandManager

from trove_ext.exceptions import Exit
from trove_ext.tests.fake.harness import Result, run_openstack
from trove_ext.tests.fake.log import RequestLog
from trove_ext.tests.fuzz.lines import make_line
from trove_ext.tests.fuzz.values import make_cloud

SEED = 20261122
EXITS = {0, 1, 2, 75, 124}
#: Those of a plugin for Nagios, which writes everything to stdout.
PLUGIN_EXITS = {0, 1, 2, 3}
USAGE = 2
#: What controls a terminal: C0 except the line break, DEL, C1, direction marks.
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
#: What live lines at a terminal consist of: colours, cursor up, clear the line.
LIVE = re.compile(r"\x1b\[(\?25[lh]|2K|1A|[0-9;]*m)|\r")
#: Clear the screen, cursor to its corner: what --watch writes before each table.
SCREEN = "\x1b[2J\x1b[H"
#: Every third line has a terminal, where yes or no is typed.
ANSWERS = (None, None, "y\n", None, None, "n\n")
#: Every six lines the encoding of stdout and stderr changes.
ENCODINGS = ("utf-8", "latin-1", "ascii")


@dataclass(frozen=True)
class Finding:
    """A line whose result is wrong."""

    number: int
    argv: list[str]
    wrong: list[str]
    result: Result

    def __str__(self) -> str:
        return (
            f"line {self.number}: {'; '.join(self.wrong)}\n  {self.argv}\n"
            f"  exit code {self.result.exit_code}\n"
            f"  stdout: {self.result.stdout[-600:]!r}\n"
            f"  stderr: {self.result.stderr[-1500:]!r}"
        )


@contextlib.contextmanager
def databases_alone() -> Iterator[None]:
    """Make the shell load only the commands for databases.

    It reads all entry points of all services at each start: half of a short run.
    """
    add = CommandManager.add_command_group

    def add_some(self: CommandManager, group: str | None = None) -> None:
        if group is None or group.startswith("openstack.database."):
            add(self, group)

    with mock.patch.object(CommandManager, "add_command_group", add_some):
        yield


def deep_in(root: str) -> pathlib.Path:
    """Make folders so deep that no ``../`` of an unusual value leaves the root."""
    place = pathlib.Path(root, *"abcdefgh")
    place.mkdir(parents=True)
    return place


def run(
    argv: list[str], *, answer: str | None = None, encoding: str = "utf-8"
) -> Result:
    """Run one line on a cloud of its own, in a directory where it may write files.

    :param encoding: of stdout and stderr
    :param answer: what is typed at a terminal; without one there is no terminal
    """
    with (
        tempfile.TemporaryDirectory() as place,
        contextlib.chdir(deep_in(place)),
        databases_alone(),
    ):
        if answer is None:
            return run_openstack(argv, make_cloud(), encoding=encoding)
        return run_openstack(
            argv, make_cloud(), tty=True, stdin=answer, encoding=encoding
        )


def check(number: int, seed: int = SEED) -> tuple[int, Finding | None]:
    """Run one line; return its exit code and what is wrong."""
    argv = make_line(seed, number)
    try:
        result = run(
            argv,
            answer=ANSWERS[number % len(ANSWERS)],
            encoding=ENCODINGS[number // len(ANSWERS) % len(ENCODINGS)],
        )
    except AssertionError as exc:
        # What the harness calls impossible, for example a command without end.
        if _waits_for_ever(argv):
            return Exit.TIMEOUT, None
        nothing = Result(-1, "", "", RequestLog())
        return -1, Finding(number, argv, [str(exc)], nothing)
    wrong = list(problems(argv, result))
    found = Finding(number, argv, wrong, result) if wrong else None
    return result.exit_code, found


def problems(argv: list[str], result: Result) -> Iterator[str]:
    """Yield all problems of a line's result."""
    debug = _asks_for_debug(argv)
    if "Traceback" in result.stdout + result.stderr and not debug:
        yield "a traceback"
    plugin = _is_plugin(argv)
    if result.exit_code not in (PLUGIN_EXITS if plugin else EXITS):
        yield f"exit code {result.exit_code}"
    message = result.stderr + (result.stdout if plugin else "")
    if result.exit_code and not message.strip():
        yield "it failed without a message"
    if result.exit_code == USAGE and result.requests.changing:
        yield f"a usage error, but it sent {result.requests.changing[0]}"
    if "codec can't encode" in result.stderr:
        yield "a character that the encoding lacks"
    if CONTROL.search(LIVE.sub("", result.stderr)) and not debug:
        yield "control characters on stderr"
    if _is_for_people(argv) and CONTROL.search(_table(argv, result.stdout)):
        yield "control characters in a table"


def _waits_for_ever(argv: list[str]) -> bool:
    """Return whether a line may wait without a limit (``--timeout 0``)."""
    return any(re.search(r"(^|=)0$", word) for word in argv)


def _asks_for_debug(argv: list[str]) -> bool:
    """Return whether a line has ``--debug``, in full or abbreviated.

    Then a traceback is intended, and osc-lib's first lines repeat the arguments.
    """
    return any(len(word) > 2 and "--debug".startswith(word) for word in argv)


def _is_plugin(argv: list[str]) -> bool:
    """Return whether a line has ``--nagios``, in full or abbreviated."""
    return any(len(word) > 2 and "--nagios".startswith(word) for word in argv)


def _table(argv: list[str], stdout: str) -> str:
    """Return what a line writes to stdout without what redraws it."""
    if any(word.startswith("--w") for word in argv):
        return LIVE.sub("", stdout.replace(SCREEN, ""))
    return stdout


def _is_for_people(argv: list[str]) -> bool:
    """Return whether the output is a table; other formats keep a value unchanged."""
    return not any(re.match("-f|--f", word) for word in argv)


def fuzz(
    numbers: Iterable[int], seed: int = SEED
) -> tuple[Counter[int], list[Finding]]:
    """Run lines; return how often each exit code occurred, and what is wrong."""
    codes: Counter[int] = Counter()
    findings = []
    for number in numbers:
        code, found = check(number, seed)
        codes[code] += 1
        if found is not None:
            findings.append(found)
    return codes, findings
