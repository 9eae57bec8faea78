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


from trove_ext.tests.fake.state import Task
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase

EJECT = "eject_replica_source"


@shows(Promise.FAILOVER)
class TestFailover(ReplicaTestCase):
    def test_a_source_that_is_alive_is_refused_with_the_planned_switchover(self):
        self.refuse(
            "replica failover db1 --yes --wait",
            "its guest agent is heard",
            f"replica promote {self.db2.id} --wait",
        )

    def test_a_database_that_is_down_has_to_be_restarted(self):
        self.fake.kill_database(self.db1)
        self.refuse(
            "replica failover db1 --yes --wait",
            "as long as that is so Trove can't eject it",
            f"instance restart {self.db1.id} --wait",
            f"replica promote {self.db3.id} --wait",
        )

    def test_a_replica_is_refused_with_its_source(self):
        self.refuse("replica failover db2 --yes", "name the source", self.db1.id)
        self.refuse("replica failover alone --yes", "it has no replicas")

    def test_a_replica_that_is_dead_too_is_named(self):
        self.fake.host_off(self.db1)
        self.fake.host_off(self.db3)
        self.clock.sleep(100)
        self.refuse(
            "replica failover db1 --yes --wait",
            "db3 (",
            f"instance delete {self.db3.id} --wait",
        )

    def test_a_dead_source_is_replaced_and_the_old_one_reported(self):
        self.fake.host_off(self.db1)
        self.clock.sleep(100)
        result = self.succeed("replica failover db1 --yes --wait")
        self.assertEqual([EJECT], self.actions(result))
        self.assertIn("db2 (", result.stderr)
        self.assertIn(self.db2.ip, result.stderr)
        self.assertIn(f"db1 ({self.db1.id}) is NOT fenced", result.stderr)
        self.assertEqual(self.db2.id, self.db3.replica_of)

    def test_without_wait_it_is_sent_once_and_says_when_it_was_heard(self):
        self.fake.host_off(self.db1)
        result = self.run_line("replica failover db1 --yes")
        self.assertEqual((1, [EJECT]), (result.exit_code, self.actions(result)))
        self.assertIn("was last heard at 2026-01-01T00:00:00+00:00", result.stderr)
        self.assertIn(f"replica failover {self.db1.id} --wait", result.stderr)

    def test_without_wait_it_says_too_that_the_old_one_is_not_fenced(self):
        self.fake.host_off(self.db1)
        self.clock.sleep(100)
        result = self.succeed("replica failover db1 --yes")
        self.assertIn(f"db1 ({self.db1.id}) is NOT fenced", result.stderr)
        self.assertIn("accepted, not verified", result.stderr)

    def test_a_time_out_names_the_command_that_continues(self):
        self.fake.host_off(self.db1)
        self.fake.timings.heartbeat_expiry = 900.0
        result = self.run_line("replica failover db1 --yes --wait --timeout 60")
        self.assertEqual(124, result.exit_code)
        self.assertIn(f"replica failover {self.db1.id} --wait", result.stderr)
        self.assertEqual(self.db1.id, self.db2.replica_of)

    def test_a_set_left_in_error_by_a_promote_can_be_failed_over(self):
        self.fake.set_task(Task.PROMOTION_ERROR, *self.members)
        self.fake.host_off(self.db1)
        self.clock.sleep(100)
        self.succeed("replica failover db1 --yes --wait")
        self.assertEqual(self.db2.id, self.db3.replica_of)

    def test_an_eject_that_fails_reports_every_member(self):
        self.fake.host_off(self.db1)
        self.clock.sleep(100)
        self.fake.fail_promote_sibling("db3")
        result = self.run_line("replica failover db1 --yes --wait")
        self.assertEqual(1, result.exit_code)
        self.assertIn("db3 (", result.stderr)
        self.assertIn("no role, ERROR", result.stderr)
        replace = f"replica replace {self.db3.id} --source {self.db2.id}"
        self.assertIn(replace, result.stderr)

    def test_the_stock_command_waits_in_the_same_way(self):
        self.fake.host_off(self.db1)
        self.fake.host_off(self.db2)
        self.clock.sleep(100)
        result = self.run_line("instance eject db1 --wait")
        self.assertEqual(([EJECT], 1), (self.actions(result), result.exit_code))
        self.assertIn(f"instance delete {self.db2.id} --wait", result.stderr)
        self.assertIn("Fail over again", result.stderr)
