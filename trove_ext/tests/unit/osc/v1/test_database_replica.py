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

from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.plugin_output import parse
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


class TestNagios(ReplicaTestCase):
    """The output is read by a parser that was written from the plugin API."""

    def plugin(self, line, code, **kwargs):
        result = self.run_line(f"replica show {line} --nagios", **kwargs)
        self.assertEqual(code, result.exit_code, result.stdout + result.stderr)
        return parse(result.stdout)

    def test_a_set_that_replicates_is_ok_with_the_delay_of_each_replica(self):
        found = self.plugin("db2 --probe", 0)
        self.assertEqual(("REPLICATION", "OK"), (found.service, found.state))
        self.assertEqual("db1: 2 of 2 replicate", found.summary)
        self.assertEqual({"db2_delay", "db3_delay", "bad"}, set(found.items))
        delay = found.items["db2_delay"]
        self.assertEqual(("s", "30"), (delay["unit"], delay["critical"]))
        self.assertEqual(2, len(found.details))
        self.assertEqual({"shop"}, set(self.db1.content.databases))

    def test_a_replica_that_does_not_replicate_is_critical(self):
        self.db3.replicating = False
        found = self.plugin("db1 --probe", 2)
        self.assertIn("1 of 2 replicate; db3 (not replicating)", found.summary)
        self.assertEqual({"db2_delay", "bad"}, set(found.items))
        self.assertIn("db3 CRITICAL - db3 (", found.details[1])

    def test_a_replica_that_can_not_be_read_is_unknown(self):
        down = Fault(Kind.BUSY, only=lambda r: self.db3.id in r.path, lasting=True)
        found = self.plugin("db1 --probe", 3, faults=[down])
        self.assertIn("db3 (can't be probed)", found.summary)

    def test_an_instance_that_is_in_no_set_any_more_is_critical(self):
        for name in ("alone", "nobody"):
            self.assertEqual("CRITICAL", self.plugin(f"{name} --probe", 2).state)

    def test_a_set_without_its_source_is_critical(self):
        self.db1.deleted = True
        self.assertIn("source is gone", self.plugin("db2 --probe", 2).summary)

    def test_what_hinders_the_check_is_unknown(self):
        for service in ("keystone", "trove"):
            down = Fault(
                Kind.REFUSED, only=lambda r, s=service: r.service == s, lasting=True
            )
            self.plugin("db1 --probe", 3, faults=[down])
        wrong = {"OS_PASSWORD": "wrong"}
        self.assertIn("Log-in", self.plugin("db1 --probe", 3, env=wrong).summary)

    def test_without_a_probe_nothing_is_proved(self):
        self.assertIn("needs --probe", self.plugin("db1", 3).summary)
