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


"""What is reported of a switch that failed."""

from datetime import timedelta
from types import SimpleNamespace

from trove_ext.exceptions import WaitTimeoutError
from trove_ext.tests.fake import state
from trove_ext.tests.fake.state import Task
from trove_ext.tests.unit.shown import shown
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase
from trove_ext.workflows.replica import promote


class TestSwitchReport(ReplicaTestCase):
    def promote(self, name="db2", timeout=3600.0):
        deadline = self.cloud.deadline(timeout)
        plan = promote.check(self.cloud, name)
        before = promote.submit(self.cloud, plan)
        return promote.follow(self.cloud, before, plan.target, deadline)

    def finding(self, error, member):
        lines = str(error).splitlines()
        return next(line for line in lines if line.startswith(f"  {member.name} ("))

    def store_old_fault(self, row, text):
        row.fault = state.Fault(text, self.clock.now() - timedelta(days=7))

    def promote_by_the_stock_command(self):
        result = self.run_line("instance promote db2 --wait")
        return SimpleNamespace(error=result.stderr)

    def heal(self):
        self.fake.set_task(Task.NONE, *self.members)

    def test_every_fault_is_read_before_anything_else_is_sent(self):
        self.fake.fail_promote_candidate("db2")
        self.promote()
        changing = self.fake.log.changing
        self.assertEqual(1, len(changing))

    def test_an_old_fault_is_named_as_older_and_the_steps_do_not_follow_it(self):
        self.store_old_fault(self.db1, "Can't connect to local server through socket")
        self.fake.fail_promote_candidate("db2")
        for promoted_by in (self.promote, self.promote_by_the_stock_command):
            with self.subTest(promoted_by.__name__):
                error = promoted_by().error
                self.assertIn("older fault, not of this", self.finding(error, self.db1))
                # The source was not down, so the steps wait for it before its restart.
                text = error if isinstance(error, str) else shown(error)
                self.assertIn(f"instance wait {self.db1.id}", text)
            self.heal()

    def test_a_fault_that_is_stored_while_the_replica_is_probed_is_older(self):
        plan = promote.check(self.cloud, "db2")
        self.fake.blame(self.db1, "Can't connect to local server through socket")
        self.fake.fail_promote_candidate("db2")
        before = promote.submit(self.cloud, plan)
        deadline = self.cloud.deadline(0)
        error = promote.follow(self.cloud, before, plan.target, deadline).error
        self.assertIn("older fault, not of this", self.finding(error, self.db1))

    def test_another_replica_that_is_lost_has_to_be_created_again(self):
        self.fake.fail_promote_sibling("db3")
        error = self.promote().error
        self.assertIn("no role, ERROR, read-only or not", self.finding(error, self.db3))
        self.assertIn("likely writable", self.finding(error, self.db2))
        self.assertIn("likely read-only", self.finding(error, self.db1))
        self.assertNotIn("admin", shown(error))
        replace = f"replica replace {self.db3.id} --source {self.db2.id}"
        self.assertIn(replace, shown(error))

    def test_a_time_out_reports_what_is_known_and_how_to_continue_the_wait(self):
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
