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


from trove_ext.tests.functional import base, replicas
from trove_ext.tests.promises import Promise, shows


@shows(Promise.REPLICA, Promise.CHECKS)
class ReplicaCreateTest(replicas.ReplicaTestCase):
    count = 3

    def test_each_of_three_replicas_has_the_rows_of_the_source(self):
        members = self.members()
        self.assertEqual({"db1", "r-1", "r-2", "r-3"}, set(members))
        self.sql("db1", "INSERT INTO myDB.writes VALUES (1)")
        self.openstack_here(
            "database", "replica", "show", "r-2", "--probe", stderr=base.PROGRESS
        )
        for name in ("r-1", "r-2", "r-3"):
            address = members[name]["Addresses"][0]
            rows = self.sql(address, "SELECT n FROM myDB.writes")
            self.assertEqual([{"n": 1}], rows, name)
        self.check_set_by_sql("r-1")

    def test_every_member_shows_the_same_set(self):
        shown = [self.shown("replica", "show", name) for name in ("db1", "r-1", "r-3")]
        self.assertEqual([shown[0]] * 3, shown)
        ids = [row["ID"] for row in shown[0]]
        self.assertEqual(shown[0], self.shown("replica", "show", ids[2]))

    def test_all_problems_are_reported_before_anything_is_sent(self):
        self.openstack_here(
            *("database", "replica", "create", "r-1", "x", "--count", "4"),
            *("--configuration", "none-such"),
            expect=1,
            stderr=r"(?s)itself a replica.*4 replicas.*none-such",
        )
        self.assertEqual(4, len(self.shown("replica", "list")))

    def test_the_refusal_of_a_replica_of_a_replica_is_not_a_failed_log_in(self):
        run = self.run_openstack_here(
            *("database", "instance", "create", "x", "--replica-of", "r-1"),
            *("--nic", f"net-id={replicas.NETWORK}", "--wait"),
        )
        self.assertEqual(1, run.exit_code, run)
        self.assertIn("Cannot create a replica of a replica", run.stderr)
        self.assertNotIn("token", run.stderr)
        self.assertNotIn("log-in", run.stderr)

    def test_a_cloud_that_forbids_promote_is_not_a_failed_log_in(self):
        rule = "instance:promote_to_replica_source"
        # Only in the project of this class, whose other tests promote nothing.
        self.trove_sandbox("policy", "forbid", rule, "--cloud", self.cloud)
        self.openstack_here(
            *("database", "replica", "promote", "r-1", "--wait"),
            expect=1,
            stderr=r"policy does not allow you to do this \(HTTP 403, not a failed log-in",
        )
        self.check_set_by_sql("db1")
