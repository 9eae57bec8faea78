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

"""Runs the steps against each release; prints a line for each and a table.

python -m trove_ext.tests.releases [--dir DIR] [--keep] [SERIES...]
"""

import argparse
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from trove_ext.tests.functional.base import Run
from trove_ext.tests.releases import differences, environment, series, steps
from trove_ext.tests.releases.sandbox import Sandbox
from trove_ext.tests.releases.series import Series
from trove_ext.tests.releases.steps import Step

_TAIL = 12


@dataclass(frozen=True)
class Result:
    """The outcome of one step with one release."""

    step: Step
    run: Run
    problem: str | None
    """What is wrong with it and not said in the documents."""
    known: bool
    """Whether the documents say that this release differs here."""


def evaluate(name: str, step: Step, run: Run) -> Result:
    """Compare what a step did with what it should do with this release."""
    known = differences.find(name, step.line)
    code, shows = (known.code, known.shows) if known else (step.code, step.shows)
    output = run.stdout + run.stderr
    problem = None
    if run.exit_code != code:
        problem = f"exit code {run.exit_code}, expected {code}"
    elif not re.search(shows, output):
        problem = f"the output has nothing like {shows!r}"
    elif "Traceback (most recent call last)" in output:
        problem = "a traceback"
    return Result(step, run, problem, known is not None)


def _say(text: str) -> None:
    print(text, flush=True)


def run_steps(name: str, sandbox: Sandbox) -> Iterator[Result]:
    """Run all steps, one after the other; print a line for each."""
    for topic in steps.TOPICS:
        _say(f"-- {topic.title}")
        for step in topic.steps:
            began = time.monotonic()
            result = evaluate(name, step, sandbox.run(step))
            word = "FAILED" if result.problem else "differs" if result.known else "ok"
            _say(f"{word:8}{time.monotonic() - began:6.1f} s  {step.line}")
            if result.problem:
                last = str(result.run).splitlines()[-_TAIL:]
                _say("\n".join([f"    {result.problem}", *(f"    {x}" for x in last)]))
            yield result


def run_series(of: Series, root: Path, keep: bool) -> list[Result]:
    """Run all steps with one release.

    Raises EnvironmentMissingError, RuntimeError if its sandbox does not start.
    """
    _say(f"\n== {of}")
    python = environment.make(of, root)
    directory = Path(tempfile.mkdtemp(prefix=f"trove-ext-{of.name}-"))
    sandbox = Sandbox(python, directory / "sandbox")
    try:
        sandbox.up()
        return list(run_steps(of.name, sandbox))
    finally:
        if not keep:
            sandbox.down()
            shutil.rmtree(directory)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("series", nargs="*", help="releases (default: all)")
    made.add_argument(
        "--dir",
        type=Path,
        default=environment.CHECKOUT / ".releases",
        help="directory of their environments (default: %(default)s)",
    )
    made.add_argument("--keep", action="store_true", help="leave sandboxes running")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run what was asked for; return 1 if a step failed or a release did not run."""
    args = parser().parse_args(argv)
    args.dir.mkdir(exist_ok=True)
    failed = 0
    rows = []
    for of in series.find(args.series):
        try:
            results = run_series(of, args.dir, args.keep)
        except (environment.EnvironmentMissingError, RuntimeError) as exc:
            _say(f"FAILED  {exc}")
            rows.append((str(of), "not run"))
            failed += 1
            continue
        wrong = sum(result.problem is not None for result in results)
        known = sum(result.known for result in results)
        failed += wrong
        rows.append(
            (str(of), f"{len(results)} steps, {wrong} failed, {known} documented")
        )
    _say("\n" + "\n".join(f"{name:24}{text}" for name, text in rows))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
