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

"""``backup wait`` and ``instance wait``."""

import json

from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.osc.hooks.base import HookTestCase


@shows(Promise.WAIT)
class TestWaitCommands(HookTestCase):
    def test_several_are_polled_together_and_each_is_a_row(self):
        self.cloud.add_instance("db2")
        result = self.succeed("instance wait db1 db2 -f json")
        self.assertEqual(
            [("db1", "ACTIVE/HEALTHY"), ("db2", "ACTIVE/HEALTHY")],
            [(row["Name"], row["Status"]) for row in json.loads(result.stdout)],
        )

    def test_an_id_that_is_gone_has_been_deleted(self):
        gone = "11111111-2222-4333-8444-555555555555"
        self.succeed(f"instance wait {gone} --for deleted")
        self.succeed(f"backup wait {gone} --for deleted")

    def test_a_name_that_is_unknown_stays_an_error(self):
        result = self.run_line("instance wait nobody --for deleted")
        self.assertEqual(1, result.exit_code)

    def test_unknown_targets_do_not_stop_the_others_and_are_all_named(self):
        result = self.run_line("instance wait nobody db1 nothing -f json")
        self.assertEqual(1, result.exit_code)
        self.assertEqual(["db1"], [row["Name"] for row in json.loads(result.stdout)])
        self.assertIn("nobody", result.stderr)
        self.assertIn("nothing", result.stderr)
        self.assertIn("2 of 3", result.stderr)

    def test_an_ambiguous_name_does_not_stop_the_others(
        self,
    ):
        twins = [self.cloud.add_instance("twin") for _ in range(2)]
        for line in ("instance wait twin nobody db1", "instance wait nobody db1 twin"):
            with self.subTest(line):
                result = self.run_line(f"{line} -f json")
                self.assertEqual(1, result.exit_code)
                rows = json.loads(result.stdout)
                self.assertEqual(["db1"], [row["Name"] for row in rows])
                for part in ("nobody", "2 of 3", *(twin.id for twin in twins)):
                    self.assertIn(part, result.stderr)

    def test_one_named_twice_is_a_row_once(self):
        result = self.succeed(f"instance wait db1 {self.db1.id} db1 -f json")
        self.assertEqual(1, len(json.loads(result.stdout)))

    def test_waits_for_roles(self):
        self.cloud.add_instance("rep", replica_of=self.db1)
        self.succeed("instance wait db1 --for source")
        self.succeed("instance wait rep --for replica-of=db1")
        result = self.run_line("instance wait rep --for detached --timeout 5")
        self.assertEqual(124, result.exit_code)

    def test_an_unknown_goal_is_a_usage_error(self):
        self.assertEqual(2, self.run_line("instance wait db1 --for joy").exit_code)
