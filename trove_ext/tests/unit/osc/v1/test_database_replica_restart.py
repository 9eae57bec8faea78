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

"""``replica restart`` as a command."""

from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase


class TestCommand(ReplicaTestCase):
    def test_the_result_has_the_members_in_their_order(self):
        rows = self.rows("replica restart db1 --skip db3")
        self.assertEqual(
            [("db2", "restarted"), ("db1", "restarted"), ("db3", "skipped")],
            [(row["Name"], row["Restart"]) for row in rows],
        )
        self.assertTrue(all(r["Replication"].startswith("proved") for r in rows[::2]))
        # That of a source would be of the time when it was a replica.
        rows = self.rows("replica restart db1 --switchover")
        self.assertIsNone(rows[0]["Replication"])
        self.assertRegex(rows[-1]["Replication"], "^proved")

    def test_a_dry_run_changes_nothing_and_prints_the_order(self):
        result = self.succeed("replica restart db1 --switchover --dry-run")
        self.assertEqual([], result.requests.changing)
        self.assertIn("promote db2", result.stderr)
        self.assertIn("to be restarted", result.stdout)

    def test_a_switchover_before_any_replica_is_a_usage_error(self):
        line = "replica restart db1 --switchover --order source-first"
        result = self.run_line(line)
        self.assertEqual((2, []), (result.exit_code, result.requests.changing))
        self.assertIn("leave out --order", result.stderr)
