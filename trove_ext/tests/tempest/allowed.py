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

"""The tests that can't pass, with their reasons, and what a run did beside that."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from trove_ext.tests.tempest.results import FAILED, PASSED, SKIPPED, Outcome

SUITE = 63
"""The number of tests of the pinned suite."""
FILE = Path(__file__).with_name("allowed.yaml")


@dataclass(frozen=True)
class Allowed:
    """One test that does not pass, and why."""

    test: str
    status: str
    """How it ends: ``failed`` or ``skipped``."""
    shows: str
    """What is in the text of its failure, or in the reason of its skip."""
    reason: str

    def covers(self, outcome: Outcome) -> bool:
        """Whether a test ended as the list says, and for that reason."""
        return outcome.status == self.status and self.shows in outcome.text


def load(path: Path = FILE) -> list[Allowed]:
    """Read the list; raises ValueError for an entry that is not complete."""
    return [_entry(item) for item in yaml.safe_load(path.read_text()) or []]


def _entry(item: dict[str, str]) -> Allowed:
    fields = ("test", "status", "shows", "reason")
    complete = set(item) == set(fields) and all(item.values())
    if not complete or item["status"] not in {FAILED, SKIPPED}:
        raise ValueError(f"{item} needs {', '.join(fields)}; failed or skipped")
    return Allowed(*(" ".join(item[field].split()) for field in fields))


def problems(outcomes: Iterable[Outcome], allowed: Iterable[Allowed]) -> Iterator[str]:
    """Yield each difference between what a run did and what the list says."""
    expected = {entry.test: entry for entry in allowed}
    for outcome in outcomes:
        entry = expected.pop(outcome.test, None)
        if entry.covers(outcome) if entry else outcome.status == PASSED:
            continue
        detail = f": {outcome.reason}" if outcome.reason else ""
        expected_end = f"{entry.status} with {entry.shows!r}" if entry else ""
        listed = f", which {FILE.name} has as {expected_end}" if entry else ""
        yield f"{outcome.test} {outcome.status}{listed}{detail}"


def unknown(tests: Iterable[str], allowed: Iterable[Allowed]) -> Iterator[str]:
    """Yield each entry that names no test of the suite, and a wrong number of tests."""
    names = set(tests)
    if len(names) != SUITE:
        yield f"The suite has {len(names)} tests, not {SUITE}"
    for entry in allowed:
        if entry.test not in names:
            yield f"{FILE.name} has {entry.test}, which is no test of the suite"
