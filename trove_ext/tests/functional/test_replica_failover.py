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


from trove_ext.tests.functional import replicas
from trove_ext.tests.promises import Promise, shows


@shows(Promise.FAILOVER, Promise.DETACH)
class ReplicaFailoverTest(replicas.ReplicaTestCase):
    def test_a_dead_source_is_replaced_by_the_named_replica_and_is_not_fenced(self):
        healthy = self.run_openstack_here(
            "database", "replica", "failover", "db1", "--yes", "--wait"
        )
        self.assertEqual(1, healthy.exit_code, healthy)
        self.assertIn("nothing was changed", healthy.stderr)
        self.assertIn("database replica promote", healthy.stderr)
        before = self.members()
        old = before["db1"]
        self.trove_sandbox("fault", "host-off", old["ID"])
        wanted = max(name for name in before if name != "db1")
        command = ("replica", "failover", "db1", "--to", wanted)
        planned = self.shown(*command, "--dry-run", stderr=".")
        self.assertEqual(
            {"db1": "no role", wanted: "replica source"},
            {
                row["Name"]: row["Role After"]
                for row in planned
                if row["Name"] in {"db1", wanted}
            },
        )
        self.assertEqual(before.keys(), self.members().keys())
        run = self.run_openstack_here("database", *command, "--yes")
        self.assertEqual(0, run.exit_code, run)
        self.assertIn(f"db1 ({old['ID']}) is NOT fenced", run.stderr)
        source, others = self.source()
        self.assertEqual(wanted, source)
        self.assertIn(f"{source} (", run.stderr)
        self.assertNotIn("db1", [source, *others])
        self.check_set_by_sql(source)
        show = ("database", "replica", "show", source, "--probe")
        self.openstack_here(*show, stderr=replicas.STDERR)
        status, *_ = self.openstack_here(*show, "--nagios").splitlines()
        self.assertRegex(status, r"^REPLICATION OK - .*\|.*=[\d.]+s")

    def test_detach_is_verified(self):
        source, others = self.source()
        replica = self.members(source)[others[0]]
        shown = self.shown(
            "replica", "detach", others[0], "--wait", stderr=replicas.STDERR
        )
        self.assertEqual("no role", shown[0]["Role"])
        address = replica["Addresses"][0]
        self.assertFalse(self.read_only(address))
        self.assertIsNone(self.replicates_from(address))
