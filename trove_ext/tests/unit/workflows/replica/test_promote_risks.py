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

"""A promote of PostgreSQL loses writes: nobody is led into it unawares."""

from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase


class PostgresReplicaTestCase(ReplicaTestCase):
    def make_set(self):
        super().make_set()
        version = self.fake.datastores["postgresql"].default_version_id
        for member in self.members:
            member.version_id = version


@shows(Promise.ENGINE)
class TestPromote(PostgresReplicaTestCase):
    LINE = "replica promote db2 --wait"

    def test_without_a_terminal_it_needs_accept_loss(self):
        result = self.run_line(f"{self.LINE} --probe")
        self.assertEqual(2, result.exit_code, result.stderr)
        self.assertEqual([], result.requests.changing)
        for part in ("is LOST", "--accept-loss", "db3"):
            self.assertIn(part, result.stderr)

    def test_accept_loss_promotes_and_names_who_is_to_be_replaced(self):
        result = self.succeed(f"{self.LINE} --accept-loss")
        self.assertEqual(self.db2.id, self.db1.replica_of)
        for member in (self.db1, self.db3):
            self.assertIn(f"replica replace {member.id} --source", result.stderr)
        self.assertIn("has to be a full one", result.stderr)

    def test_it_asks_at_a_terminal_and_takes_no_for_an_answer(self):
        result = self.run_line(self.LINE, stdin="n\n", tty=True)
        self.assertEqual([], result.requests.changing)
        self.assertIn("is LOST", result.stderr)
        self.succeed(self.LINE, stdin="y\n", tty=True)
        self.assertEqual(self.db2.id, self.db1.replica_of)

    def test_a_dry_run_names_the_risks_and_asks_nothing(self):
        result = self.succeed("replica promote db2 --dry-run")
        self.assertIn("is LOST", result.stderr)
        self.assertEqual([], result.requests.changing)

    def test_the_engine_that_the_user_names_counts(self):
        self.succeed(f"{self.LINE} --engine mysql")

    def test_a_probe_comes_after_the_question(self):
        result = self.run_line(f"{self.LINE} --probe", stdin="n\n", tty=True)
        self.assertEqual([], result.requests.changing)


class TestOtherEngines(ReplicaTestCase):
    def test_a_promote_of_mysql_asks_nothing_and_warns_of_nothing(self):
        result = self.succeed("replica promote db2 --wait")
        self.assertNotIn("LOST", result.stderr)
        self.assertNotIn("WARNING", result.stderr)


@shows(Promise.ENGINE)
class TestFailover(PostgresReplicaTestCase):
    def test_it_asks_which_replica_becomes_the_source(self):
        self.fake.host_off(self.db1)
        self.clock.sleep(100)
        self.refuse(
            "replica failover db1 --yes --wait",
            "does not report which has the most data",
            f"--to {self.db2.id} --wait",
            f"--to {self.db3.id} --wait",
        )

    def test_a_source_that_works_is_not_to_be_detached_from(self):
        result = self.refuse("replica failover db1 --yes --wait", "is heard")
        self.assertNotIn("replica detach", result.stderr)
