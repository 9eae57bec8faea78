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


"""``python -m trove_ext.tests.sweep``: all of it, or a sample."""

import argparse
import random
import sys
import time
import types

from trove_ext.tests.sweep import signals, sweep
from trove_ext.tests.sweep.sweep import Finding


def main() -> int:
    parser = argparse.ArgumentParser(description=sweep.__doc__)
    parser.add_argument(
        "--sample",
        type=int,
        metavar="<n>",
        help="a sample of this many runs on the fake cloud",
    )
    parser.add_argument("--only", help="only workflows whose name contains this")
    parser.add_argument(
        "--sandbox",
        type=int,
        metavar="<n>",
        default=0,
        help="also this many runs on a sandbox (that of TROVE_EXT_SANDBOX_DIR, or its "
        "own)",
    )
    parser.add_argument(
        "--signals", action="store_true", help="signals on the fake cloud, no faults"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    findings: list[Finding] = []
    if args.signals:
        runs = _fake(args, findings, signals)
    else:
        runs = _fake(args, findings, sweep) + _sandbox(args, findings)
    print(sweep.summary(runs, findings))
    return 1 if findings else 0


def _fake(
    args: argparse.Namespace, findings: list[Finding], what: types.ModuleType
) -> int:
    chosen = [case for case in what.cases() if not args.only or args.only in str(case)]
    total = len(chosen)
    if args.sample is not None:
        chosen = sweep.sample(chosen, args.sample, args.seed)
    # So an error of one workflow in many cases is seen early.
    random.Random(args.seed).shuffle(chosen)
    print(f"On the fake cloud: {len(chosen)} of {total} cases", flush=True)
    start = time.monotonic()
    for number, found in enumerate(what.sweep(chosen, args.workers), start=1):
        for finding in found:
            print(finding, flush=True)
        findings += found
        if number % 250 == 0:
            took = time.monotonic() - start
            print(f"{number} runs, {took:.0f} s, {len(findings)} wrong", flush=True)
    return len(chosen)


def _sandbox(args: argparse.Namespace, findings: list[Finding]) -> int:
    if not args.sandbox:
        return 0
    # They need what the extra "sandbox" installs.
    from trove_ext.tests.functional import running
    from trove_ext.tests.sweep import sandbox

    cases = sandbox.draw(args.sandbox, args.seed)
    print(f"On a sandbox: {len(cases)} cases", flush=True)
    met = 0
    for report in sandbox.sweep(running.directory(), cases, args.workers):
        met += report.met
        never = "" if report.met else " (never met)"
        print(f"{report.seconds:4.0f} s  {report.case}{never}", flush=True)
        for finding in report.findings:
            print(finding, flush=True)
        findings += report.findings
    return met


if __name__ == "__main__":
    sys.exit(main())
