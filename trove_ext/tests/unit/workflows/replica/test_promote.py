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


import signal
from datetime import timedelta
from types import SimpleNamespace

from trove_ext.exceptions import CheckError, ResourceFailedError, WaitTimeoutError
from trove_ext.osc.base import run
from trove_ext.tests.fake import state
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.harness import make_client
from trove_ext.tests.fake.state import BackupState, Task
from trove_ext.tests.unit.shown import shown
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase
from trove_ext.trove.client import Cloud
from trove_ext.workflows.replica import promote

RESET = "openstack database instance reset status"


class TestCheck(ReplicaTestCase):
    def problems(self, name="db2", **kwargs):
        before = len(self.fake.log.changing)
        error = self.assertRaises(CheckError, promote.check, self.cloud, name, **kwargs)
        self.assertEqual(before, len(self.fake.log.changing))
        return [*error.problems, shown(error)]

    def test_a_healthy_set_passes_with_what_was_looked_at(self):
        plan = promote.check(self.cloud, "db2")
        self.assertEqual((self.db1.id, self.db2.id), (plan.source.id, plan.target.id))
        text = "\n".join(plan.checks)
        for member in self.members:
            self.assertIn(f"{member.name} ({member.id}) is ACTIVE/HEALTHY", text)
        self.assertFalse(plan.probed)

    def test_what_is_no_replica_is_told_whose_source_it_is(self):
        self.assertIn("it is not a replica", self.problems("alone")[0])
        self.assertIn("the source of db2", self.problems("db1")[0])

    def test_all_that_is_wrong_is_told_member_by_member(self):
        self.fake.kill_database(self.db1)
        self.db2.version_id = "00000000-0000-4000-8000-000000000572"
        self.fake.set_task(Task.PROMOTION_ERROR, self.db3)
        self.fake.blame(self.db3, "It broke.")
        problems = self.problems()
        self.assertEqual(4, len(problems))
        self.assertIn(f"instance restart {self.db1.id} --wait", problems[3])
        self.assertIn("It broke. (only an admin of the cloud", problems[1])
        self.assertIn("datastore version 5.7.40, the source 5.7.29", problems[2])

    def test_a_source_that_is_not_heard_is_left_to_failover(self):
        self.fake.host_off(self.db1)
        self.clock.sleep(100)
        self.assertIn(f"replica failover {self.db1.id} --wait", self.problems()[-1])

    def test_a_host_that_died_lately_is_seen_by_its_heartbeat(self):
        self.fake.host_off(self.db3)
        self.clock.sleep(70)
        problem = self.problems()[0]
        self.assertIn("is ACTIVE/HEALTHY, but its guest agent was last heard", problem)

    def test_a_running_backup_is_named(self):
        self.fake.add_backup("nightly", self.db3, state=BackupState.BUILDING)
        problem = self.problems()[0]
        self.assertIn("nightly", problem)

    def test_a_probe_finds_stopped_replication_before_the_promote(self):
        self.fake.stop_replication(self.db2)
        error = self.assertRaises(
            CheckError, promote.check, self.cloud, "db2", with_probe=True
        )
        self.assertIn("does not replicate", error.problems[0])
        self.assertEqual(
            ["POST", "DELETE"], [request.method for request in self.fake.log.changing]
        )
        self.assertEqual({"shop"}, self.db1.content.databases)

    def test_a_database_that_trove_can_not_list_keeps_nobody_from_a_promote(self):
        for server in (self.db1, self.db2, self.db3):
            server.content.databases.add("b")
        plan = promote.check(self.cloud, "db2", with_probe=True)
        self.assertIn("the probe arrived", plan.checks[-1])

    def test_a_replica_that_can_not_be_read_is_not_said_not_to_replicate(self):
        broken = Fault(Kind.QUOTA, only=self._reads, lasting=True)
        error = self.assertRaises(
            CheckError, promote.check, self.make([broken]), "db2", with_probe=True
        )
        (problem,) = error.problems
        self.assertIn("can't be probed", problem)
        self.assertNotIn("delete it", problem)

    def make(self, faults):
        return Cloud(make_client(self.fake, faults), clock=self.clock)

    def _reads(self, request):
        return request.method == "GET" and f"{self.db2.id}/databases" in request.path

    def test_nothing_is_probed_where_something_else_is_wrong(self):
        self.fake.kill_database(self.db3)
        self.problems(with_probe=True)


class TestPromote(ReplicaTestCase):
    def promote(self, name="db2", timeout=3600.0):
        deadline = self.cloud.deadline(timeout)
        plan = promote.check(self.cloud, name)
        before = promote.submit(self.cloud, plan)
        return promote.follow(self.cloud, before, plan.target, deadline)

    def finding(self, error, member):
        lines = str(error).splitlines()
        return next(line for line in lines if line.startswith(f"  {member.name} ("))

    def test_the_roles_of_all_members_are_read_afterwards(self):
        switch = self.promote()
        self.assertIsNone(switch.error)
        roles = {member.name: member.replica_of for member in switch.members}
        self.assertEqual({"db1": self.db2.id, "db2": None, "db3": self.db2.id}, roles)

    def test_a_candidate_that_can_not_catch_up_leaves_the_source_read_only(self):
        self.fake.fail_promote_candidate("db2")
        error = self.promote().error
        self.assertIsInstance(error, ResourceFailedError)
        self.assertTrue(self.db1.read_only)
        for member in self.members:
            self.assertIn("ERROR, likely read-only", self.finding(error, member))
            self.assertIn(f"{RESET} {member.id}", shown(error))
        self.assertIn("catch up", self.finding(error, self.db2))
        self.assertIn("[only an admin of the cloud can do this]", shown(error))

    def test_every_fault_is_read_before_anything_else_is_sent(self):
        self.fake.fail_promote_candidate("db2")
        self.promote()
        changing = self.fake.log.changing
        self.assertEqual(1, len(changing))

    def store_old_fault(self, row, text):
        row.fault = state.Fault(text, self.clock.now() - timedelta(days=7))

    def test_an_old_fault_is_named_as_older_and_the_steps_do_not_follow_it(self):
        self.store_old_fault(self.db1, "Can't connect to local server through socket")
        self.fake.fail_promote_candidate("db2")
        for promoted_by in (self.promote, self.promote_by_the_stock_command):
            with self.subTest(promoted_by.__name__):
                error = promoted_by().error
                self.assertIn("older fault, not of this", self.finding(error, self.db1))
                # The source was not down: it is waited for before its restart.
                text = error if isinstance(error, str) else shown(error)
                self.assertIn(f"instance wait {self.db1.id}", text)
            self.heal()

    def promote_by_the_stock_command(self):
        result = self.run_line("instance promote db2 --wait")
        return SimpleNamespace(error=result.stderr)

    def heal(self):
        self.fake.set_task(Task.NONE, *self.members)

    def test_a_fault_that_is_stored_while_the_replica_is_probed_is_older(self):
        plan = promote.check(self.cloud, "db2")
        self.fake.blame(self.db1, "Can't connect to local server through socket")
        self.fake.fail_promote_candidate("db2")
        before = promote.submit(self.cloud, plan)
        deadline = self.cloud.deadline(0)
        error = promote.follow(self.cloud, before, plan.target, deadline).error
        self.assertIn("older fault, not of this", self.finding(error, self.db1))

    def test_a_sibling_that_is_lost_is_made_again_by_the_user(self):
        self.fake.fail_promote_sibling("db3")
        error = self.promote().error
        self.assertIn("no role, ERROR, read-only or not", self.finding(error, self.db3))
        self.assertIn("likely writable", self.finding(error, self.db2))
        self.assertIn("likely read-only", self.finding(error, self.db1))
        self.assertNotIn("admin", shown(error))
        delete = f"instance delete {self.db3.id} --wait"
        create = f"replica create {self.db2.id} db3 --probe --wait"
        self.assertLess(shown(error).index(delete), shown(error).index(create))

    def test_a_source_whose_host_dies_is_left_to_failover(self):
        plan = promote.check(self.cloud, "db2")
        self.fake.host_off(self.db1)
        before = promote.submit(self.cloud, plan)
        deadline = self.cloud.deadline(0)
        error = promote.follow(self.cloud, before, plan.target, deadline).error
        self.assertIn(f"replica failover {self.db1.id} --wait", shown(error))
        self.assertIn("not known", self.finding(error, self.db1))
        self.assertNotIn(RESET, shown(error))

    def test_a_time_out_says_what_is_known_and_how_to_wait_on(self):
        self.clock.after(6.0, self.fake.restart_trove)
        error = self.promote(timeout=60).error
        self.assertIsInstance(error, WaitTimeoutError)
        self.assertIn(f"instance wait {self.db2.id} --for source", shown(error))
        self.assertIn(
            f"instance wait {self.db1.id} {self.db3.id} --for replica-of={self.db2.id}",
            shown(error),
        )
        self.assertIn("PROMOTE, likely read-only", self.finding(error, self.db1))
        self.assertIn("only if nothing changes any more", shown(error))

    def test_a_promote_that_trove_has_lost_ends_by_itself(self):
        self.clock.after(6.0, self.fake.restart_trove)
        error = self.promote(timeout=7200).error
        self.assertIsInstance(error, ResourceFailedError)
        self.assertIn("nothing has moved for 20 minutes", str(error))
        self.assertIn(f"{RESET} {self.db2.id}", shown(error))


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

    def test_an_interrupt_tells_what_was_seen_and_how_to_wait_on(self):
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

    def test_the_stock_command_tells_as_much_of_a_failure(self):
        self.fake.fail_promote_sibling("db3")
        result = self.run_line("instance promote db2 --wait")
        self.assertEqual(1, result.exit_code)
        self.assertIn("db3 (", result.stderr)
        self.assertIn(f"instance delete {self.db3.id} --wait", result.stderr)

    def test_the_stock_command_refuses_nothing_by_itself(self):
        self.fake.kill_database(self.db1)
        result = self.run_line("instance promote db2 --wait --timeout 1")
        self.assertEqual(["promote_to_replica_source"], self.actions(result))
