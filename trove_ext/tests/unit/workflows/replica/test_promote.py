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


from trove_ext.exceptions import ResourceFailedError
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.shown import shown
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase
from trove_ext.workflows.replica import promote

RESET = "openstack database instance reset status"


@shows(Promise.PROMOTE)
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

    def test_a_source_whose_host_dies_is_left_to_failover(self):
        plan = promote.check(self.cloud, "db2")
        self.fake.host_off(self.db1)
        before = promote.submit(self.cloud, plan)
        deadline = self.cloud.deadline(0)
        error = promote.follow(self.cloud, before, plan.target, deadline).error
        self.assertIn(f"replica failover {self.db1.id} --wait", shown(error))
        self.assertIn("not known", self.finding(error, self.db1))
        self.assertNotIn(RESET, shown(error))

    def test_a_promote_that_trove_has_lost_ends_by_itself(self):
        self.clock.after(6.0, self.fake.restart_trove)
        error = self.promote(timeout=7200).error
        self.assertIsInstance(error, ResourceFailedError)
        self.assertIn("nothing has changed for 20 minutes", str(error))
        self.assertIn(f"{RESET} {self.db2.id}", shown(error))
