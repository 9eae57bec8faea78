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


"""``replica list`` and ``replica show`` as commands."""

from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase


class TestRows(ReplicaTestCase):
    def test_names_are_plain_for_machines(self):
        rows = self.rows("replica show db2 --long")
        self.assertEqual(["db1", "db2", "db3"], [row["Name"] for row in rows])
        self.assertEqual([self.db1.ip], rows[0]["Addresses"])
        self.assertEqual(5, rows[0]["Size"])

    def test_inconsistencies_are_reported_on_standard_error(self):
        self.db1.deleted = True
        result = self.succeed("replica list -f value -c Name")
        self.assertEqual(["db2", "db3"], sorted(result.stdout.split()))
        self.assertIn(f"WARNING: db2 ({self.db2.id})", result.stderr)
        self.assertIn("which is not there", result.stderr)
        self.refuse("replica promote db2", "can't be found")
