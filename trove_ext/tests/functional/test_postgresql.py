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

"""The commands on PostgreSQL: where Trove loses data, they refuse, choose or warn.

What Trove does without them is shown by ``test_postgresql_facts.py``.
"""

import unittest

from trove_ext.tests.functional import postgresql, replicas
from trove_ext.tests.promises import Ground, Promise, shows

BACKUP = ("database", "backup")
long_only = unittest.skipUnless(replicas.LONG, "takes long")


@shows(Promise.ENGINE, Promise.PARENT, Promise.CHAINS, on=Ground.POSTGRESQL)
class BackupTest(postgresql.PostgresTestCase):
    """What is taken by the commands restores with every row."""

    def rotate(self, source, *argv):
        """A rotation of one instance; return its row."""
        argv = (*BACKUP, "rotate", source, "--min-age", "0", *argv)
        (row,) = self.openstack_json(*argv, stderr=".*")
        self.assertEqual("COMPLETED", row["Status"], row)
        return row

    def verify(self, backup, count, *argv, expect=0):
        """A verification with a count of rows; return the results of its steps."""
        query = ("--query", "SELECT count(*) FROM t", "--expect", str(count))
        argv = (*BACKUP, "verify", backup, *query, *argv)
        rows = self.openstack_json(*argv, expect=expect, stderr=".*")
        return {row["Step"]: row["Result"] for row in rows}

    def temporary(self):
        names = [instance.name for instance in self.client.instances.list()]
        return [name for name in names if name.startswith("trove-ext-verify")]

    def restored(self, backup):
        """The rows of an instance that was made from a backup."""
        made = self.restore(backup)
        self.recovered(made)
        return self.rows(made)

    def test_no_backup_is_taken_that_restores_without_its_rows(self):
        source = self.make_source()
        self.add(source, 1)
        self.assertEqual("full", self.rotate(source)["Type"])
        self.add(source, 2)
        incremental = self.rotate(source, "--incremental")
        self.assertEqual("incremental", incremental["Type"])
        self.add(source, 3)
        # What Trove would take as the parent after this loses 2 and 3.
        self.delete_backup(self.backup(source, "by-hand"))
        self.add(source, 4)
        row = self.rotate(source)
        self.assertEqual("full", row["Type"])
        steps = self.verify(row["ID"], 4)
        self.assertEqual("data checked", steps["total"])
        self.assertEqual([], self.temporary())

    def test_a_parent_that_is_not_the_newest_is_refused(self):
        source = self.make_source()
        full = self.backup(source, "full")
        newer = self.backup(source, "newer")
        create = (*BACKUP, "create", source)
        self.openstack(
            *(*create, "lossy", "--parent", full, "--wait"),
            expect=1,
            stderr="newer .* was taken since",
        )
        self.openstack(*create, "good", "--incremental", "--wait", stderr=".*")
        listed = self.client.backups.list(instance_id=source)
        names = {backup.name: backup for backup in listed}
        self.assertEqual({"full", "newer", "good"}, set(names))
        self.assertEqual(newer, names["good"].parent_id)

    @long_only
    def test_a_chain_with_a_gap_is_doubtful_and_one_without_restores(self):
        source = self.make_source()
        self.add(source, 1)
        full = self.backup(source, "full")
        self.add(source, 2)
        first = self.backup(source, "first", full)
        self.add(source, 3)
        self.backup(source, "second", full)
        rows = self.openstack_json(*BACKUP, "chain", "show", full)
        doubtful = [row["Name"] for row in rows if "doubtful" in str(row)]
        self.assertEqual(["second"], doubtful)
        self.assertEqual([1, 2], self.restored(first))

    @long_only
    def test_a_verification_finds_what_no_status_shows(self):
        source = self.make_source()
        self.add(source, 1)
        full = self.backup(source, "full")
        self.add(source, 2)
        self.delete_backup(self.backup(source, "deleted", full))
        lossy = self.backup(source, "lossy", full)
        self.assertEqual("FAILED", self.verify(lossy, 2, expect=1)["data"])
        (replica,) = self.make_replicas(source, "replica")
        useless = self.backup(replica, "useless")
        steps = self.verify(useless, 2, "--timeout", "40", expect=124)
        self.assertEqual(("restored", "FAILED"), (steps["restore"], steps["recovery"]))
        self.assertNotIn("data", steps)
        self.assertEqual([], self.temporary())

    def test_a_replica_is_refused(self):
        source = self.make_source()
        (replica,) = self.make_replicas(source, "replica")
        for argv in (("rotate", replica), ("create", replica, "b1")):
            self.openstack(*BACKUP, *argv, expect=1, stderr="takes no writes")
        self.assertEqual([], self.client.backups.list(instance_id=replica))


@shows(Promise.ENGINE, Promise.PROMOTE, on=Ground.POSTGRESQL)
class PromoteTest(postgresql.PostgresTestCase):
    """A promote that loses writes is not sent before somebody has accepted that."""

    def test_it_needs_accept_loss_and_then_names_who_is_to_be_replaced(self):
        source = self.make_source()
        self.add(source, 1)
        (replica,) = self.make_replicas(source, "replica")
        promote = ("database", "replica", "promote", replica, "--wait")
        self.openstack(*promote, expect=2, stderr="is LOST")
        self.assertTrue(self.value(replica, "SELECT pg_is_in_recovery()"))
        run = self.run_openstack(*promote, "--probe", "--accept-loss")
        self.assertEqual(0, run.exit_code, run)
        self.assertIn(f"replica replace {source} --source {replica}", run.stderr)
        self.add(replica, 2)
        self.assertEqual([1, 2], self.rows(replica))
        backup = ("database", "backup", "rotate", source)
        self.openstack(*backup, expect=1, stderr="takes no writes")
