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

"""A rotation takes one backup, whatever happens in between."""

from datetime import timedelta
from unittest import mock

from trove_ext.exceptions import (
    BusyError,
    PartialFailureError,
    ResourceFailedError,
    WaitTimeoutError,
)
from trove_ext.model.retention_policy import Policy
from trove_ext.model.rotation_naming import NamePattern
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.state import BackupState, Task
from trove_ext.tests.fake.transport import server_of
from trove_ext.tests.unit.shown import shown
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.workflows.backup import rotate
from trove_ext.workflows.backup.rotate_start import How

DAY = 86400.0


class Killed(BaseException):
    """As SIGKILL: no code of the run is executed after it."""


class RotateTestCase(BackupTestCase):
    def rotate(self, *names, timeout=3600.0, cloud=None, **kwargs):
        cloud = cloud or self.make_cloud()
        kwargs.setdefault("pattern", NamePattern())
        request = rotate.RotateRequest(names or ("db1",), **kwargs)
        return rotate.rotate(cloud, request, cloud.deadline(timeout))

    def one(self, **kwargs):
        (row,) = self.rotate(**kwargs)
        return row

    def parent_of(self, row):
        parent = self.fake.backups[row.backup.id].parent_id
        return self.fake.backups[parent].name if parent else None


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


class TestStorageDriver(RotateTestCase):
    def driver(self):
        (post,) = self.requests("POST")
        return post.body["backup"].get("storage_driver")

    def test_none_is_named_if_all_are_in_swift_as_before_trove_23(self):
        self.add("full", 30)
        self.assertEqual("full", self.parent_of(self.one()))
        self.assertIsNone(self.driver())

    def test_an_incremental_on_a_volume_snapshot_is_one_too(self):
        self.add("full", 30)
        self.add("snapshot", 20, storage_driver="cinder")
        row = self.one()
        self.assertEqual((None, "cinder"), (row.error, row.backup.storage_driver))
        self.assertEqual(("snapshot", "cinder"), (self.parent_of(row), self.driver()))

    def test_an_incremental_in_swift_stays_there_whatever_the_default_is(self):
        self.fake.storage_strategy = "cinder"
        self.add("snapshot", 30, storage_driver="cinder")
        self.add("full", 20)
        row = self.one()
        self.assertEqual((None, "swift"), (row.error, row.backup.storage_driver))
        self.assertEqual(("full", "swift"), (self.parent_of(row), self.driver()))

    def test_builds_only_on_what_the_named_driver_has_stored(self):
        self.add("full", 30)
        self.add("snapshot", 20, storage_driver="cinder")
        row = self.one(storage_driver="swift")
        self.assertEqual((None, "full"), (row.error, self.parent_of(row)))
        self.assertEqual("swift", self.driver())

    def test_a_full_one_is_taken_if_the_named_driver_has_stored_none(self):
        self.add("snapshot", 20, storage_driver="cinder")
        row = self.one(storage_driver="swift")
        self.assertEqual((None, None), (row.error, self.parent_of(row)))
        self.assertEqual("swift", self.driver())

    def test_a_fresh_one_of_another_driver_is_not_this_runs(self):
        self.one(storage_driver="cinder")
        self.clock.sleep(600)
        self.assertEqual(How.PRESENT, self.one(storage_driver="cinder").how)
        self.assertEqual(How.MADE, self.one(storage_driver="swift").how)

    def test_a_client_that_can_not_name_a_driver_sends_no_other_request(self):
        self.add("snapshot", 20, storage_driver="cinder")
        cloud = self.make_cloud()
        old = mock.create_autospec(lambda _name, _instance: None)
        with mock.patch.object(cloud.client.backups, "create", old):
            row = self.one(cloud=cloud)
        self.assertIn("python-troveclient", str(row.error))
        self.assertEqual([], self.requests("POST"))


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


class TestFailure(RotateTestCase):
    POLICY = Policy(keep_last=1)

    def test_a_failed_backup_never_leads_to_a_prune(self):
        self.chain("old", 1, 300)
        self.chain("new", 1, 30)
        self.fake.fail_backup(message="The disk is full.")
        row = self.one(policy=self.POLICY)
        self.assertIsInstance(row.error, ResourceFailedError)
        self.assertIn("The disk is full.", str(row.error))
        self.assertEqual([], self.requests("DELETE"))

    def test_one_that_takes_too_long_never_leads_to_a_prune(self):
        self.chain("old", 1, 300)
        self.chain("new", 1, 30)
        self.fake.timings.backup = 9000.0
        row = self.one(policy=self.POLICY, timeout=60.0)
        self.assertIsInstance(row.error, WaitTimeoutError)
        self.assertEqual(124, rotate.error_of([row]).exit_code)
        self.assertEqual([], self.requests("DELETE"))

    def test_one_that_was_deleted_again_never_leads_to_a_prune(self):
        self.chain("old", 1, 300)

        def after(request):
            for backup in self.fake.live_backups:
                if backup.state is BackupState.COMPLETED and backup.name.startswith(
                    "db1-"
                ):
                    backup.deleted = True

        self.fake.after_request.append(after)
        row = self.one(policy=self.POLICY)
        self.assertIsInstance(row.error, ResourceFailedError)
        self.assertEqual([], self.requests("DELETE"))

    def test_one_failure_does_not_stop_the_others(self):
        self.fake.add_instance("db2")
        self.fake.add_instance("db3")
        self.fake.fail_backup("db2")
        rows = self.rotate("db1", "db2", "nobody", "db3")
        states = [row.error is None for row in rows]
        self.assertEqual([True, False, False, True], states)
        error = rotate.error_of(rows)
        self.assertIsInstance(error, PartialFailureError)
        self.assertIn("2 of 4", str(error))

    def test_one_that_can_not_be_read_does_not_stop_the_others(self):
        db2 = self.fake.add_instance("db2")
        broken = Fault(Kind.HTTP_500, only=lambda r: db2.id in r.path, lasting=True)
        rows = self.rotate(db2.id, self.db1.id, cloud=self.make_cloud([broken]))
        self.assertEqual([False, True], [row.error is None for row in rows])

    def test_a_name_that_is_too_long_does_not_stop_the_others(self):
        long = self.fake.add_instance("x" * 240)
        rows = self.rotate(long.name, "db1")
        self.assertEqual([False, True], [row.error is None for row in rows])
        self.assertIn("262 characters", str(rows[0].error))

    def test_an_instance_of_another_project_is_refused(self):
        # An admin sees it by its ID, and none of its backups.
        self.fake.admin = True
        cloud = self.make_cloud()
        mine = mock.patch.object(
            cloud.client.client, "get_project_id", return_value="mine"
        )
        with mine:
            (row,) = self.rotate(self.db1.id, cloud=cloud)
        self.assertIn("not of this one (mine)", str(row.error))
        self.assertEqual([], self.fake.log.changing)

    def test_all_are_started_before_the_wait(self):
        for number in range(2, 6):
            self.fake.add_instance(f"db{number}")
        start = self.clock.monotonic()
        self.rotate(*(f"db{number}" for number in range(1, 6)))
        self.assertGreater(3 * self.fake.timings.backup, self.clock.monotonic() - start)

    def test_an_instance_in_error_is_not_tried_and_keeps_its_fault(self):
        self.fake.blame(self.db1, "The volume is gone.")
        self.db1.task = Task.BUILDING_ERROR_SERVER
        row = self.one()
        self.assertIn("The volume is gone.", str(row.error))
        self.assertEqual("The volume is gone.", self.db1.fault.message)
        self.assertEqual([], self.fake.log.changing)

    def test_an_instance_with_an_operation_in_progress_is_reported_as_busy(self):
        self.db1.task = Task.RESIZING
        self.assertIsInstance(self.one().error, BusyError)

    def test_an_ambiguous_and_an_unknown_name_do_not_stop_the_others(self):
        self.fake.add_instance("twin")
        self.fake.add_instance("twin")
        rows = self.rotate("twin", "db1", "nobody")
        self.assertEqual([False, True, False], [row.error is None for row in rows])
        error = rotate.error_of(rows)
        self.assertEqual(1, error.exit_code)
        for text in ("twin", "nobody", "2 of 3"):
            self.assertIn(text, str(error))

    def test_after_a_lost_response_the_backup_is_found_and_adopted(self):
        for kind in (Kind.RESET_AFTER, Kind.CUT_SHORT, Kind.TRUNCATED):
            with self.subTest(kind):
                before = len(self.fake.log)
                lost = Fault(
                    kind,
                    only=lambda r: r.path.endswith("/backups") and r.method == "POST",
                    lasting=True,
                )
                row = self.one(cloud=self.make_cloud([lost]))
                self.assertIsNone(row.error)
                self.assertEqual(1, len(self.requests("POST", before)))
                self.clock.advance(DAY)

    def test_if_the_cloud_fails_during_the_wait_the_rows_are_kept(self):
        self.fake.add_instance("db2")

        def dark(_request):
            return all(post.reached for post in self.requests("POST")[:2]) and (
                len(self.requests("POST")) == 2
            )

        cloud = self.make_cloud([Fault(Kind.REFUSED, only=dark, lasting=True)])
        rows = self.rotate("db1", "db2", cloud=cloud, timeout=300.0)
        self.assertEqual([How.MADE] * 2, [row.how for row in rows])
        self.assertTrue(all(row.error for row in rows))


class TestQuota(RotateTestCase):
    OWN = "db1-incr-20251231T000000Z"

    def fill(self):
        self.fake.quotas["backups"] = len(self.fake.live_backups)

    def test_a_failed_one_of_the_rotation_is_deleted_if_the_quota_is_full(self):
        good = self.chain("good", 3, 30)
        self.add(self.OWN, 24, state=BackupState.FAILED, parent=good[-1])
        self.fill()
        row = self.one(policy=Policy(keep_last=3))
        self.assertEqual((How.MADE, None), (row.how, row.error))
        self.assertNotIn(self.OWN, self.names())
        self.assertIn("quota of backups is full", self.progress.warnings[0])
        self.assertIn(self.OWN, self.progress.warnings[0])

    def test_every_night_after_a_failed_one_takes_a_backup(self):
        self.fake.quotas["backups"] = 4
        failed = 3
        for night in range(10):
            if night == failed:
                self.fake.fail_backup(message="The disk is full.")
            row = self.one(policy=Policy(keep_last=3), chain_length=1)
            self.assertEqual(night == failed, row.error is not None, str(row.error))
            self.fake.knobs.backup.clear()
            self.clock.advance(DAY)

    def test_the_reason_of_the_failure_is_reported_before_it_is_deleted(self):
        self.fake.fail_backup(message="The disk is full.")
        self.one()
        self.fake.knobs.backup.clear()
        self.clock.advance(DAY)
        self.fill()
        self.assertIsNone(self.one().error)
        self.assertIn("The disk is full.", self.progress.warnings[0])

    def test_nothing_is_deleted_while_the_quota_has_room(self):
        self.add(self.OWN, 24, state=BackupState.FAILED)
        self.one()
        self.assertIn(self.OWN, self.names())

    def test_no_other_failed_one_is_deleted_and_each_is_named_with_the_command(self):
        other = self.fake.add_instance("other")
        by_hand = self.add("by-hand", 25, state=BackupState.FAILED)
        theirs = self.add(self.OWN, 24, state=BackupState.FAILED, instance=other)
        parent = self.add(self.OWN, 40, state=BackupState.FAILED)
        self.add("child", 39, parent=parent)
        self.fill()
        row = self.one(policy=Policy(keep_last=1))
        self.assertEqual([], self.requests("DELETE"))
        self.assertIn("2 FAILED", str(row.error))
        self.assertIn(f"backup delete {by_hand.id} {theirs.id}", shown(row.error))
        self.assertNotIn(parent.id, str(row.error))

    def test_it_is_the_same_if_the_token_was_renewed_at_the_refusal(self):
        server_of(self.fake).keystone.single_use = True
        self.add(self.OWN, 24, state=BackupState.FAILED)
        self.fill()
        row = self.one(policy=Policy(keep_last=3))
        self.assertEqual((How.MADE, None), (row.how, row.error))
        self.assertIn(401, [request.status for request in self.fake.log.changing])

    def test_one_whose_name_is_to_be_kept_is_not_deleted(self):
        self.add(self.OWN, 24, state=BackupState.FAILED)
        self.fill()
        policy = Policy(keep_last=1, keep_names=("*20251231*",))
        self.assertIsNotNone(self.one(policy=policy).error)
        self.assertIn(self.OWN, self.names())

    def test_without_a_failed_one_no_command_is_advised_that_deletes_good_ones(self):
        self.chain("good", 3, 30)
        self.fill()
        row = self.one(policy=Policy(keep_last=1))
        self.assertIn("Quota exceeded", str(row.error))
        self.assertIn("No FAILED backup", str(row.error))
        self.assertNotIn("openstack", str(row.error))
        self.assertEqual([], self.requests("DELETE"))

    def test_one_that_can_not_be_deleted_is_reported_with_the_refusal(self):
        self.add(self.OWN, 24, state=BackupState.FAILED)
        self.fake.policy_forbid("backup:delete")
        self.fill()
        row = self.one()
        self.assertIn("Quota exceeded", str(row.error))
        self.assertIn("could not be deleted", self.progress.warnings[-1])


class TestKilled(RotateTestCase):
    """Killed after each of its requests in turn, and run again."""

    POLICY = Policy(keep_chains=1)

    def prepare(self):
        """Two instances: one with an old chain to prune, one with a new one."""
        self.fresh()
        self.chain("old", 3, 300)
        self.chain("cur", 2, 30)
        self.fake.add_backup(
            "failed",
            self.db1,
            state=BackupState.FAILED,
            created=self.clock.now() - timedelta(hours=200),
        )
        db2 = self.fake.add_instance("db2")
        self.chain("b-old", 2, 400, instance=db2)
        self.chain("b-cur", 1, 9 * 24, instance=db2)

    def run_once(self):
        return self.rotate(
            "db1", "db2", policy=self.POLICY, full_every=timedelta(days=7)
        )

    def state(self):
        """The backups, without the times in the names."""
        return sorted(
            (
                backup.name.rsplit("-2026", 1)[0],
                backup.state,
                backup.parent_id is not None,
            )
            for backup in self.fake.live_backups
        )

    def kill_after(self, number):
        seen = iter(range(1, 100_000))

        def after(request):
            if request.service == "trove" and next(seen) == number:
                raise Killed

        self.fake.after_request.append(after)

    def test_killed_anywhere_and_run_again_it_ends_as_a_single_run(self):
        self.prepare()
        before = len(self.fake.log)
        rows = self.run_once()
        self.assertEqual([None, None], [row.error for row in rows])
        expected, total = self.state(), len(self.fake.log[before:])
        names = {name for name, *_ in expected}
        self.assertEqual({"cur-0", "cur-1", "db1-incr", "db2-full"}, names)
        self.assertGreater(total, 20)
        for number in range(1, total + 1):
            with self.subTest(f"after request {number} of {total}"):
                self.prepare()
                self.kill_after(number)
                try:
                    self.run_once()
                except Killed:
                    self.fake.after_request.clear()
                    self.clock.advance(5)
                    rows = self.run_once()
                    self.assertEqual([None, None], [row.error for row in rows])
                self.assertEqual(expected, self.state())

    def test_killed_twice_it_still_ends_as_a_single_run(self):
        self.prepare()
        self.run_once()
        expected = self.state()
        for first, second in ((4, 3), (4, 12), (8, 30), (30, 4), (35, 5)):
            with self.subTest(f"after {first}, then after {second}"):
                self.prepare()
                for number in (first, second):
                    self.kill_after(number)
                    try:
                        self.run_once()
                    except Killed:
                        self.clock.advance(5)
                    self.fake.after_request.clear()
                self.run_once()
                self.assertEqual(expected, self.state())
