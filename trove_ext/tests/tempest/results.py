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

"""What a run of the suite did: one outcome for each test, from the stream of subunit."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import subunit
import testtools

PASSED, FAILED, SKIPPED, NOT_RUN = "passed", "failed", "skipped", "not run"
_STATUS = {
    "success": PASSED,
    "xfail": PASSED,
    "fail": FAILED,
    "uxsuccess": FAILED,
    "skip": SKIPPED,
}
_CLASS_FIXTURE = re.compile(r"(?:setUpClass|tearDownClass) \((?P<name>[\w.]+)\)")


@dataclass(frozen=True)
class Outcome:
    """One test of the suite."""

    test: str
    """``TestBackupMySQL.test_backup_full``"""
    status: str
    text: str = ""
    """The traceback of a failure, or why it was skipped."""

    @property
    def reason(self) -> str:
        """The last line of the text that says anything."""
        lines = [line.strip() for line in self.text.splitlines()]
        useful = [line for line in lines if line and not line.startswith("(Background")]
        return useful[-1] if useful else ""


def short(name: str) -> str:
    """Return class and method of a test's full name, without its attributes."""
    return ".".join(name.partition("[")[0].strip().split(".")[-2:])


def read(stream: IO[bytes]) -> list[tuple[str, str, str]]:
    """Return ID, status and text of everything in a stream of subunit."""
    found = []

    def collect(test: Any) -> None:
        details = test["details"]
        text = "\n".join(
            details[name].as_text().strip()
            for name in ("reason", "traceback")
            if name in details
        )
        found.append((test["id"], test["status"], text))

    case = subunit.ByteStreamToStreamResult(stream, non_subunit_name="stdout")
    result = testtools.StreamToDict(collect)
    result.startTestRun()
    case.run(result)
    result.stopTestRun()
    return found


def outcomes(
    listed: Iterable[str], records: Iterable[tuple[str, str, str]]
) -> list[Outcome]:
    """Return an outcome for each test of the suite.

    If the preparation of a class fails, none of its tests is in the stream; if its
    cleaning up fails, all of them count as failed.

    :param listed: the names of all tests that were to run
    """
    by_test: dict[str, Outcome] = {}
    by_class: dict[str, str] = {}
    for name, status, text in records:
        fixture = _CLASS_FIXTURE.search(name)
        if fixture and status == "fail":
            by_class[fixture["name"].rpartition(".")[2]] = text
        elif not fixture and status in _STATUS:
            test = short(name)
            by_test[test] = Outcome(test, _STATUS[status], text)
    return list(_merged(listed, by_test, by_class))


def _merged(
    listed: Iterable[str], by_test: dict[str, Outcome], by_class: dict[str, str]
) -> Iterator[Outcome]:
    for name in listed:
        test = short(name)
        found = by_test.get(test, Outcome(test, NOT_RUN))
        problem = by_class.get(test.partition(".")[0])
        if problem is not None and found.status in {PASSED, NOT_RUN}:
            found = Outcome(test, FAILED, f"Its class: {problem}")
        yield found
