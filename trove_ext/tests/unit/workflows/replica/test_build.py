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


"""New replicas are followed until they serve."""

from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase


@shows(Promise.REPLICA)
class TestBuild(ReplicaTestCase):
    def test_with_no_configuration_the_group_that_trove_attaches_is_detached(self):
        group = self.fake.add_configuration("tuned")
        self.db1.configuration_id = group.id
        (row,) = self.rows("replica create db1 new --no-configuration --wait")
        self.assertIsNone(row["Configuration ID"])
        self.assertEqual(group.id, self.db1.configuration_id)
        result = self.succeed("replica create db1 more --no-configuration")
        self.assertIn("database configuration detach", result.stderr)

    def test_a_replica_that_does_not_replicate_is_a_failure(self):
        self.clock.after(
            40.0, lambda: self.fake.stop_replication(self.fake.instance("new"))
        )
        result = self.run_line("replica create db1 new --probe")
        self.assertEqual(1, result.exit_code)
        self.assertIn("not replicating", result.stdout)
        self.assertIn("instance restart", result.stderr)

    def test_replicas_left_in_build_by_a_failed_snapshot_are_reported_with_steps(
        self,
    ):
        self.fake.knobs.snapshot["*"] = "No space left."
        result = self.run_line("replica create db1 new --count 3 --wait")
        self.assertEqual(1, result.exit_code)
        self.assertGreater(300, self.clock.monotonic())
        for name in ("new-2", "new-3"):
            one = self.fake.instance(name)
            self.assertIn(
                f"{one} is BUILD",
                f"{result.stderr}".replace(f"Instance {name} ({one.id})", f"{one}"),
            )
            self.assertIn(f"instance reset status {one.id}", result.stderr)
            self.assertIn(f"instance delete {one.id} --wait", result.stderr)
        self.assertIn(f"instance reset status {self.db1.id}", result.stderr)
        self.assertIn("only an admin of the cloud can do this", result.stderr)
