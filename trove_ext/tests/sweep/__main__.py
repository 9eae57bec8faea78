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

from trove_ext.tests.sweep import sweep


def main() -> int:
    parser = argparse.ArgumentParser(description=sweep.__doc__)
    parser.add_argument("--sample", type=int, help="so many runs instead of all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", help="workflows whose name holds this")
    args = parser.parse_args()
    chosen = [case for case in sweep.cases() if not args.only or args.only in str(case)]
    total = len(chosen)
    if args.sample:
        chosen = sweep.sample(chosen, args.sample, args.seed)
    # What one workflow does wrong in many cases is then seen early.
    random.Random(args.seed).shuffle(chosen)
    print(f"{len(chosen)} of {total} cases", flush=True)
    start, findings = time.monotonic(), []
    for number, found in enumerate(sweep.sweep(chosen, args.workers), start=1):
        for one in found:
            print(one, flush=True)
        findings += found
        if number % 250 == 0:
            took = time.monotonic() - start
            print(f"{number} runs, {took:.0f} s, {len(findings)} wrong", flush=True)
    print(sweep.summary(len(chosen), findings))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
