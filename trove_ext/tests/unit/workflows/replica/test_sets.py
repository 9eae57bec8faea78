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


"""A set is the same from each of its members."""

from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase


class TestShow(ReplicaTestCase):
    def test_every_member_shows_the_same_set_by_name_or_id(self):
        shown = [
            self.succeed(f"replica show {key}").stdout
            for member in self.members
            for key in (member.name, member.id)
        ]
        self.assertEqual(1, len(set(shown)), shown)
        self.assertIn("├\N{NO-BREAK SPACE}db2", shown[0])
        self.assertIn("└\N{NO-BREAK SPACE}db3", shown[0])

    def test_what_is_in_no_set_is_an_error(self):
        self.refuse("replica show alone", "in no replica set")

    def test_an_ambiguous_name_lists_their_ids(self):
        twin = self.fake.add_instance("db2")
        self.refuse("replica show db2", twin.id, self.db2.id)

    def test_the_list_has_all_sets_and_nothing_else(self):
        other = self.fake.add_instance("other")
        self.fake.add_instance("other-replica", replica_of=other)
        rows = self.rows("replica list")
        self.assertEqual(
            ["db1", "db2", "db3", "other", "other-replica"],
            [row["Name"] for row in rows],
        )
        rows = self.rows("replica list --source other")
        self.assertEqual(["other", "other-replica"], [row["Name"] for row in rows])
        self.refuse("replica list --source db2", "it is itself a replica")

    def test_a_list_costs_one_request_for_each_twenty_instances(self):
        for number in range(96):
            self.fake.add_instance(f"more-{number}")
        result = self.succeed("replica list")
        self.assertLessEqual(len(result.requests.to_trove()), 100 // 20 + 2)
