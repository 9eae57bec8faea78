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

"""The results of a run as text: a table by class, and the reasons."""

from collections import Counter
from collections.abc import Iterable, Sequence

from trove_ext.tests.tempest.allowed import Allowed
from trove_ext.tests.tempest.results import (
    FAILED,
    NOT_RUN,
    PASSED,
    SKIPPED,
    Outcome,
)

_STATUSES = (PASSED, FAILED, SKIPPED, NOT_RUN)


def render(
    outcomes: Sequence[Outcome], allowed: Iterable[Allowed], wrong: Sequence[str]
) -> str:
    """Return a line for each class, one for each allowed test, and the problems."""
    lines = [f"{'':44}" + "".join(f"{status:>9}" for status in _STATUSES)]
    classes = dict.fromkeys(o.test.partition(".")[0] for o in outcomes)
    lines += [
        _row(name, [o for o in outcomes if o.test.startswith(f"{name}.")])
        for name in sorted(classes)
    ]
    lines.append(_row("all", outcomes))
    names = {outcome.test for outcome in outcomes}
    lines += [
        f"{entry.status}, as expected: {entry.test}: {entry.reason}"
        for entry in allowed
        if entry.test in names and not _concerns(entry.test, wrong)
    ]
    lines += [f"WRONG: {problem}" for problem in wrong]
    return "\n".join(lines)


def _concerns(test: str, wrong: Sequence[str]) -> bool:
    return any(problem.startswith(f"{test} ") for problem in wrong)


def _row(name: str, outcomes: Sequence[Outcome]) -> str:
    counts = Counter(outcome.status for outcome in outcomes)
    return f"{name:44}" + "".join(f"{counts[status]:9}" for status in _STATUSES)
