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

python -m trove_ext.tests.releases [--dir DIR] [--keep] [--at-once N] [SERIES...]
"""

import argparse
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
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


def _say(name: str, text: str) -> None:
    """Print lines, each with the name of its release: several run at once."""
    for line in text.splitlines():
        print(f"{name:8}{line}", flush=True)


def run_steps(name: str, sandbox: Sandbox) -> Iterator[Result]:
    """Run all steps, one after the other; print a line for each."""
    for topic in steps.TOPICS:
        _say(name, f"-- {topic.title}")
        for step in topic.steps:
            began = time.monotonic()
            result = evaluate(name, step, sandbox.run(step))
            word = "FAILED" if result.problem else "differs" if result.known else "ok"
            took = time.monotonic() - began
            _say(name, f"{word:8}{took:6.1f} s  {step.line}")
            if result.problem:
                last = str(result.run).splitlines()[-_TAIL:]
                for line in (result.problem, *last):
                    _say(name, f"    {line}")
            yield result


def run_series(of: Series, root: Path, keep: bool) -> list[Result]:
    """Run all steps with one release.

    Raises EnvironmentMissingError, RuntimeError if its sandbox does not start.
    """
    _say(of.name, f"== {of}")
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
    made.add_argument(
        "--at-once",
        type=int,
        default=2,
        help="how many releases at the same time; a step waits more than it computes "
        "(default: %(default)s)",
    )
    return made


def outcome(of: Series, root: Path, keep: bool) -> tuple[str, int]:
    """Run a release; return a line for the table, and how many steps failed."""
    try:
        results = run_series(of, root, keep)
    except (environment.EnvironmentMissingError, RuntimeError) as exc:
        _say(of.name, f"FAILED  {exc}")
        return f"{of!s:24}not run", 1
    wrong = sum(result.problem is not None for result in results)
    known = sum(result.known for result in results)
    text = f"{len(results)} steps, {wrong} failed, {known} documented"
    return f"{of!s:24}{text}", wrong


def main(argv: Sequence[str] | None = None) -> int:
    """Run what was asked for; return 1 if a step failed or a release did not run."""
    args = parser().parse_args(argv)
    args.dir.mkdir(exist_ok=True)
    # Each runs its commands in its own process, whose environment it changes.
    with ProcessPoolExecutor(args.at_once) as pool:
        run = partial(outcome, root=args.dir, keep=args.keep)
        ended = list(pool.map(run, series.find(args.series)))
    print("\n" + "\n".join(line for line, _ in ended))
    return 1 if any(failed for _, failed in ended) else 0


if __name__ == "__main__":
    sys.exit(main())
