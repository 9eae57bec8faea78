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
"""A failover to its end: with a replica of the user's choice, and as a dry run."""

import json

from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.workflows.replica.test_promote_risks import (
    PostgresReplicaTestCase,
)
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase


@shows(Promise.FAILOVER)
class TestTo(ReplicaTestCase):
    def test_trove_chooses_if_no_replica_is_named(self):
        self.die()
        result = self.succeed("replica failover db1 --yes --wait")
        self.assertEqual(["eject_replica_source"], self.actions(result))
        self.assertIn("Trove chose it", result.stderr)

    def test_the_named_replica_is_promoted_if_trove_chose_another(self):
        self.die()
        result = self.succeed("replica failover db1 --to db3 --yes -f json")
        self.assertEqual(
            ["eject_replica_source", "promote_to_replica_source"], self.actions(result)
        )
        self.assertEqual(self.db3.id, self.db2.replica_of)
        roles = {row["Name"]: row["Role After"] for row in json.loads(result.stdout)}
        self.assertEqual("replica source", roles["db3"])
        self.assertIn(f"db3 ({self.db3.id}) is the source now.", result.stderr)
        self.assertNotIn("Trove chose it", result.stderr)

    def test_nothing_is_promoted_if_trove_chose_the_named_one(self):
        self.die()
        result = self.succeed("replica failover db1 --to db2 --yes --wait")
        self.assertEqual(["eject_replica_source"], self.actions(result))

    def test_a_promote_that_is_refused_then_says_what_is_done(self):
        self.die()
        self.fake.forbidden.add("instance:promote_to_replica_source")
        result = self.run_line("replica failover db1 --to db3 --yes --wait")
        self.assertEqual(1, result.exit_code)
        self.assertIn(f"db2 ({self.db2.id}) has become the source", result.stderr)
        self.assertIn(f"db3 ({self.db3.id}) was not promoted", result.stderr)
        self.assertIn("is NOT fenced", result.stderr)

    def test_a_time_out_of_the_eject_names_both_commands(self):
        self.die()
        self.fake.timings.role_step = 900.0
        line = "replica failover db1 --to db3 --yes --wait --timeout 60"
        result = self.run_line(line)
        self.assertEqual(124, result.exit_code)
        self.assertIn(f"replica promote {self.db3.id} --wait", result.stderr)

    def test_while_trove_refuses_the_command_that_goes_on_names_the_replica(self):
        self.fake.host_off(self.db1)
        self.fake.timings.heartbeat_expiry = 900.0
        line = "replica failover db1 --to db3 --yes --wait --timeout 60"
        result = self.run_line(line)
        self.assertEqual(124, result.exit_code)
        again = f"replica failover {self.db1.id} --to {self.db3.id} --wait"
        self.assertIn(again, result.stderr)
        self.assertIn("Nothing was changed", result.stderr)

    def test_one_that_is_no_replica_of_it_is_refused(self):
        self.die()
        line = "replica failover db1 --to alone --yes"
        self.refuse(line, "alone is not a replica of db1")

    def test_a_dry_run_shows_the_plan_and_changes_nothing(self):
        self.die()
        for line, role in (
            ("replica failover db1 --dry-run", "replica source, or a replica of it"),
            ("replica failover db1 --to db3 --dry-run", "replica of db3"),
        ):
            result = self.succeed(f"{line} -f json")
            rows = {row["Name"]: row for row in json.loads(result.stdout)}
            self.assertEqual(role, rows["db2"]["Role After"])
            self.assertEqual("no role", rows["db1"]["Role After"])
            self.assertEqual([], result.requests.changing)
        alive = "replica failover db2 --dry-run"
        self.refuse(alive, "name the source")

    def die(self):
        self.fake.host_off(self.db1)
        self.clock.sleep(100)


class TestPostgresql(PostgresReplicaTestCase):
    def test_a_dry_run_shows_that_the_others_keep_the_old_source(self):
        self.fake.host_off(self.db1)
        self.clock.sleep(100)
        rows = self.rows("replica failover db1 --to db2 --dry-run")
        self.assertEqual(
            ["replica source", "no role", "replica of db1"],
            [row["Role After"] for row in rows],
        )
