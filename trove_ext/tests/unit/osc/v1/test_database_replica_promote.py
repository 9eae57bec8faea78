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


"""``replica promote`` as a command."""

import signal

from trove_ext.osc.base import run
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase


class TestCommand(ReplicaTestCase):
    def test_a_dry_run_shows_both_roles_and_sends_nothing_that_changes(self):
        result = self.succeed("replica promote db2 --dry-run --probe")
        self.assertEqual([], result.requests.changing)
        self.assertIn("check: db1", result.stderr)
        self.assertIn(f"check: not probed: whether {self.db2.name}", result.stderr)
        rows = self.rows("replica promote db2 --dry-run")
        self.assertEqual(
            [
                ("replica source", "replica of db2"),
                ("replica of db1", "replica source"),
                ("replica of db1", "replica of db2"),
            ],
            [(row["Role Before"], row["Role After"]) for row in rows],
        )

    def test_a_refused_check_has_sent_nothing_that_changes(self):
        self.fake.kill_database(self.db1)
        self.refuse("replica promote db2 --wait --probe", "nothing was changed")

    def test_the_set_is_shown_also_where_it_fails(self):
        self.fake.fail_promote_candidate("db2")
        result = self.run_line("replica promote db2 --wait -f value -c Name -c Status")
        self.assertEqual(1, result.exit_code)
        self.assertEqual("db1 ERROR\ndb2 ERROR\ndb3 ERROR\n", result.stdout)

    def test_without_wait_it_says_that_nothing_is_verified(self):
        result = self.succeed("replica promote db2")
        self.assertIn("accepted, not verified", result.stderr)
        self.assertIn(f"--for replica-of={self.db2.id}", result.stderr)

    def test_an_interrupt_reports_the_last_state_and_how_to_continue_the_wait(self):
        def interrupt():
            raise run.Stopped(signal.SIGINT)

        self.clock.after(9.0, interrupt)
        result = self.run_line("replica promote db2 --wait")
        self.assertEqual(130, result.exit_code)
        printed = result.stderr.partition("Interrupted")[2]
        self.assertIn(f"promote of db2 ({self.db2.id})", printed)
        self.assertIn(f"Instance db1 ({self.db1.id}): PROMOTE", printed)
        self.assertIn(f"instance wait {self.db2.id} --for source", printed)

    def test_an_answer_that_is_lost_is_not_sent_again(self):
        fault = Fault(Kind.RESET_AFTER, 1, True, only=lambda request: request.changing)
        result = self.succeed("replica promote db2 --wait", faults=[fault])
        self.assertEqual(["promote_to_replica_source"], self.actions(result))

    def test_a_policy_is_not_taken_for_a_failed_log_in(self):
        self.fake.policy_forbid("instance:promote_to_replica_source")
        result = self.run_line("replica promote db2 --wait")
        self.assertEqual(1, result.exit_code)
        self.assertIn("policy does not allow you to do this", result.stderr)
        self.assertIn("not a failed log-in", result.stderr)

    def test_the_stock_command_reports_a_failure_in_the_same_way(self):
        self.fake.fail_promote_sibling("db3")
        result = self.run_line("instance promote db2 --wait")
        self.assertEqual(1, result.exit_code)
        self.assertIn("db3 (", result.stderr)
        self.assertIn(f"replica replace {self.db3.id} --source", result.stderr)

    def test_the_stock_command_refuses_nothing_by_itself(self):
        self.fake.kill_database(self.db1)
        result = self.run_line("instance promote db2 --wait --timeout 1")
        self.assertEqual(["promote_to_replica_source"], self.actions(result))
