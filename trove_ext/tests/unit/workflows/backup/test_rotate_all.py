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


"""A rotation of a whole project backs up each replica set once, at the right member."""

from datetime import timedelta

from trove_ext.exceptions import NotFoundError
from trove_ext.model.retention_policy import Policy
from trove_ext.model.rotation_naming import NamePattern
from trove_ext.model.selection import Selection
from trove_ext.tests.fake.state import BackupState, Task
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.tests.unit.workflows.rotations import Killed, KilledRotation
from trove_ext.workflows.backup import rotate_job
from trove_ext.workflows.backup.rotate_all import rotate_all
from trove_ext.workflows.backup.rotate_start import How

DAY = 86400.0


class RotateAllTestCase(BackupTestCase):
    """The replica set shop with the replicas rep-1 and rep-2, and the instance db1."""

    def fresh(self):
        super().fresh()
        self.shop = self.fake.add_instance("shop", databases=("goods",))
        self.replicas = [
            self.fake.add_instance(f"rep-{number}", replica_of=self.shop)
            for number in (1, 2)
        ]

    def run_all(self, exclude=(), datastore=None, prefer_replica=False, **kwargs):
        cloud = self.make_cloud()
        request = rotate_job.RotateRequest((), NamePattern(), **kwargs)
        return rotate_all(
            cloud,
            request,
            Selection(exclude, datastore),
            cloud.start(3600.0),
            prefer_replica=prefer_replica,
        )

    def row(self, **kwargs):
        """Rotate all; return the row of the set."""
        rows = self.run_all(**kwargs).rows
        (row,) = [row for row in rows if row.found.group.head.id == self.shop.id]
        return row

    def own(self, instance, hours, name="{}-full-20250101T0000{:02}Z", **kwargs):
        """Add a backup of this rotation."""
        number = len(self.fake.backups)
        return self.add(
            name.format(instance.name, number), hours, instance=instance, **kwargs
        )


class TestMembers(RotateAllTestCase):
    def test_a_set_is_backed_up_once_at_its_source(self):
        rows = self.run_all().rows
        self.assertEqual(["db1", "shop"], [row.found.name for row in rows])
        self.assertEqual([How.MADE] * 2, [row.how for row in rows])
        self.assertEqual("source of 2 replicas", rows[1].found.why)
        self.assertEqual("", rows[0].found.why)

    def test_a_replica_is_backed_up_if_a_probe_proves_it(self):
        row = self.row(prefer_replica=True)
        self.assertEqual("rep-1", row.found.name)
        self.assertRegex(row.found.why, r"^replica of shop, proved in \d\.\d s$")
        self.assertEqual(["goods"], list(self.shop.content.databases))

    def test_the_chain_of_a_replica_goes_on_while_it_is_proved(self):
        self.own(self.replicas[0], 100)
        self.own(self.replicas[1], 30)
        row = self.row(prefer_replica=True)
        self.assertEqual("rep-2", row.found.name)
        self.assertIn("on rep-2-full", row.note)

    def test_a_replica_that_does_not_replicate_is_not_backed_up(self):
        self.own(self.replicas[1], 30)
        self.replicas[1].replicating = False
        self.assertEqual("rep-1", self.row(prefer_replica=True).found.name)

    def test_without_a_proved_replica_it_is_the_source_and_the_row_says_why(self):
        for replica in self.replicas:
            replica.replicating = False
        row = self.row(prefer_replica=True)
        self.assertEqual("shop", row.found.name)
        self.assertIn("no replica is proved: rep-1", row.found.why)
        self.assertIn("does not replicate", row.found.why)

    def test_a_probe_that_is_refused_means_the_source(self):
        self.fake.forbidden = {"instance:extension:database:create"}
        row = self.row(prefer_replica=True)
        self.assertEqual("shop", row.found.name)
        self.assertIn("the probe failed: ", row.found.why)

    def test_on_postgresql_it_is_the_source_and_nothing_is_probed(self):
        for member in (self.shop, *self.replicas):
            member.version_id = self.postgresql().id
        row = self.row(prefer_replica=True, datastore="postgresql")
        self.assertEqual("shop", row.found.name)
        self.assertIn("no backup of a PostgreSQL replica can be used", row.found.why)
        self.assertEqual(1, len(self.requests("POST")))

    def test_after_a_promote_it_is_the_new_source(self):
        self.run_all()
        self.clock.sleep(DAY)
        new = self.replicas[0]
        for member in (self.shop, self.replicas[1]):
            member.replica_of = new.id
        new.replica_of = None
        rows = self.run_all().rows
        self.assertEqual(["db1", "rep-1"], [row.found.name for row in rows])

    def postgresql(self):
        return next(
            version
            for version in self.fake.versions.values()
            if version.datastore == "postgresql"
        )


class TestRepeats(RotateAllTestCase):
    def test_a_second_run_finds_the_backups_of_the_first_one(self):
        self.run_all(prefer_replica=True)
        before = self.names()
        again = self.run_all(prefer_replica=True).rows
        self.assertEqual([How.PRESENT] * 2, [row.how for row in again])
        self.assertEqual("rep-1", again[1].found.name)
        self.assertEqual(before, self.names())

    def test_what_a_killed_run_began_is_adopted_whatever_a_probe_would_prove(self):
        self.own(self.replicas[1], 0, state=BackupState.BUILDING)
        self.replicas[1].replicating = False
        row = self.row(prefer_replica=True)
        self.assertEqual(("rep-2", How.ADOPTED), (row.found.name, row.how))

    def test_a_young_backup_of_the_old_source_counts_after_a_promote(self):
        self.own(self.replicas[0], 0.5)
        row = self.row()
        self.assertEqual(("rep-1", How.PRESENT), (row.found.name, row.how))


class TestSelected(RotateAllTestCase):
    def test_the_project_is_read_once(self):
        for number in range(2, 12):
            self.fake.add_instance(f"db{number}")
        self.run_all()
        detail = [r for r in self.requests("GET") if r.path.endswith("/detail")]
        self.assertEqual(1, len(detail))

    def test_what_can_have_no_backup_is_left_out_and_named(self):
        self.fake.set_task(Task.BUILDING, self.fake.add_instance("new"))
        result = self.run_all()
        self.assertEqual(["new"], [left.instance.name for left in result.left_out])
        self.assertTrue(any("it is being built" in n for n in self.progress.notes))

    def test_an_excluded_set_is_not_backed_up(self):
        rows = self.run_all(exclude=("sho*",)).rows
        self.assertEqual(["db1"], [row.found.name for row in rows])

    def test_an_empty_project_is_an_error(self):
        error = self.assertRaises(NotFoundError, self.run_all, ("*",))
        self.assertIn("There is no instance to back up", str(error))
        self.assertEqual([], self.requests("POST"))

    def test_one_that_fails_does_not_stop_the_others(self):
        self.fake.fail_backup("db1")
        rows = self.run_all().rows
        self.assertEqual([False, True], [row.error is None for row in rows])


class TestRetention(RotateAllTestCase):
    POLICY = Policy(keep_last=2)

    def test_a_set_has_one_policy_over_the_backups_of_all_members(self):
        old = self.own(self.shop, 100)
        older = self.own(self.replicas[0], 200)
        newer = self.own(self.replicas[1], 50)
        row = self.row(policy=self.POLICY, full_every=timedelta(hours=1))
        self.assertEqual(2, row.deleted)
        self.assertEqual({old.name, older.name}, self.was - self.names())
        self.assertIn(newer.name, self.names())

    def row(self, **kwargs):
        self.was = self.names()
        return super().row(**kwargs)

    def test_other_backups_are_not_deleted(self):
        self.own(self.shop, 200)
        for name in ("by-hand", "shop-full-yesterday"):
            self.add(name, 300, instance=self.shop)
        self.add("rep-1-of-another-name", 300, instance=self.replicas[1])
        self.own(self.shop, 100)
        row = self.row(policy=self.POLICY, full_every=timedelta(hours=1))
        self.assertEqual(1, row.deleted)
        self.assertEqual({"shop-full-20250101T000000Z"}, self.was - self.names())
        reasons = {r.backup.name: r.reasons for r in row.pruned if r.keep}
        self.assertEqual(("not of this rotation",), reasons["by-hand"])

    def test_what_is_left_of_a_deleted_instance_is_listed_and_kept(self):
        gone = self.fake.add_instance("gone")
        kept = [self.own(gone, hours) for hours in (300, 200, 100)]
        gone.deleted = True
        result = self.run_all(policy=self.POLICY)
        self.assertLessEqual({backup.name for backup in kept}, self.names())
        (found,) = result.gone
        self.assertEqual([b.id for b in reversed(kept)], [b.id for b in found.backups])
        self.assertTrue(any("is gone; its 3 backups" in n for n in self.progress.notes))

    def test_the_members_that_are_excluded_lose_nothing(self):
        for hours in (400, 300, 200, 100):
            self.own(self.replicas[0], hours)
        self.row(policy=self.POLICY, exclude=("rep-1",))
        self.assertLessEqual(self.was, self.names())

    def test_a_failed_backup_never_leads_to_a_prune_of_its_set(self):
        for hours in (400, 300, 200):
            self.own(self.replicas[0], hours)
        self.fake.fail_backup("shop")
        row = self.row(policy=self.POLICY)
        self.assertIsNotNone(row.error)
        self.assertLessEqual(self.was, self.names())

    def test_the_deletes_of_all_are_waited_for_together(self):
        databases = [self.fake.add_instance(f"db{n}") for n in range(2, 12)]
        for database in databases:
            for hours in (300, 200, 100):
                self.own(database, hours)
        self.fake.timings.backup_delete = 5.0
        start = self.clock.monotonic()
        rows = self.run_all(policy=self.POLICY, full_every=timedelta(hours=1)).rows
        self.assertEqual(20, sum(row.deleted for row in rows))
        self.assertLess(self.clock.monotonic() - start, 60.0)


class TestKilled(KilledRotation, RotateAllTestCase):
    """Killed after each of its requests in turn, and run again."""

    POLICY = Policy(keep_chains=1)

    def prepare(self):
        """Old chains of several members of the set, and of the instance."""
        self.fresh()
        self.own(self.shop, 400)
        self.own(self.replicas[0], 300)
        self.own(self.replicas[1], 200)
        self.own(self.db1, 250)
        self.own(self.db1, 20)
        self.add("by-hand", 350, instance=self.shop)
        for number in range(2, 5):
            self.own(self.fake.add_instance(f"db{number}"), 300)

    def run_once(self, **kwargs):
        rows = self.run_all(
            policy=self.POLICY, full_every=timedelta(days=7), **kwargs
        ).rows
        self.assertEqual({None}, {row.error for row in rows})

    def check_every_request(self, **kwargs):
        self.prepare()
        before = len(self.requests("GET")) + len(self.fake.log.changing)
        self.run_once(**kwargs)
        expected = self.state()
        total = len(self.requests("GET")) + len(self.fake.log.changing) - before
        self.assertGreater(total, 20)
        for number in range(1, total + 1):
            with self.subTest(f"after request {number} of {total}"):
                self.prepare()
                self.kill_after(number)
                try:
                    self.run_once(**kwargs)
                except Killed:
                    self.fake.after_request.clear()
                    self.clock.advance(5)
                    self.run_once(**kwargs)
                self.assertEqual(expected, self.state())

    def test_killed_anywhere_and_run_again_it_ends_as_a_single_run(self):
        self.check_every_request()

    def test_the_same_if_replicas_are_preferred(self):
        self.check_every_request(prefer_replica=True)
