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


"""A sample of the sweep against a sandbox: real servers behind a proxy."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from typing import Any

from trove_ext.tests.fake.faults import Fault, Kind, every_fault
from trove_ext.tests.fake.log import RequestLog
from trove_ext.tests.functional.base import Run
from trove_ext.tests.sweep import real
from trove_ext.tests.sweep.project import Project, State
from trove_ext.tests.sweep.real import Ready
from trove_ext.tests.sweep.sweep import Finding, locks_itself_out
from trove_ext.tests.sweep.verdict import Verdict

#: About how many requests a workflow sends before its wait begins, and a few more.
REQUESTS = 12
CODES = {0, 1, 75, 124}
WORD = "trove-ext-verify"


@dataclass(frozen=True)
class RealCase:
    """One run: a workflow, by its number, and its fault."""

    scenario: int
    fault: Fault

    def __str__(self) -> str:
        return f"{real.SCENARIOS[self.scenario].name}: {self.fault}"


@dataclass(frozen=True)
class Report:
    """How a run went.

    :ivar case: the case that was finally run
    :ivar met: whether the fault occurred
    """

    case: RealCase
    met: bool
    seconds: float
    findings: list[Finding] = field(default_factory=list)


def draw(count: int, seed: int, *, cheap: bool = False) -> list[RealCase]:
    """Choose cases: the same ones for the same seed.

    :param cheap: only workflows that need little time, and faults that end
    """
    choose = random.Random(seed)
    numbers = [
        number
        for number, scenario in enumerate(real.SCENARIOS)
        if not cheap
        or scenario.weight == max(scenario.weight for scenario in real.SCENARIOS)
    ]
    # Every workflow has a case before any has two.
    rounds: list[int] = []
    while len(rounds) < count:
        weighted = [n for n in numbers if choose.random() < _share(n)]
        rounds += choose.sample(weighted, len(weighted))
    return [RealCase(number, _fault(choose, cheap)) for number in rounds[:count]]


def _share(number: int) -> float:
    return real.SCENARIOS[number].weight / max(
        scenario.weight for scenario in real.SCENARIOS
    )


def _fault(choose: random.Random, cheap: bool) -> Fault:
    at = choose.randint(3, 8) if cheap else choose.randint(1, REQUESTS)
    faults = [fault for fault in every_fault(at) if not locks_itself_out(fault)]
    if cheap:
        slow = {Kind.HANG, Kind.REFUSED}
        faults = [
            fault for fault in faults if not fault.lasting and fault.kind not in slow
        ]
    fault = choose.choice(faults)
    return replace(fault, retry_after=2)


def check(project: Project, case: RealCase, choose: random.Random) -> Report:
    """Run one case, again if the fault came after its end, and check the result."""
    scenario = real.SCENARIOS[case.scenario]
    start = time.monotonic()
    for _attempt in range(3):
        before = real.base(project)
        ready = scenario.prepare(project, before)
        before = project.settle()
        run, log = project.through(ready.line, case.fault)
        met = _met(case.fault, run, log)
        findings = [
            Finding(case, verdict, text, str(run))
            for verdict, text in _verdicts(project, ready, before, run, log)
        ]
        if met or findings:
            break
        at = choose.randint(2, len(log))
        case = RealCase(case.scenario, replace(case.fault, at=at))
    return Report(case, met, time.monotonic() - start, findings)


def _met(fault: Fault, run: Run, log: RequestLog) -> bool:
    if fault.kind is Kind.REFUSED:
        return "refused" in run.stderr or "establish" in run.stderr
    return any(request.fault for request in log)


def _verdicts(
    project: Project, ready: Ready, before: State, run: Run, log: RequestLog
) -> Iterator[tuple[Verdict, str]]:
    claimed = run.exit_code == 0 and not ready.done(project.state())
    if claimed:
        yield Verdict.FALSE, "it reported success, but the job is not done"
    now = project.settle()
    yield from ((Verdict.FALSE, text) for text in _words(now, run, log))
    made = now.ids - before.ids
    if len(made) > ready.made:
        yield Verdict.DOUBLED, f"made {len(made)}, not {ready.made}"
    lost = before.ids - now.ids - ready.deleted
    if lost:
        yield Verdict.LOST, f"deleted {sorted(lost)}"


def _words(now: State, run: Run, log: RequestLog) -> Iterator[str]:
    text = run.stdout + run.stderr
    if run.exit_code not in CODES:
        yield f"exit code {run.exit_code}"
    if run.exit_code and not run.stderr.strip():
        yield "it failed without a message"
    if "Traceback" in text:
        yield "a traceback"
    accepted = [
        request for request in log.changing if request.answered in range(200, 300)
    ]
    if run.exit_code and accepted and "othing was changed" in text:
        yield "it said that nothing was changed"
    for instance in now.instances.values():
        if instance["name"].startswith(WORD) and instance["name"] not in text:
            yield f"{instance['name']} is orphaned and not named"


def _work(directory: str, name: str, cases: Sequence[RealCase], queue: Any) -> None:
    """Run cases in a project of this process, until none remains."""
    project = Project(Path(directory), name)
    for case in cases:
        queue.put(_checked(project, case))
    project.clear()


def _checked(project: Project, case: RealCase) -> Report:
    try:
        return check(project, case, random.Random(str(case)))
    except Exception as exc:  # noqa: BLE001 - one run may not end all others
        text = f"{type(exc).__name__}: {exc}"
        return Report(case, True, 0, [Finding(case, Verdict.FALSE, text, "")])


def sweep(
    directory: Path, cases: Sequence[RealCase], workers: int = 2
) -> Iterator[Report]:
    """Run all of them, in a project for each worker."""
    context = get_context("spawn")
    queue = context.Queue()
    names = [Project.new(directory).name for _ in range(workers)]
    running = [
        context.Process(
            target=_work,
            args=(str(directory), name, cases[number::workers], queue),
            daemon=True,
        )
        for number, name in enumerate(names)
    ]
    for process in running:
        process.start()
    for _case in cases:
        yield _next(queue, running)
    for process in running:
        process.join()


def _next(queue: Any, running: Sequence[Any]) -> Report:
    """Wait for a report, unless a worker has died that might still send it."""
    while True:
        try:
            report: Report = queue.get(timeout=5)
        except Empty:
            if any(process.exitcode for process in running):
                raise AssertionError("a worker of the sweep has died") from None
        else:
            return report
