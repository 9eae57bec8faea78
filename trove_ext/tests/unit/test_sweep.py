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

"""A sample of the sweep, the same one at each run; ``tox -e sweep`` runs all of it."""

import os

import testtools

from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.sweep import sweep

RUNS = int(os.environ.get("TROVE_EXT_SWEEP_RUNS", "440"))
SEED = 20261122


class TestSweep(testtools.TestCase):
    def test_nothing_is_doubled_lost_or_false(self):
        chosen = sweep.sample(sweep.cases(), RUNS, SEED)
        found = [str(one) for case in chosen for one in sweep.check(case)]
        self.assertEqual([], found, "\n".join(found))

    def test_a_backup_made_twice_would_be_found(self):
        (number,) = [
            n for n, one in enumerate(sweep.SCENARIOS) if one.name == "backup create"
        ]
        expected = sweep.expect(sweep.SCENARIOS[number])
        case = sweep.Case(
            number,
            Fault(Kind.REFUSED, 10_000),
            sweep.Expected(expected.before, 0, expected.deleted, expected.requests),
        )
        self.assertEqual(["doubled"], [one.verdict.value for one in sweep.check(case)])
