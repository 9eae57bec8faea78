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

"""Every workflow is interrupted by every signal: around each request, in each sleep."""

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context

from trove_ext.tests.fake import shortcuts
from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import Result
from trove_ext.tests.sweep.scenarios import SCENARIOS, Scenario, base
from trove_ext.tests.sweep.sweep import Finding, expect
from trove_ext.tests.sweep.verdict import COMMAND, Expected, Verdict, evaluate

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BEFORE, AFTER, SLEEP = "before request", "after request", "in sleep"


@dataclass(frozen=True)
class Case:
    """One run: a workflow, by its number, and the moment at which it is interrupted.

    :ivar at: the number of the request or of the sleep, from 1
    """

    scenario: int
    number: signal.Signals
    where: str
    at: int
    expected: Expected

    def __str__(self) -> str:
        name = SCENARIOS[self.scenario].name
        return f"{name}: {self.number.name} {self.where} {self.at}"


def prepared(scenario: Scenario) -> FakeCloud:
    """Make a cloud that is ready for a workflow."""
    cloud = FakeCloud(FakeClock())
    base(cloud)
    scenario.prepare(cloud)
    return cloud


def cases(only: str = "") -> Iterator[Case]:
    """Yield every case.

    :param only: of the workflows with this in their name
    """
    for index, scenario in enumerate(SCENARIOS):
        if only not in scenario.name:
            continue
        expected = expect(scenario)
        cloud = prepared(scenario)
        slept = len(cloud.clock.sleeps)
        scenario.run(cloud)
        counts = {
            BEFORE: expected.requests,
            AFTER: expected.requests,
            SLEEP: len(cloud.clock.sleeps) - slept,
        }
        for where, count in counts.items():
            for at in range(1, count + 1):
                for number in SIGNALS:
                    yield Case(index, number, where, at, expected)


def run(case: Case) -> tuple[FakeCloud, Result]:
    """Run a workflow and interrupt it."""
    scenario = SCENARIOS[case.scenario]
    cloud = prepared(scenario)
    slept = len(cloud.clock.sleeps)

    def meets(at: int) -> None:
        if at == case.at:
            signal.raise_signal(case.number)

    if case.where == BEFORE:
        cloud.before_request.append(lambda request: meets(request.number))
    elif case.where == AFTER:
        cloud.after_request.append(lambda request: meets(request.number))
    else:
        sleeps = cloud.clock.sleeps
        cloud.clock.before_sleep.append(lambda _: meets(len(sleeps) - slept))
    return cloud, scenario.run(cloud)


def check(case: Case) -> list[Finding]:
    """Run one case and check its result."""
    scenario = SCENARIOS[case.scenario]
    try:
        cloud, result = run(case)
    except AssertionError as exc:
        return [Finding(case, Verdict.FALSE, str(exc), "")]
    exits = frozenset({128 + case.number})
    wrong = [
        *((Verdict.FALSE, text) for text in _unreported(case, result)),
        *evaluate(scenario, cloud, result, case.expected, exits),
    ]
    said = f"exit code {result.exit_code}\n{result.stderr}"
    return [Finding(case, verdict, text, said) for verdict, text in wrong]


def _unreported(case: Case, result: Result) -> Iterator[str]:
    """Yield what an interrupted run should have reported, but did not.

    Before the command itself begins, at the log-in, it reports nothing yet.
    """
    if not result.requests.to_trove():
        return
    lines = result.stderr.splitlines()
    # The line break after an answer is the terminal's echo.
    said = [line for line in lines if "Interrupted by " in line]
    if len(said) != 1 or case.number.name not in said[0]:
        yield "it does not say what interrupted it, in one line"
    changed = [request for request in result.requests.changing if request.reached]
    if changed and not COMMAND.search(result.stderr):
        yield "it does not name a command that continues the wait"


def sweep(chosen: Sequence[Case], workers: int = 2) -> Iterator[list[Finding]]:
    """Run all of them; yield what is wrong with each."""
    with get_context("spawn").Pool(workers, shortcuts.take) as pool:
        yield from pool.imap_unordered(check, chosen, chunksize=10)
