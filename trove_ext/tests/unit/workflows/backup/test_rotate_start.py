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

"""What a rotation starts: a full backup, an incremental, or none."""

from datetime import timedelta

from trove_ext.exceptions import (
    BusyError,
)
from trove_ext.model.retention_policy import Policy
from trove_ext.model.rotation_naming import NamePattern
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.fake.transport import server_of
from trove_ext.tests.unit.shown import shown
from trove_ext.tests.unit.workflows.rotations import Killed, RotateTestCase
from trove_ext.workflows.backup import rotate
from trove_ext.workflows.backup.rotate_start import How


class TestChoice(RotateTestCase):
    def test_the_first_one_is_full(self):
        row = self.one()
        self.assertEqual((How.MADE, None), (row.how, row.error))
        self.assertEqual("COMPLETED", row.backup.status)
        self.assertEqual("db1-full-20260101T000000Z", row.backup.name)

    def test_the_next_one_builds_on_the_newest(self):
        self.chain("a", 2, 30)
        row = self.one()
        self.assertEqual("a-1", self.parent_of(row))

    def test_a_full_one_is_taken_when_it_is_due(self):
        self.chain("a", 2, 8 * 24)
        self.assertIsNone(self.parent_of(self.one(full_every=timedelta(days=7))))

    def test_a_full_one_is_taken_when_the_chain_is_long_enough(self):
        self.chain("a", 3, 30)
        self.assertIsNone(self.parent_of(self.one(chain_length=3)))

    def test_a_replication_snapshot_is_never_the_parent(self):
        full = self.add("full", 30)
        self.add("Replication snapshot for 1", 1)
        self.add("Replication snapshot for 2", 1, parent=full)
        self.assertEqual("full", self.parent_of(self.one()))

    def test_a_dependent_backup_of_a_replication_snapshot_is_never_the_parent(self):
        snapshot = self.add("Replication snapshot for 1", 2)
        self.add("child", 1, parent=snapshot)
        self.assertIsNone(self.parent_of(self.one()))

    def test_neither_a_failed_one_nor_a_broken_one_is_the_parent(self):
        self.add("good", 30)
        self.add("failed", 3, state=BackupState.FAILED)
        lost = self.add("lost", 4)
        self.add("orphan", 2, parent=lost)
        lost.deleted = True
        self.assertEqual("good", self.parent_of(self.one()))

    def test_one_of_another_datastore_version_is_never_the_parent(self):
        self.add("old", 30)
        mysql = [v for v in self.fake.versions.values() if v.datastore == "mysql"]
        self.db1.version_id = mysql[1].id
        self.assertIsNone(self.parent_of(self.one()))

    def test_the_parent_is_named_in_the_request(self):
        full = self.add("full", 30)
        self.one()
        (post,) = self.requests("POST")
        self.assertEqual(full.id, post.body["backup"]["parent_id"])


class TestAdoption(RotateTestCase):
    def test_waits_for_one_of_its_own_in_progress(self):
        first = self.rotate_and_die()
        row = self.one()
        self.assertEqual((How.ADOPTED, first), (row.how, row.backup.id))
        self.assertEqual("COMPLETED", row.backup.status)
        self.assertEqual(1, len(self.requests("POST")))

    def rotate_and_die(self):
        def after(request):
            if request.method == "POST" and request.service == "trove":
                raise Killed

        self.fake.after_request.append(after)
        self.assertRaises(Killed, self.rotate)
        self.fake.after_request.clear()
        (made,) = self.fake.live_backups
        return made.id

    def begin_after_the_list(self):
        def after(request):
            if request.method == "GET" and request.path.endswith("/backups"):
                self.fake.after_request.clear()
                name = "db1-full-20260101T000000Z"
                made = self.add(name, state=BackupState.BUILDING)
                self.clock.after(20, self.complete(made))

        self.fake.after_request.append(after)

    def test_waits_for_one_that_began_after_the_list_was_read(self):
        self.begin_after_the_list()
        row = self.one()
        self.assertEqual((How.ADOPTED, None), (row.how, row.error))
        (made,) = self.fake.live_backups
        self.assertEqual(made.id, row.backup.id)

    def test_waits_for_it_even_if_the_token_was_renewed_at_the_refusal(self):
        def before(request):
            if request.method == "POST" and request.service == "trove":
                self.fake.before_request.clear()
                name = "db1-full-20260101T000000Z"
                made = self.add(name, state=BackupState.BUILDING)
                self.clock.after(20, self.complete(made))

        server_of(self.fake).keystone.single_use = True
        self.fake.before_request.append(before)
        row = self.one()
        self.assertEqual((How.ADOPTED, None), (row.how, row.error))
        self.assertEqual(
            [401, 422], [request.status for request in self.fake.log.changing]
        )

    def test_one_that_another_run_took_during_this_run_counts(self):
        db2 = self.fake.add_instance("db2")

        def before(request):
            if request.method == "POST" and request.service == "trove":
                self.fake.before_request.clear()
                self.add("db2-full-20260101T000000Z", instance=db2)

        self.fake.before_request.append(before)
        first, second = self.rotate("db1", "db2")
        self.assertEqual((How.MADE, How.PRESENT), (first.how, second.how))
        self.assertEqual(1, len(self.requests("POST")))

    def test_one_that_was_completed_before_the_second_read_counts(self):
        def before(request):
            if request.method == "POST" and request.service == "trove":
                self.fake.before_request.clear()
                made = self.add("db1-full-20260101T000000Z", state=BackupState.NEW)
                self.fake.after_request.append(lambda _: self.complete(made)())

        self.fake.before_request.append(before)
        row = self.one()
        self.assertEqual((How.PRESENT, None), (row.how, row.error))
        self.assertEqual(1, len(self.names()))

    def test_one_in_progress_for_a_day_is_a_failure_with_the_command_that_ends_it(self):
        for name in ("db1-full-20251201T000000Z", "theirs"):
            for hours in (25, -25):
                with self.subTest(name=name, hours=hours):
                    self.fresh()
                    self.add(name, hours, state=BackupState.BUILDING)
                    row = self.one()
                    self.assertIn("reset status", shown(row.error))
                    self.assertEqual(1, rotate.error_of([row]).exit_code)
                    self.assertEqual([], self.fake.log.changing)

    def test_waits_for_one_in_progress_for_less_than_a_day(self):
        made = self.add("db1-full-20251201T000000Z", 23, state=BackupState.BUILDING)
        self.clock.after(20, self.complete(made))
        self.assertIs(How.ADOPTED, self.one().how)

    def test_another_users_backup_in_progress_is_reported_without_a_wait(self):
        self.add("theirs", 0, state=BackupState.BUILDING)
        row = self.one(policy=Policy(keep_last=1))
        self.assertIsInstance(row.error, BusyError)
        self.assertIn("theirs", str(row.error))
        self.assertEqual(75, rotate.error_of([row]).exit_code)
        self.assertEqual([], self.fake.log.changing)

    def test_another_users_backup_started_at_the_same_moment_is_reported(self):
        def before(request):
            if request.method == "POST" and request.service == "trove":
                self.add("theirs", 0, state=BackupState.BUILDING)

        self.fake.before_request.append(before)
        self.assertIsInstance(self.one().error, BusyError)

    def test_two_concurrent_rotations_take_one_backup(self):
        theirs = []

        def before(request):
            if request.method == "POST" and not theirs:
                theirs.append(
                    self.add("db1-full-20260101T000000Z", 0, state=BackupState.NEW)
                )
                self.clock.after(9, lambda: self.fake.store(theirs[0], 1.0))
                self.clock.after(9, self.complete(theirs[0]))

        self.fake.before_request.append(before)
        row = self.one()
        self.assertEqual((How.ADOPTED, theirs[0].id), (row.how, row.backup.id))
        self.assertIsNone(row.error)

    @staticmethod
    def complete(backup):
        def call():
            backup.state = BackupState.COMPLETED

        return call

    def test_a_recent_one_of_its_own_counts_as_this_runs(self):
        first = self.one()
        self.clock.advance(1800)
        row = self.one()
        self.assertEqual((How.PRESENT, first.backup.id), (row.how, row.backup.id))
        self.assertEqual(1, len(self.requests("POST")))

    def test_age_counts_from_the_completion(self):
        self.fake.timings.backup = 5000.0
        self.one(timeout=0.0)
        self.clock.advance(1800)
        self.assertIs(How.PRESENT, self.one().how)

    def test_an_older_one_does_not(self):
        self.one()
        self.clock.advance(3700)
        self.assertIs(How.MADE, self.one().how)

    def test_a_recent_one_of_another_user_does_not(self):
        self.add("by-hand", 0)
        self.assertIs(How.MADE, self.one().how)

    def test_a_recent_one_that_failed_does_not(self):
        self.fake.fail_backup()
        self.one()
        self.fake.knobs.backup.clear()
        self.clock.advance(60)
        self.assertIs(How.MADE, self.one().how)

    def test_another_name_pattern_is_another_rotation(self):
        self.one()
        row = self.one(pattern=NamePattern("weekly-{time}"))
        self.assertIs(How.MADE, row.how)
        self.assertTrue(row.backup.name.startswith("weekly-"))
