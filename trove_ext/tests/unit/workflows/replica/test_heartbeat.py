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


"""When a guest agent was last heard."""

from trove_ext.exceptions import CheckError
from trove_ext.tests.unit.shown import shown
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase
from trove_ext.workflows.replica import promote


class TestHeartbeat(ReplicaTestCase):
    def problems(self, name="db2", **kwargs):
        before = len(self.fake.log.changing)
        error = self.assertRaises(CheckError, promote.check, self.cloud, name, **kwargs)
        self.assertEqual(before, len(self.fake.log.changing))
        return [*error.problems, shown(error)]

    def test_a_host_that_died_recently_is_recognized_by_its_heartbeat(self):
        self.fake.host_off(self.db3)
        self.clock.sleep(70)
        problem = self.problems()[0]
        self.assertIn("is ACTIVE/HEALTHY, but its guest agent was last heard", problem)


EJECT = "eject_replica_source"


class TestStopped(ReplicaTestCase):
    def test_waits_until_a_heartbeat_that_just_stopped_is_old_enough(self):
        self.fake.host_off(self.db1)
        self.fake.timings.heartbeat_expiry = 300.0
        result = self.succeed("replica failover db1 --yes --wait")
        self.assertLess(1, len(self.actions(result)))
        self.assertEqual({EJECT}, set(self.actions(result)))
        self.assertEqual(self.db2.id, self.db3.replica_of)

    def test_a_source_that_is_heard_again_ends_it(self):
        self.fake.host_off(self.db1)
        self.fake.timings.heartbeat_expiry = 600.0
        self.clock.after(120.0, lambda: self.fake.host_on(self.db1))
        result = self.run_line("replica failover db1 --yes --wait")
        self.assertEqual(1, result.exit_code)
        self.assertIn("it is heard again since", result.stderr)
        self.assertEqual(self.db1.id, self.db2.replica_of)
