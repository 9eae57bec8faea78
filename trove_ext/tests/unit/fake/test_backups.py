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

from datetime import timedelta

from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.unit.fake.base import FakeTestCase


class TestBackupCreate(FakeTestCase):
    """The table "Backup create", and "What a poller sees"."""

    def setUp(self):
        super().setUp()
        self.db = self.cloud.add_instance("db1", databases=("shop",))

    def create(self, name="b", **kwargs):
        return self.client.backups.create(name, self.db.id, **kwargs)

    def settle(self):
        self.clock.sleep(60)

    def test_runs_through_new_and_building_to_completed(self):
        backup = self.create()
        self.assertEqual("NEW", backup.status)
        self.assertIsNone(backup.size)
        states = self.watch(lambda: self.client.backups.get(backup.id).status, 40)
        self.assertEqual(["NEW", "BUILDING", "COMPLETED"], states)
        self.assertEqual(0.31, self.client.backups.get(backup.id).size)

    def test_keeps_its_instance_in_backup(self):
        self.create()
        states = self.watch(lambda: self.states_of(self.db)[0], 40)
        self.assertEqual([("BACKUP", "HEALTHY"), ("ACTIVE", "HEALTHY")], states)

    def test_second_one_at_a_time_is_422_and_becomes_the_fault(self):
        self.create()
        text = self.refused(422, self.create)
        self.assertIn("instance status was BACKUP", text)
        fault = self.client.instances.get(self.db.id).fault["message"]
        self.assertEqual(text.replace("\n", " "), fault.replace("\n", " "))

    def test_quota_is_413_without_retry_after_and_counts_failed_ones(self):
        self.cloud.quotas["backups"] = 1
        self.cloud.add_backup("old", self.db, state=BackupState.FAILED)
        text = self.refused(413, self.create)
        self.assertEqual("Quota exceeded for resources: ['backups'].", text)

    def test_incremental_takes_the_newest_completed_one_as_parent(self):
        self.cloud.add_backup("first", self.db)
        self.clock.sleep(60)
        newer = self.cloud.add_backup("second", self.db)
        self.assertEqual(newer.id, self.create(incremental=True).parent_id)

    def test_incremental_without_a_parent_is_silently_full(self):
        backup = self.create(incremental=True)
        self.assertIsNone(backup.parent_id)

    def test_incremental_does_not_look_past_twenty_rows(self):
        self.cloud.add_backup("good", self.db)
        self.clock.sleep(60)
        for number in range(20):
            self.cloud.add_backup(f"bad{number}", self.db, state=BackupState.FAILED)
        self.assertIsNone(self.create(incremental=True).parent_id)

    def test_explicit_parent_takes_precedence_over_incremental(self):
        old = self.cloud.add_backup("old", self.db)
        self.clock.sleep(60)
        self.cloud.add_backup("new", self.db)
        backup = self.create(parent_id=old.id, incremental=True)
        self.assertEqual(old.id, backup.parent_id)

    def test_unknown_parent_is_404(self):
        missing = "00000000-0000-4000-8000-000000000000"
        text = self.refused(404, self.create, parent_id=missing)
        self.assertEqual(f"Resource {missing} cannot be found.", text)

    def test_failed_parent_is_accepted_and_then_fails(self):
        parent = self.cloud.add_backup("p", self.db, state=BackupState.FAILED)
        backup = self.create(parent_id=parent.id)
        self.settle()
        self.assertEqual("FAILED", self.client.backups.get(backup.id).status)

    def test_failure_shows_in_the_fault_of_the_instance_alone(self):
        self.cloud.fail_backup("db1", "No space left on device")
        backup = self.create()
        self.settle()
        row = self.client.backups.get(backup.id)
        self.assertEqual(("FAILED", None), (row.status, row.locationRef))
        self.assertEqual([("ACTIVE", "HEALTHY")], self.states_of(self.db))
        fault = self.client.instances.get(self.db.id).fault["message"]
        self.assertEqual(
            f"Failed to create backup {backup.id}, error:\n    No space left on device",
            fault,
        )

    def test_name_needs_a_latin_letter_or_digit_and_no_newline(self):
        for name in ("", "резерв", "two\nlines", "x" * 256):
            with self.subTest(name=name):
                text = self.refused(400, self.create, name)
                self.assertIn("Validation error: backup['name'] ", text)
        self.assertEqual("x" * 255, self.create("x" * 255).name)

    def test_name_instead_of_an_id_is_400(self):
        text = self.refused(400, self.client.backups.create, "b", "db1")
        self.assertIn("'db1' does not match", text)

    def test_restored_from_another_region_is_there_at_once(self):
        backup = self.client.backups.create(
            "far",
            None,
            restore_from="http://swift.far/v1/AUTH_x/c/o",
            restore_ds_version=self.db.version_id,
            restore_size=1.5,
        )
        self.assertEqual(("RESTORED", 1.5), (backup.status, backup.size))


class TestBackupDelete(FakeTestCase):
    """The section "Backup delete"."""

    def setUp(self):
        super().setUp()
        self.db = self.cloud.add_instance("db1")
        self.full = self.cloud.add_backup("full", self.db)
        self.inc = self.cloud.add_backup("inc", self.db, parent=self.full)
        self.leaf = self.cloud.add_backup("leaf", self.db, parent=self.inc)
        self.other = self.cloud.add_backup("other", self.db)

    def names(self):
        return {b.name for b in self.client.backups.list()}

    def test_deletes_all_descendants(self):
        self.client.backups.delete(self.full.id)
        self.assertIn("full", self.names())
        self.clock.sleep(10)
        self.assertEqual({"other"}, self.names())
        self.refused(404, self.client.backups.get, self.inc.id)

    def test_running_descendant_stops_it_half_way(self):
        running = self.cloud.add_backup(
            "run", self.db, parent=self.full, state=BackupState.BUILDING
        )
        text = self.refused(500, self.client.backups.delete, self.full.id)
        self.assertNotIn(running.id, text)
        self.clock.sleep(10)
        self.assertEqual({"full", "run", "other"}, self.names())

    def test_running_one_is_500_in_release_26_at_any_age(self):
        running = self.cloud.add_backup("run", self.db, state=BackupState.NEW)
        self.clock.sleep(timedelta(days=4).total_seconds())
        self.refused(500, self.client.backups.delete, running.id)

    def test_older_trove_names_the_child_that_runs(self):
        self.cloud.older_backup_delete = True
        running = self.cloud.add_backup(
            "run", self.db, parent=self.full, state=BackupState.BUILDING
        )
        text = self.refused(422, self.client.backups.delete, self.full.id)
        self.assertEqual(
            f"Backup {running.id} cannot be deleted because it is running.", text
        )

    def test_older_trove_deletes_a_running_one_after_three_days(self):
        self.cloud.older_backup_delete = True
        running = self.cloud.add_backup("run", self.db, state=BackupState.NEW)
        self.refused(422, self.client.backups.delete, running.id)
        self.clock.sleep(timedelta(days=3).total_seconds())
        self.client.backups.delete(running.id)

    def test_frees_the_quota_at_once(self):
        self.client.backups.delete(self.full.id)
        self.assertEqual(1, self.cloud.usage["backups"])

    def test_failed_delete_can_not_be_listed_either(self):
        self.cloud.knobs.backup_delete["*"] = "no Swift"
        self.client.backups.delete(self.other.id)
        self.clock.sleep(10)
        self.assertNotIn("other", self.names())
        self.assertEqual(BackupState.DELETE_FAILED, self.other.state)

    def test_policy_refusal_is_403(self):
        self.cloud.policy_forbid("backup:delete")
        text = self.refused(403, self.client.backups.delete, self.full.id)
        self.assertEqual("Policy doesn't allow backup:delete to be performed.", text)


class TestBackupList(FakeTestCase):
    """The section "Listing backups"."""

    def setUp(self):
        super().setUp()
        self.db = self.cloud.add_instance("db1")
        for number in range(40):
            self.cloud.add_backup(f"b{number}", self.db)
            self.clock.sleep(60)

    def test_page_has_twenty_newest_first_and_an_offset_as_marker(self):
        page = self.client.backups.list()
        self.assertEqual([f"b{n}" for n in range(39, 19, -1)], [b.name for b in page])
        self.assertEqual("20", page.next)

    def test_full_last_page_still_names_a_next_one(self):
        page = self.client.backups.list(marker="20")
        self.assertEqual(("b0", "40"), (page[-1].name, page.next))
        self.assertEqual([], list(self.client.backups.list(marker="40")))

    def test_any_limit_is_honoured(self):
        page = self.client.backups.list(limit=1000)
        self.assertEqual((40, None), (len(page), page.next))

    def test_id_as_marker_is_500(self):
        marker = self.cloud.live_backups[0].id
        text = self.refused(500, self.client.backups.list, marker=marker)
        self.assertIn("Internal Server Error. Please keep this ID", text)

    def test_changed_backup_is_listed_first(self):
        row = self.cloud.backup("b10")
        first = self.client.backups.list()
        self.cloud.touch(row)
        second = self.client.backups.list(marker=first.next)
        self.assertIn("b20", [b.name for b in first])
        self.assertIn("b20", [b.name for b in second])
        self.assertNotIn("b10", [b.name for b in [*first, *second]])

    def test_of_a_deleted_instance_only_the_filter_works(self):
        self.client.instances.delete(self.db.id)
        self.clock.sleep(60)
        self.refused(404, self.client.instances.backups, self.db.id)
        rows = self.client.backups.list(instance_id=self.db.id, limit=100)
        self.assertEqual(40, len(rows))

    def test_filters_by_datastore(self):
        maria = self.cloud.add_instance("m", datastore="mariadb")
        self.cloud.add_backup("mb", maria)
        rows = self.client.backups.list(datastore="mariadb")
        self.assertEqual(["mb"], [b.name for b in rows])

    def test_times_have_no_zone_and_no_fraction(self):
        row = self.client.backups.list(limit=1)[0]
        self.assertRegex(row.created, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$")


class TestRestore(FakeTestCase):
    """The table "Restore"."""

    def setUp(self):
        super().setUp()
        self.db = self.cloud.add_instance("db1", databases=("shop",))
        self.backup = self.cloud.add_backup("full", self.db, size=2.5)

    def restore(self, backup=None, size=5, **kwargs):
        point = {"backupRef": (backup or self.backup).id}
        kwargs.setdefault("flavor_id", "10")
        return self.client.instances.create(
            "copy", volume={"size": size}, restorePoint=point, **kwargs
        )

    def test_brings_the_databases_back(self):
        row = self.restore()
        self.assertEqual(("BUILD", ""), (row.status, row.operating_status))
        states = self.watch(lambda: self.states_of(row)[0], 90)
        self.assertEqual([("BUILD", ""), ("ACTIVE", "HEALTHY")], states)
        names = [d.name for d in self.client.databases.list(row.id)]
        self.assertEqual(["shop"], names)

    def test_unfinished_backup_is_409(self):
        bad = self.cloud.add_backup("bad", self.db, state=BackupState.FAILED)
        text = self.refused(409, self.restore, bad)
        self.assertIn("is not completed. Actual state: FAILED.", text)

    def test_too_small_volume_is_403(self):
        text = self.refused(403, self.restore, size=2)
        self.assertIn("Backup is too large for given flavor or volume.", text)

    def test_other_datastore_is_400_and_the_default_is_the_cloud_s(self):
        self.cloud.default_datastore = "mariadb"
        text = self.refused(400, self.restore)
        self.assertIn("does not match the destination datastore of mariadb", text)

    def test_other_version_is_accepted(self):
        row = self.restore(datastore="mysql", datastore_version="5.7.40")
        self.assertEqual("5.7.40", row.datastore["version"])

    def test_lost_object_is_404(self):
        self.backup.object_lost = True
        self.refused(404, self.restore)

    def test_lost_ancestor_is_seen_only_later(self):
        child = self.cloud.add_backup("inc", self.db, parent=self.backup)
        self.backup.object_lost = True
        row = self.restore(child)
        self.clock.sleep(100)
        self.assertEqual([("ERROR", "")], self.states_of(row))

    def test_parent_of_another_instance_makes_a_chain_that_fails(self):
        other = self.cloud.add_instance("db2")
        parent = self.cloud.add_backup("x", other)
        child = self.client.backups.create("inc", self.db.id, parent_id=parent.id)
        self.clock.sleep(60)
        self.assertEqual("COMPLETED", self.client.backups.get(child.id).status)
        row = self.restore(child)
        self.clock.sleep(100)
        self.assertEqual([("ERROR", "")], self.states_of(row))

    def test_volume_over_the_cloud_s_maximum_is_413(self):
        text = self.refused(413, self.restore, size=101)
        self.assertIn("cannot exceed maximum of 100 GB", text)

    def test_flavor_bound_to_another_version_is_400(self):
        self.cloud.versions[self.db.version_id].flavors = ("11",)
        self.refused(400, self.restore)

    def test_failure_ends_in_error_with_a_fault(self):
        self.cloud.fail_restore()
        row = self.restore()
        self.clock.sleep(100)
        self.assertEqual([("ERROR", "")], self.states_of(row))
        fault = self.client.instances.get(row.id).fault["message"]
        self.assertEqual("Service not active, status: failed to spawn", fault)
