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


"""Every member is checked before a promote is sent."""

from trove_ext.exceptions import CheckError
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.harness import make_client
from trove_ext.tests.fake.state import BackupState, Task
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.shown import shown
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase
from trove_ext.trove.client import Cloud
from trove_ext.workflows.replica import promote


@shows(Promise.PROMOTE, Promise.CHECKS)
class TestCheck(ReplicaTestCase):
    def problems(self, name="db2", **kwargs):
        before = len(self.fake.log.changing)
        error = self.assertRaises(CheckError, promote.check, self.cloud, name, **kwargs)
        self.assertEqual(before, len(self.fake.log.changing))
        return [*error.problems, shown(error)]

    def make(self, faults):
        return Cloud(make_client(self.fake, faults), clock=self.clock)

    def _reads(self, request):
        return request.method == "GET" and f"{self.db2.id}/databases" in request.path

    def test_a_healthy_set_passes_with_the_list_of_checks(self):
        plan = promote.check(self.cloud, "db2")
        self.assertEqual((self.db1.id, self.db2.id), (plan.source.id, plan.target.id))
        text = "\n".join(plan.checks)
        for member in self.members:
            self.assertIn(f"{member.name} ({member.id}) is ACTIVE/HEALTHY", text)
        self.assertFalse(plan.probed)

    def test_for_an_instance_that_is_no_replica_its_replicas_are_named(self):
        self.assertIn("it is not a replica", self.problems("alone")[0])
        self.assertIn("the source of db2", self.problems("db1")[0])

    def test_all_problems_are_reported_member_by_member(self):
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

    def test_a_database_that_trove_can_not_list_does_not_prevent_a_promote(self):
        for server in (self.db1, self.db2, self.db3):
            server.content.databases.add("b")
        plan = promote.check(self.cloud, "db2", with_probe=True)
        self.assertIn("the probe arrived", plan.checks[-1])

    def test_a_replica_that_can_not_be_read_is_not_reported_as_not_replicating(self):
        broken = Fault(Kind.QUOTA, only=self._reads, lasting=True)
        error = self.assertRaises(
            CheckError, promote.check, self.make([broken]), "db2", with_probe=True
        )
        (problem,) = error.problems
        self.assertIn("can't be probed", problem)
        self.assertNotIn("delete it", problem)

    def test_nothing_is_probed_where_something_else_is_wrong(self):
        self.fake.kill_database(self.db3)
        self.problems(with_probe=True)
