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
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.state import BackupState, Task
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.workflows.rotations import (
    Killed,
    KilledRotation,
    RotateTestCase,
)
from trove_ext.workflows.backup import rotate
from trove_ext.workflows.backup.rotate_start import How

DAY = 86400.0


@shows(Promise.ROTATE)
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


@shows(Promise.ROTATE)
class TestKilled(KilledRotation, RotateTestCase):
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
