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

"""``replica failover`` as a command."""

from trove_ext.tests.unit.workflows.replica.test_promote_risks import (
    PostgresReplicaTestCase,
)
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase


class FailoverTest(ReplicaTestCase):
    def test_without_a_terminal_it_needs_yes(self):
        result = self.run_line("replica failover db1 --wait")
        self.assertEqual(2, result.exit_code)
        self.assertEqual([], result.requests.changing)


class PostgresFailoverTest(PostgresReplicaTestCase):
    def test_the_question_names_the_replica(self):
        self.fake.host_off(self.db1)
        self.clock.sleep(100)
        line = "replica failover db1 --to db2 --wait"
        result = self.run_line(line, tty=True, stdin="n\n")
        self.assertIn(f"Detach db2 ({self.db2.id}), which becomes", result.stderr)
        self.assertEqual([], result.requests.changing)
