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

"""``replica promote --rebuild``: new members in place of the old ones."""

from trove_ext.tests.unit.workflows.replica.test_promote_risks import (
    PostgresReplicaTestCase,
)

LINE = "replica promote db2 --fence --rebuild"


class RebuildTest(PostgresReplicaTestCase):
    def named(self, name):
        return [each for each in self.fake.live_instances if each.name == name]

    def test_every_other_member_is_replaced_by_a_new_one(self):
        self.succeed(f"{LINE} --yes")
        self.assertTrue(self.db1.deleted)
        self.assertTrue(self.db3.deleted)
        self.assertFalse(self.db2.deleted)
        for name in ("db1", "db3"):
            (new,) = self.named(name)
            self.assertEqual(self.db2.id, new.replica_of)

    def test_a_member_is_deleted_after_its_replacement_is_proved(self):
        self.fake.fail_create("db3")
        result = self.run_line(f"{LINE} --yes")
        self.assertEqual(1, result.exit_code)
        self.assertTrue(self.db1.deleted)
        self.assertFalse(self.db3.deleted)
        self.assertIn("The promote itself has succeeded", result.stderr)
        self.assertIn(f"replica replace {self.db3.id}", result.stderr)

    def test_a_check_that_fails_in_between_does_not_claim_that_nothing_changed(self):
        def fill_the_quota(_request):
            if self.db1.deleted:
                self.fake.quotas["instances"] = 0

        self.fake.after_request.append(fill_the_quota)
        result = self.run_line(f"{LINE} --yes")
        self.assertEqual(1, result.exit_code)
        self.assertTrue(self.db1.deleted)
        self.assertFalse(self.db3.deleted)
        self.assertIn("Can't replace db3", result.stderr)
        self.assertNotIn("nothing was changed", result.stderr)

    def test_it_lists_what_is_deleted_and_asks(self):
        result = self.run_line(LINE, stdin="n\n", tty=True)
        self.assertEqual([], result.requests.changing)
        listed = result.stderr.partition("DELETED")[2]
        for member in (self.db1, self.db3):
            self.assertIn(str(member.id), listed)
        self.assertNotIn(self.db2.id, listed)

    def test_without_a_terminal_it_needs_yes(self):
        result = self.run_line(LINE)
        self.assertEqual(2, result.exit_code)
        self.assertEqual([], result.requests.changing)

    def test_a_network_that_is_not_known_is_found_before(self):
        self.fake.missing_fields = {"addresses", "ip"}
        result = self.run_line(f"{LINE} --yes")
        self.assertEqual(1, result.exit_code)
        self.assertEqual([], result.requests.changing)
        for member in (self.db1, self.db3):
            self.assertRegex(result.stderr, rf"{member.id}\) needs a network")

    def test_a_full_quota_is_found_before(self):
        self.fake.quotas["instances"] = self.fake.usage["instances"]
        result = self.run_line(f"{LINE} --yes")
        self.assertEqual(1, result.exit_code)
        self.assertEqual([], result.requests.changing)
