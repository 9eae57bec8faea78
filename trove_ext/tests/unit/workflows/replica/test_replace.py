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

"""A replica is replaced: the old one is deleted only after the new one replicates."""

from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.state import Task
from trove_ext.tests.sweep import signals
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase

OTHER_NETWORK = "11111111-1111-4111-8111-111111111111"


class TestReplace(ReplicaTestCase):
    def new(self):
        """The one new instance."""
        known = {member.id for member in (*self.members, self.alone)}
        (new,) = [each for each in self.fake.live_instances if each.id not in known]
        return new

    def test_the_new_one_is_proved_before_the_old_one_is_deleted(self):
        result = self.succeed("replica replace db2")
        self.assertEqual(
            ["instance", "databases", "DELETE", "instance", "DELETE"],
            self.actions(result),
        )
        self.assertTrue(self.db2.deleted)
        self.assertEqual(("db2", self.db1.id), (self.new().name, self.new().replica_of))
        self.assertNotIn("NOT fenced", result.stderr)

    def test_it_has_the_settings_of_the_old_one(self):
        group = self.fake.add_configuration("tuned")
        self.db2.network_id = OTHER_NETWORK
        self.db2.configuration_id = group.id
        self.db2.access = {"is_public": True, "allowed_cidrs": ["10.0.0.0/8"]}
        result = self.succeed("replica replace db2")
        body = result.requests.changing[0].body["instance"]
        self.assertEqual([{"network_id": OTHER_NETWORK}], body["nics"])
        self.assertEqual(group.id, body["configuration"])
        self.assertEqual(
            {"is_public": True, "allowed_cidrs": ["10.0.0.0/8"]}, body["access"]
        )

    def test_if_it_does_not_replicate_the_old_one_stays(self):
        def stop(request):
            if request.method == "POST" and request.path.endswith("/databases"):
                self.fake.stop_replication(self.new())

        self.fake.before_request.append(stop)
        result = self.run_line("replica replace db2")
        self.assertEqual(1, result.exit_code)
        self.assertIn("does not replicate", result.stderr)
        self.assertIn(f"db2 ({self.db2.id}) was not touched", result.stderr)
        self.assertFalse(self.db2.deleted)
        self.assertEqual(self.db1.id, self.db2.replica_of)

    def test_if_the_build_fails_the_old_one_stays(self):
        self.fake.fail_create(message="no host left")
        result = self.run_line("replica replace db2")
        self.assertEqual(1, result.exit_code)
        self.assertIn("no host left", result.stderr)
        self.assertIn(f"replica replace {self.db2.id} --source", result.stderr)
        self.assertNotIn("--with", result.stderr)
        self.assertFalse(self.db2.deleted)

    def test_one_that_does_not_answer_is_deleted_without_a_detach(self):
        self.fake.host_off(self.db2)
        self.clock.sleep(300)
        result = self.succeed("replica replace db2")
        self.assertIn("deleted without a detach", result.stderr)
        self.assertTrue(self.db2.deleted)

    def test_a_detach_that_is_refused_does_not_prevent_the_delete(self):
        self.fake.policy_forbid("instance:update")
        result = self.succeed("replica replace db2")
        self.assertIn("without a detach", result.stderr)
        self.assertTrue(self.db2.deleted)

    def test_what_can_not_be_replaced_is_refused(self):
        self.refuse("replica replace db1", f"replica promote {self.db2.id} --wait")
        self.refuse("replica replace db1 --source db1", "itself the source")
        self.refuse("replica replace db1 --source alone --yes", "has replicas itself")
        self.refuse("replica replace db2 --with alone", "not a replica of")

    def test_all_that_is_wrong_is_reported_at_once(self):
        self.fake.quotas["instances"] = 4
        self.fake.kill_database(self.db1)
        self.fake.set_task(Task.BUILDING, self.db2)
        self.refuse("replica replace db2", "quota of instances", "SHUTDOWN", "BUILD")

    def test_one_whose_role_changes_meanwhile_is_not_deleted(self):
        def promote(request):
            if request.method == "POST" and request.path.endswith("/databases"):
                self.db3.replica_of = self.db2.id

        self.fake.before_request.append(promote)
        result = self.run_line("replica replace db2")
        self.assertEqual(1, result.exit_code)
        self.assertIn("role of db2", result.stderr)
        self.assertFalse(self.db2.deleted)

    def test_a_failed_run_names_the_command_that_goes_on_and_it_does(self):
        lost = Fault(
            Kind.RESET_BEFORE, 1, lasting=True, only=lambda r: r.method == "DELETE"
        )
        result = self.run_line("replica replace db2", faults=[lost])
        self.assertEqual(1, result.exit_code)
        go_on = self.advised(result)
        self.assertEqual(
            f"replica replace {self.db2.id} --source {self.db1.id} --with "
            f"{self.new().id}",
            go_on,
        )
        self.clock.sleep(300)
        self.succeed(f"{go_on} --yes")
        self.assertTrue(self.db2.deleted)

    def advised(self, result):
        (line,) = [line for line in result.stderr.splitlines() if "--with" in line]
        return line.strip().removeprefix("openstack database ")


class TestSignals(ReplicaTestCase):
    """Stopped at each request: the set serves, and the command that goes on is named."""

    def test_the_set_serves_and_the_rest_is_named(self):
        cases = [
            case
            for case in signals.cases(only="replica replace")
            if case.number.name == "SIGTERM"
        ]
        self.assertGreater(len(cases), 50)
        went_on = 0
        for case in cases:
            cloud, result = signals.run(case)
            self.assertEqual(143, result.exit_code, str(case))
            new = [i for i in cloud.instances.values() if i.name == "new"]
            went_on += "replica replace" in result.stderr
            if new and "--with" not in result.stderr:
                # Its ID is not known yet, or the old one is being deleted.
                self.assertRegex(result.stderr, "instance (list|wait|show)", str(case))
            cloud.clock.advance(7200)
            source = cloud.instance("db1")
            self.assertIsNone(source.replica_of)
            serving = [
                replica
                for replica in cloud.replicas(source)
                if cloud.operating_status(replica) == "HEALTHY"
            ]
            self.assertGreaterEqual(len(serving), 2, str(case))
        self.assertGreater(went_on, 20)
