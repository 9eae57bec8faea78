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


import sys

from trove_ext.tests.functional import replicas
from trove_ext.tests.promises import Promise, shows


@shows(Promise.PROMOTE)
class ReplicaPromoteTest(replicas.ReplicaTestCase):
    count = 3 if replicas.LONG else 2
    rounds = 10 if replicas.LONG else 2

    def promote(self, name, **kwargs):
        return self.openstack_here(
            *("database", "replica", "promote", name, "--wait"),
            **{"stderr": replicas.STDERR, **kwargs},
        )

    def test_no_acknowledged_row_is_missing_after_promotes_during_writes(self):
        addresses = [member["Addresses"][0] for member in self.members().values()]
        source, _others = self.source()
        self.sql(source, "DELETE FROM myDB.writes")
        written = set()
        for number in range(self.rounds):
            source, others = self.source()
            writer = replicas.Writer(addresses)
            writer.start()
            self.promote(others[number % len(others)])
            pause = writer.stop()
            sys.stderr.write(f"promote {number + 1}: no row for {pause:.1f} s\n")
            self.assertTrue(writer.acknowledged)
            self.check_set_by_sql(source)
            written |= set(writer.acknowledged)
        self.openstack_here(
            *("database", "replica", "show", source, "--probe"), stderr=replicas.STDERR
        )
        for address in addresses:
            rows = self.sql(address, "SELECT n FROM myDB.writes")
            self.assertEqual(set(), written - {row["n"] for row in rows}, address)

    def test_a_replica_that_can_not_catch_up(self):
        source, (target, *_others) = self.source()
        target_id = self.members(source)[target]["ID"]
        self.fault("promote-candidate", target_id, "--text", "It can't catch up")
        found, run = self.broken_promote(target)
        self.assertEqual(
            {"ERROR"}, {finding["state"] for finding in found.values()}, run
        )
        self.assertIn("It can't catch up", found[target]["fault"])
        self.assertIn("[only an admin of the cloud can do this]", run.stderr)
        self.assertEqual(target, self.source()[0])

    def test_another_replica_that_can_not_attach(self):
        source, (target, other, *_more) = self.source()
        other_id = self.members(source)[other]["ID"]
        self.fault("attach-replica", other_id, "--text", "It can't attach")
        found, run = self.broken_promote(target)
        self.assertEqual(
            ("no role", "ERROR"), (found[other]["role"], found[other]["state"]), run
        )
        self.assertNotIn("only an admin", run.stderr)
        self.assertEqual(target, self.source()[0])

    def test_a_probe_finds_stopped_replication_before_anything_is_changed(self):
        source, (target, *_others) = self.source()
        target_id = self.members(source)[target]["ID"]
        self.trove_sandbox("fault", "stop-replication", target_id)
        run = self.run_openstack_here(
            "database", "replica", "promote", target, "--wait", "--probe"
        )
        self.assertEqual(1, run.exit_code, run)
        self.assertIn("does not replicate", run.stderr)
        self.assertIn("nothing was changed", run.stderr)
        advice = f"database instance restart {target_id} --wait"
        self.assertIn(advice, run.stderr)
        self.openstack_here(*advice.split(), stderr=replicas.STDERR)
        self.openstack_here(
            *("database", "replica", "show", target, "--probe"), stderr=replicas.STDERR
        )
        self.check_set_by_sql(source)

    def test_a_source_without_its_database_is_refused_and_restarted(self):
        source, (target, *_others) = self.source()
        source_id = self.members(source)[source]["ID"]
        self.trove_sandbox("fault", "kill-database", source_id)
        self.until(source_id, "SHUTDOWN")
        run = self.run_openstack_here("database", "replica", "promote", target)
        self.assertEqual(1, run.exit_code, run)
        self.assertIn("its database does not run", run.stderr)
        failover = self.run_openstack_here(
            "database", "replica", "failover", source, "--yes", "--wait"
        )
        self.assertEqual(1, failover.exit_code, failover)
        self.assertIn("as long as that is so Trove can't eject it", failover.stderr)
        restart = f"database instance restart {source_id} --wait"
        self.assertIn(restart, failover.stderr)
        self.openstack_here(*restart.split(), stderr=replicas.STDERR)
        self.check_set_by_sql(source)
