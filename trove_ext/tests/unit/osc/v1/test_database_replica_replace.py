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

"""``replica replace`` as a command."""

from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase


class TestCommand(ReplicaTestCase):
    def test_the_result_has_both(self):
        new, old = self.rows("replica replace db2 --name fresh")
        self.assertEqual(("fresh", "HEALTHY"), (new["Name"], new["Operating Status"]))
        self.assertIn("proved in", new["Replication"])
        self.assertEqual((self.db2.id, "DELETED"), (old["ID"], old["Status"]))

    def test_at_a_terminal_it_asks_what_is_lost(self):
        line = "replica replace alone --source db1"
        result = self.run_line(line, tty=True, stdin="n\n")
        self.assertIn("written to it alone will be lost", result.stderr)
        self.assertFalse(self.alone.deleted)

    def test_a_dry_run_changes_nothing(self):
        result = self.succeed("replica replace db2 --dry-run")
        self.assertEqual([], result.requests.changing)
        self.assertIn("to be deleted", result.stdout)

    def test_an_old_source_needs_its_new_source_and_a_yes(self):
        self.refuse("replica replace alone", "no replica", "--source <instance>")
        result = self.run_line("replica replace alone --source db1")
        self.assertEqual((2, []), (result.exit_code, result.requests.changing))
        self.succeed("replica replace alone --source db1 --yes")
        self.assertTrue(self.alone.deleted)
        self.assertEqual(self.db1.id, self.new_of("alone").replica_of)

    def new_of(self, name):
        (new,) = [each for each in self.fake.live_instances if each.name == name]
        return new
