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


"""``replica create`` as a command."""

from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase


class TestCommand(ReplicaTestCase):
    def test_all_replicas_that_were_made_are_shown(self):
        rows = self.rows("replica create db1 new --count 3 --wait --probe")
        self.assertEqual(["new-1", "new-2", "new-3"], [row["Name"] for row in rows])
        for row in rows:
            self.assertEqual(self.db1.id, row["Source ID"])
            self.assertEqual(
                ("ACTIVE", "HEALTHY"), (row["Status"], row["Operating Status"])
            )
            self.assertIn("proved in", row["Replication"])
        self.assertEqual({"shop"}, self.db1.content.databases)
        self.assertEqual([], self.fake.live_backups)

    def test_without_a_probe_it_says_that_replication_is_not_proved(self):
        result = self.succeed("replica create db1 new --wait -f json")
        self.assertIn("replication not probed", result.stderr)
        self.assertIn('"Replication": "not probed"', result.stdout)
        result = self.succeed("replica create db1 other")
        self.assertIn("replication not probed", result.stderr)

    def test_a_dry_run_prints_what_would_be_made(self):
        result = self.succeed("replica create db1 new --count 2 --dry-run -f value")
        self.assertIn("new-1", result.stdout)
        self.assertIn("new-2", result.stdout)
        self.assertEqual([], result.requests.changing)

    def test_the_source_can_be_an_option(self):
        rows = self.rows("replica create new --source db1 --wait")
        self.assertEqual([self.db1.id], [row["Source ID"] for row in rows])
        rows = self.rows("replica create db1 --count 2 other")
        self.assertEqual(["other-1", "other-2"], [row["Name"] for row in rows])
        for line in ("new", "db1 new --source db1"):
            result = self.run_line(f"replica create {line}")
            self.assertEqual((2, []), (result.exit_code, result.requests.changing))
            self.assertIn("Name one source", result.stderr)
