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

"""The stock commands on PostgreSQL: the same request, and a warning before it."""

from trove_ext.tests.unit.workflows.replica.test_promote_risks import (
    PostgresReplicaTestCase,
)
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase


class TestWarnings(PostgresReplicaTestCase):
    def test_an_eject_is_sent_with_a_warning_that_it_fails(self):
        self.fake.host_off(self.db1)
        self.clock.sleep(100)
        result = self.run_line(f"instance eject {self.db1.id}")
        self.assertEqual(1, len(result.requests.changing), result.stderr)
        self.assertIn("an eject fails", result.stderr)
        self.assertIn(f"replica failover {self.db1.id} --wait", result.stderr)

    def test_a_promote_is_sent_with_a_warning_of_what_it_loses(self):
        result = self.run_line(f"instance promote {self.db2.id}")
        self.assertEqual(1, len(result.requests.changing), result.stderr)
        self.assertIn("is lost", result.stderr)


class TestOtherEngines(ReplicaTestCase):
    def test_there_is_no_warning(self):
        self.assertEqual("", self.run_line(f"instance promote {self.db2.id}").stderr)
