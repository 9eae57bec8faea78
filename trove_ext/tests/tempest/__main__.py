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

"""Runs trove-tempest-plugin over a sandbox of its own; prints a line for each test.

python -m trove_ext.tests.tempest [--keep DIR] [--concurrency N] [REGEX]
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from trove_ext.sandbox.state import StateDir
from trove_ext.tests.releases.sandbox import Sandbox
from trove_ext.tests.tempest import allowed, configuration, report, results

_WORKERS = 3
# On a busy machine the sandbox's 20 are too few.
_AGENT_SECONDS = 120
_PYTHON = (sys.executable, "-W", "ignore", "-m")
_TEMPEST = (*_PYTHON, "tempest.cmd.main", "run")
_STESTR = (*_PYTHON, "stestr.cli")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("regex", nargs="?", default="", help="only tests that match")
    made.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        help="use this directory, and leave the sandbox in it running",
    )
    made.add_argument(
        "--concurrency",
        type=int,
        default=_WORKERS,
        help="classes of tests that run at once (default: %(default)s)",
    )
    return made


def selection(regex: str) -> str:
    """Return the pattern of the plugin's tests that match *regex*."""
    return rf"^{configuration.PLUGIN}\..*(?:{regex})"


def list_tests(workspace: Path, regex: str) -> list[str]:
    """Return the names of the tests; raises RuntimeError if there is none."""
    if not (workspace / ".stestr").exists():
        subprocess.run([*_STESTR, "init"], cwd=workspace, check=False)
    command = [*_arguments(workspace, regex), "--list-tests"]
    done = subprocess.run(
        command, cwd=workspace, capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    found = [line for line in lines if line.startswith(configuration.PLUGIN)]
    if not found:
        last = " ".join((done.stderr or done.stdout).splitlines()[-1:])
        raise RuntimeError(f"Tempest found no test for {regex!r}: {last}")
    return found


def _arguments(workspace: Path, regex: str) -> list[str]:
    config = ["--config-file", str(workspace / "tempest.conf")]
    return [*_TEMPEST, *config, "--regex", selection(regex)]


def run_tests(workspace: Path, regex: str, concurrency: int) -> list[results.Outcome]:
    """Run the tests and return their outcomes."""
    listed = list_tests(workspace, regex)
    command = [*_arguments(workspace, regex), "--concurrency", str(concurrency)]
    subprocess.run(command, cwd=workspace, stdin=subprocess.DEVNULL, check=False)
    last = [*_STESTR, "last", "--subunit"]
    with (workspace / "results.subunit").open("w+b") as stream:
        subprocess.run(last, cwd=workspace, stdout=stream, check=False)
        stream.seek(0)
        return results.outcomes(listed, results.read(stream))


def run(directory: Path, regex: str, concurrency: int) -> int:
    """Start the sandbox, run the tests and print the results; return the exit code."""
    sandbox = Sandbox(Path(sys.executable), directory / "sandbox")
    started = sandbox.call("up", "--agent-seconds", str(_AGENT_SECONDS))
    if started.exit_code:
        raise RuntimeError(started.stderr.strip())
    workspace = directory / "workspace"
    configuration.write(workspace, StateDir(sandbox.directory))
    entries = allowed.load()
    found = run_tests(workspace, regex, concurrency)
    wrong = list(allowed.problems(found, entries))
    if not regex:
        wrong += allowed.unknown([outcome.test for outcome in found], entries)
    print(report.render(found, entries, wrong), flush=True)
    return 1 if wrong else 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run what was asked for; return 1 if a test did not do what is expected of it."""
    args = parser().parse_args(argv)
    directory = args.keep or Path(tempfile.mkdtemp(prefix="trove-ext-tempest-"))
    code = 1
    try:
        code = run(directory.absolute(), args.regex, args.concurrency)
    except RuntimeError as exc:
        print(exc, file=sys.stderr)
    finally:
        if args.keep is None:
            Sandbox(Path(sys.executable), directory / "sandbox").down()
            _remove(directory, keep_logs=bool(code))
    return code


def _remove(directory: Path, *, keep_logs: bool) -> None:
    """Remove the directory, or all of it but the logs."""
    if not keep_logs:
        shutil.rmtree(directory)
        return
    logs = directory / "sandbox" / "logs"
    if logs.is_dir():
        logs.rename(directory / "logs")
    shutil.rmtree(directory / "sandbox", ignore_errors=True)
    print(f"The logs are in {directory}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
