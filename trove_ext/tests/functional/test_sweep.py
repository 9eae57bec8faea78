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


"""A sample of the sweep against the sandbox, the same in each run.

Six runs of the quick workflows; TROVE_EXT_SWEEP_SANDBOX=200 runs 200 of all workflows,
as ``tox -e sweep`` does.
"""

from __future__ import annotations

import os
import random

import testtools

from trove_ext.tests.functional import running
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.sweep import sandbox
from trove_ext.tests.sweep.project import Project

RUNS = int(os.environ.get("TROVE_EXT_SWEEP_SANDBOX", "6"))
SEED = 20261122


@shows(Promise.ONCE, Promise.DELETE, Promise.WAIT)
class SweepTest(testtools.TestCase):
    def test_nothing_is_doubled_lost_or_false(self):
        project = Project.new(running.directory())
        self.addCleanup(project.clear)
        cases = sandbox.draw(RUNS, SEED, cheap=RUNS <= 10)
        reports = [sandbox.check(project, case, random.Random(1)) for case in cases]
        found = [str(finding) for report in reports for finding in report.findings]
        self.assertEqual([], found, "\n".join(found))
        missed = [str(report.case) for report in reports if not report.met]
        self.assertEqual([], missed)
