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

"""``backup rotate`` as a command."""

import json

from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.unit.osc.v1.base import ChainTestCase


class TestRotate(ChainTestCase):
    def test_rotate_has_a_row_for_each_and_an_exit_code_for_busy(self):
        self.add("theirs", state=BackupState.BUILDING)
        result = self.run_line("backup rotate db1 -f json")
        (row,) = json.loads(result.stdout)
        self.assertEqual((75, "busy"), (result.exit_code, row["Result"]))
        self.assertIn("theirs", result.stderr)

    def test_rotate_prunes_with_the_same_options(self):
        line = "backup rotate db1 --chain-length 1 --keep-last 1 -f json"
        (row,) = json.loads(self.run_line(line).stdout)
        self.assertEqual(("made", 1, 3), (row["Result"], row["Kept"], row["Deleted"]))
        self.assertEqual(1, len(self.names()))

    def test_rotate_refuses_a_pattern_without_time(self):
        for pattern in ("nightly", "{instance}-{time:now}", "{time:%%}"):
            result = self.run_line(f"backup rotate db1 --name {pattern}")
            self.assertEqual(2, result.exit_code)
            self.assertIn("all would have one name", result.stderr)

    def test_rotate_always_takes_a_new_one_with_min_age_0(self):
        line = "backup rotate db1 --min-age 0 -f json"
        results = [json.loads(self.run_line(line).stdout)[0] for _ in range(2)]
        self.assertEqual(["made", "made"], [row["Result"] for row in results])

    def test_rotate_warns_if_retention_can_delete_nothing(self):
        line = "backup rotate db1 --keep-last 3"
        self.assertIn("grows without limit", self.run_line(line).stderr)
        quiet = self.run_line(f"{line} --chain-length 7 --min-age 0").stderr
        self.assertNotIn("grows without limit", quiet)
