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

"""A failover on PostgreSQL: a detach, and never an eject."""

from trove_ext.tests.unit.workflows.replica.test_promote_risks import (
    PostgresReplicaTestCase,
)


class FailoverTest(PostgresReplicaTestCase):
    LINE = "replica failover db1 --to db2 --yes --wait"

    def dead(self):
        self.fake.host_off(self.db1)
        self.clock.sleep(100)

    def test_the_named_replica_becomes_the_source_and_nobody_is_in_error(self):
        self.dead()
        result = self.succeed(self.LINE)
        self.assertIsNone(self.db2.replica_of)
        self.assertTrue(self.fake.takes_writes(self.db2))
        self.assertNotIn("eject_replica_source", self.actions(result))
        statuses = {self.fake.status(member) for member in self.members}
        self.assertEqual({"ACTIVE"}, statuses)

    def test_it_says_what_is_left_of_the_set_and_how_to_replace_it(self):
        self.dead()
        result = self.succeed(self.LINE)
        for part in (
            f"db3 ({self.db3.id}) still belong to db1",
            "is NOT fenced",
            "has to be a full one",
            f"replica replace {self.db3.id} --source {self.db2.id}",
            self.db2.ip,
        ):
            self.assertIn(part, result.stderr)
        deletes = [
            result.stderr.index(f"replica replace {member.id}")
            for member in (self.db3, self.db1)
        ]
        self.assertEqual(sorted(deletes), deletes, "a source with replicas stays")

    def test_the_only_replica_needs_no_name(self):
        self.db3.replica_of = None
        self.dead()
        self.succeed("replica failover db1 --yes --wait")
        self.assertIsNone(self.db2.replica_of)

    def test_another_instance_is_refused(self):
        self.dead()
        self.refuse("replica failover db1 --to alone --yes", "alone is not a replica")

    def test_a_replica_that_is_down_is_refused(self):
        self.dead()
        self.fake.kill_database(self.db2)
        self.refuse(self.LINE, "its database does not run")

    def test_a_source_that_works_is_not_replaced(self):
        result = self.refuse(self.LINE, "is heard")
        self.assertIn(f"replica promote {self.db2.id} --fence --wait", result.stderr)

    def test_one_that_takes_no_writes_is_an_error(self):
        self.dead()
        group = self.fake.add_configuration(
            "own", "postgresql", default_transaction_read_only=True
        )
        self.db2.configuration_id = group.id
        self.db2.overrides = self.db2.settings = dict(group.values)
        result = self.run_line(self.LINE)
        self.assertEqual(1, result.exit_code)
        self.assertIn("does not take writes", result.stderr)
        self.assertIn("configuration parameter set", result.stderr)

    def test_a_fence_that_is_left_is_lifted_where_that_is_possible(self):
        group = self.fake.add_configuration(
            f"trove-ext-fence-{self.db1.id}",
            "postgresql",
            default_transaction_read_only=True,
        )
        for member in self.members:
            member.configuration_id = group.id
            member.overrides = member.settings = dict(group.values)
        self.dead()
        result = self.succeed(self.LINE)
        self.assertIn("may still be stopped", result.stderr)
        self.assertTrue(self.fake.takes_writes(self.db2))

    def test_without_wait_it_says_that_nothing_is_verified(self):
        self.dead()
        result = self.succeed("replica failover db1 --to db2 --yes")
        self.assertIn("accepted, not verified", result.stderr)
        self.assertIn(f"{self.db2.id} --for detached", result.stderr)

    def test_a_set_that_was_ejected_has_a_way_back(self):
        self.dead()
        result = self.run_line("instance eject db1 --wait")
        self.assertEqual(1, result.exit_code)
        self.assertIn(f"instance reset status {self.db2.id}", result.stderr)
        self.assertIn(f"failover {self.db1.id} --to {self.db2.id}", result.stderr)
        self.assertNotIn(f"reset status {self.db1.id}", result.stderr)
        self.fake.admin = True
        for replica in (self.db2, self.db3):
            self.succeed(f"instance reset status {replica.id}")
        self.clock.sleep(60)
        self.succeed(self.LINE)
        self.assertTrue(self.fake.takes_writes(self.db2))
