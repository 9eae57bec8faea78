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

"""The members of a set are restarted one by one, each proved before the next."""

import signal

from trove_ext.tests.fake.state import Task
from trove_ext.tests.sweep import signals
from trove_ext.tests.sweep.scenarios import SCENARIOS
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase


class TestRestart(ReplicaTestCase):
    def steps(self, result):
        """The restarts, promotes and probes of a run, in order."""
        names = {member.id: member.name for member in self.members}
        steps = []
        for request in result.requests.changing:
            name = names[request.path.split("/instances/")[1].split("/")[0]]
            body = request.body or {}
            if "restart" in body:
                steps.append(f"restart {name}")
            elif "databases" in body:
                steps.append(f"probe on {name}")
            elif request.method != "DELETE":
                steps.append(f"promote {name}")
        return steps

    def test_each_is_proved_before_the_next_and_the_source_is_the_last(self):
        result = self.succeed("replica restart db3")
        self.assertEqual(
            [
                *("restart db2", "probe on db1", "restart db3", "probe on db1"),
                *("restart db1", "probe on db1"),
            ],
            self.steps(result),
        )
        self.assertRegex(result.stderr, "Order: restart db2 .*; restart db1 .*source")

    def test_the_source_can_be_the_first(self):
        result = self.succeed("replica restart db1 --order source-first")
        self.assertEqual("restart db1", self.steps(result)[0])
        self.assertIn("Order: restart db1", result.stderr)

    def test_only_what_waits_for_a_restart_is_restarted(self):
        self.fake.set_task(Task.RESTART_REQUIRED, self.db3)
        result = self.succeed("replica restart db1 --pending")
        self.assertEqual(["restart db3", "probe on db1"], self.steps(result))
        result = self.succeed("replica restart db1 --pending")
        self.assertEqual([], result.requests.changing)
        self.assertIn("Nothing to do", result.stderr)

    def test_with_a_switchover_the_source_is_restarted_as_a_replica(self):
        roles = {}

        def note(request):
            if "restart" in (request.body or {}) and self.db1.id in request.path:
                roles["db1"] = self.db1.replica_of

        self.fake.before_request.append(note)
        result = self.succeed("replica restart db1 --switchover")
        self.assertEqual(
            ["promote db2", "restart db1", "probe on db2"], self.steps(result)[-3:]
        )
        self.assertEqual({"db1": self.db2.id}, roles)

    def test_with_a_switchover_one_that_was_not_restarted_is_proved_first(self):
        self.fake.set_task(Task.RESTART_REQUIRED, self.db1)
        result = self.succeed("replica restart db1 --switchover --pending")
        self.assertEqual(
            ["probe on db1", "promote db2", "restart db1", "probe on db2"],
            self.steps(result),
        )

    def test_after_a_switchover_all_replicas_are_proved(self):
        def stop(request):
            if "restart" in (request.body or {}) and self.db1.id in request.path:
                self.fake.stop_replication(self.db3)

        self.fake.before_request.append(stop)
        result = self.run_line("replica restart db1 --switchover")
        self.assertEqual(1, result.exit_code)
        self.assertRegex(result.stderr, "db3 .*does not replicate")

    def test_a_switchover_that_fails_restarts_no_source(self):
        self.fake.fail_promote_candidate(self.db2.id)
        result = self.run_line("replica restart db1 --switchover")
        self.assertEqual(1, result.exit_code)
        self.assertNotIn("restart db1", self.steps(result))
        self.assertIn(f"Not restarted: db1 ({self.db1.id})", result.stderr)

    def test_if_one_does_not_replicate_no_other_is_restarted(self):
        def stop(request):
            if request.method == "POST" and request.path.endswith("/databases"):
                self.fake.stop_replication(self.db2)

        self.fake.before_request.append(stop)
        result = self.run_line("replica restart db1")
        self.assertEqual(1, result.exit_code)
        self.assertEqual(["restart db2", "probe on db1"], self.steps(result))
        self.assertIn("does not replicate", result.stderr)
        self.assertIn(f"Not restarted: db3 ({self.db3.id}), db1", result.stderr)
        self.assertIn(f"restart {self.db1.id} --skip {self.db2.id}", result.stderr)

    def test_at_the_time_out_the_rest_is_named(self):
        result = self.run_line("replica restart db1 --timeout 5")
        self.assertEqual(124, result.exit_code)
        self.assertIn("Not restarted: db3", result.stderr)
        self.assertIn(f"--skip {self.db2.id}", result.stderr)

    def test_one_whose_role_changes_meanwhile_is_not_restarted(self):
        def promote(request):
            if request.method == "POST" and request.path.endswith("/databases"):
                self.db3.replica_of = None

        self.fake.before_request.append(promote)
        result = self.run_line("replica restart db1")
        self.assertEqual(1, result.exit_code)
        self.assertIn("role of db3", result.stderr)
        self.assertNotIn("restart db3", self.steps(result))

    def test_all_that_is_wrong_is_reported_at_once(self):
        self.fake.kill_database(self.db2)
        self.fake.host_off(self.db3)
        self.clock.sleep(300)
        self.refuse("replica restart db1 --skip alone", "db2", "db3", "is not in the")
        self.refuse("replica restart alone", "in no replica set", "instance restart")

    def test_what_a_switchover_needs_is_checked_first(self):
        self.db3.version_id = self.fake.datastores["mariadb"].default_version_id
        self.refuse("replica restart db1 --switchover", "datastore version")
        self.succeed("replica restart db1 --dry-run")

    def test_a_promote_names_the_restart_that_is_pending(self):
        self.fake.set_task(Task.RESTART_REQUIRED, self.db3)
        result = self.refuse("replica promote db2", "waits for a restart")
        self.assertIn(f"replica restart {self.db3.id} --pending", result.stderr)

    def test_on_postgresql_the_switchover_has_a_fence(self):
        version = self.fake.datastores["postgresql"].default_version_id
        for member in self.members:
            member.version_id = version
        result = self.succeed("replica restart db1 --switchover")
        self.assertIn("Writes are stopped", result.stderr)
        self.fake.set_task(Task.RESTART_REQUIRED, self.db1)
        self.succeed("replica restart db1 --switchover")
        self.assertIsNone(self.db1.replica_of)
        self.fake.set_task(Task.RESTART_REQUIRED, self.db1)
        self.refuse("replica restart db1 --switchover", "changes no configuration")


class TestSignals(ReplicaTestCase):
    """Stopped at each request: the set serves, and the command that goes on is named."""

    def test_the_set_serves_and_the_rest_is_named(self):
        cases = [
            case
            for case in signals.cases(only="replica restart")
            if case.number is signal.SIGTERM and case.where == signals.BEFORE
        ]
        self.assertGreater(len(cases), 60)
        went_on = 0
        for case in cases:
            cloud, result = signals.run(case)
            self.assertEqual(143, result.exit_code, str(case))
            changed = any(request.reached for request in result.requests.changing)
            named = "replica restart" in result.stderr
            self.assertTrue(named or not changed, f"{case}: {result.stderr}")
            cloud.clock.advance(7200)
            (source,) = [
                member
                for member in cloud.live_instances
                if member.replica_of is None and cloud.replicas(member)
            ]
            self.assertTrue(cloud.takes_writes(source), str(case))
            self.assertEqual(2, len(cloud.replicas(source)), str(case))
            states = {cloud.operating_status(m) for m in cloud.live_instances}
            self.assertEqual({"HEALTHY"}, states, str(case))
            went_on += named and self.goes_on(cloud, result, case)
        self.assertGreater(went_on, 40)

    def goes_on(self, cloud, result, case):
        """Whether the command that is named restarts what is left."""
        self.fake = cloud
        cloud.before_request.clear()
        (line,) = [part for part in result.stderr.split("; ") if "to go on" in part]
        words = line.splitlines()[0].partition("openstack database ")[2]
        again = self.succeed(words)
        both = [*result.requests.changing, *again.requests.changing]
        restarted = {
            request.path
            for request in both
            if "restart" in (request.body or {}) and request.reached
        }
        skips = "--skip" in SCENARIOS[case.scenario].line
        self.assertEqual(2 if skips else 3, len(restarted), str(case))
        return True
