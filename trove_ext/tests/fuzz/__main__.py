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

"""``python -m trove_ext.tests.fuzz``: more lines, at any seed."""

import argparse
import sys
from collections import Counter
from functools import partial
from multiprocessing import get_context

from trove_ext.tests.fake import shortcuts
from trove_ext.tests.fuzz import fuzz


def main() -> int:
    parser = argparse.ArgumentParser(description=fuzz.__doc__)
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    codes: Counter[int] = Counter()
    wrong = 0
    check = partial(fuzz.check, seed=args.seed)
    with get_context("spawn").Pool(args.workers, shortcuts.take) as pool:
        for code, found in pool.imap_unordered(check, range(args.lines), chunksize=50):
            codes[code] += 1
            if found is not None:
                wrong += 1
                print(found, flush=True)
    ends = ", ".join(f"{count} with {code}" for code, count in sorted(codes.items()))
    print(f"fuzz: {args.lines} lines, {wrong} wrong; they ended: {ends}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
