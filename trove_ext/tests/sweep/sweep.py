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

"""Every request of every workflow is tested with every fault, once and permanently."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context

from trove_ext.exceptions import Exit
from trove_ext.tests.fake import shortcuts
from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.faults import Fault, Kind, every_fault
from trove_ext.tests.fake.harness import Result
from trove_ext.tests.fake.transport import RENEWED
from trove_ext.tests.sweep.scenarios import SCENARIOS, Scenario, base
from trove_ext.tests.sweep.verdict import Expected, Truth, Verdict, evaluate

#: Virtual seconds that a run waits if a fault is permanent; each workflow needs fewer.
PATIENCE = 300
#: Seconds for what may follow: the result is read, a temporary instance is deleted.
AFTERWARDS = 900


@dataclass(frozen=True)
class Case:
    """One run: a workflow, by its number, and its fault."""

    scenario: int
    fault: Fault
    expected: Expected

    def __str__(self) -> str:
        return f"{SCENARIOS[self.scenario].name}: {self.fault}"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a run."""

    case: object
    verdict: Verdict
    text: str
    said: str

    def __str__(self) -> str:
        return f"{self.verdict.value}: {self.case}: {self.text}\n{self.said}"


def run(scenario: Scenario, faults: list[Fault]) -> tuple[FakeCloud, Result, Truth]:
    """Run a workflow on a cloud of its own; also return the state before."""
    cloud = FakeCloud(FakeClock())
    base(cloud)
    scenario.prepare(cloud)
    before = Truth.of(cloud)
    lasting = any(fault.lasting for fault in faults)
    # After that many requests nothing new happens.
    options = ("--timeout", str(PATIENCE)) if lasting else ()
    result = scenario.run(cloud, *options, faults=faults)
    return cloud, result, before


def expect(scenario: Scenario) -> Expected:
    """Run a workflow without a fault: no other run may do more."""
    cloud, result, before = run(scenario, [])
    if result.exit_code or not scenario.done(cloud):
        raise AssertionError(f"{scenario.name} fails without a fault:\n{result.stderr}")
    cloud.clock.advance(7200)
    after = Truth.of(cloud)
    return Expected(
        before.there,
        len(after.there - before.there),
        after.deleted & before.there,
        len(result.requests),
    )


def cases() -> Iterator[Case]:
    """Yield every case, without those that hang in keystoneauth itself."""
    for number, scenario in enumerate(SCENARIOS):
        expected = expect(scenario)
        for at in range(1, expected.requests + 1):
            for fault in every_fault(at):
                if not locks_itself_out(fault):
                    yield Case(number, fault, expected)


def locks_itself_out(fault: Fault) -> bool:
    """Return whether it makes the log-in of every ``openstack`` command hang.

    If Keystone requires a token for its version discovery, and continues to do so,
    keystoneauth 5.18 waits for a lock that it holds itself
    (``discover.get_version_data`` from inside ``BaseIdentityPlugin.get_access``).
    That is before any command begins, a stock one too.
    """
    refusals = {Kind.TOKEN_EXPIRED, *RENEWED}
    return fault.kind in refusals and fault.lasting and fault.at == 1


def sample(all_cases: Iterable[Case], count: int, seed: int) -> list[Case]:
    """Choose cases: the same ones for the same seed, of every workflow alike."""
    by_scenario: dict[int, list[Case]] = {}
    for case in all_cases:
        by_scenario.setdefault(case.scenario, []).append(case)
    choose = random.Random(seed)
    each = max(1, count // len(by_scenario))
    return [
        case
        for group in by_scenario.values()
        for case in choose.sample(group, min(each, len(group)))
    ]


def check(case: Case) -> list[Finding]:
    """Run one case and check its result."""
    scenario = SCENARIOS[case.scenario]
    try:
        cloud, result, _before = run(scenario, [case.fault])
    except Exception as exc:  # noqa: BLE001 - one run may not end all others
        # An endless loop, or a request that waits for its response without a limit.
        return [Finding(case, Verdict.FALSE, f"{type(exc).__name__}: {exc}", "")]
    wrong = check_endless(case, cloud, result) + check_early(case, result)
    wrong += check_refusal(case, result)
    wrong += evaluate(scenario, cloud, result, case.expected)
    return [
        Finding(case, verdict, text, f"exit code {result.exit_code}\n{result.stderr}")
        for verdict, text in wrong
    ]


def check_endless(
    case: Case, cloud: FakeCloud, result: Result
) -> list[tuple[Verdict, str]]:
    """Find a run that continued for much longer than its ``--timeout``."""
    took = cloud.clock.monotonic() - result.requests[0].at
    if not case.fault.lasting or took <= PATIENCE + AFTERWARDS:
        return []
    return [(Verdict.FALSE, f"it ran for {took:.0f} s with a time-out of {PATIENCE} s")]


def check_early(case: Case, result: Result) -> list[tuple[Verdict, str]]:
    """Find a run that timed out although its one fault had passed."""
    if case.fault.lasting or result.exit_code != Exit.TIMEOUT:
        return []
    return [(Verdict.FALSE, "it timed out, although the fault was not permanent")]


def check_refusal(case: Case, result: Result) -> list[tuple[Verdict, str]]:
    """Find a run that reports the refusal of a change as a lost response.

    A stock action reads after it has sent its change; if that read is refused, the
    response to the whole action really is lost.
    """
    if case.fault.kind not in RENEWED or "no usable response" not in result.stderr:
        return []
    struck = [request for request in result.requests if request.fault]
    if not any(request.changing for request in struck):
        return []
    return [(Verdict.FALSE, "a refusal after a renewal is reported as a lost response")]


def sweep(chosen: Sequence[Case], workers: int = 2) -> Iterator[list[Finding]]:
    """Run all of them; yield what is wrong with each."""
    with get_context("spawn").Pool(workers, shortcuts.take) as pool:
        yield from pool.imap_unordered(check, chosen, chunksize=10)


def summary(runs: int, findings: Sequence[Finding]) -> str:
    """Say how it ended, in one line."""
    found = Counter(finding.verdict for finding in findings)
    counts = ", ".join(f"{found[verdict]} {verdict.value}" for verdict in Verdict)
    return f"sweep: {runs} runs, {counts}"
