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

"""The first backup of a rotation in each period is verified by its run."""

from datetime import UTC, datetime, timedelta
from unittest import mock

from trove_ext.exceptions import CheckError, Exit
from trove_ext.model.retention_policy import Policy
from trove_ext.model.rotation_naming import NamePattern
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.unit.workflows.verifications import COUNT, VerifyTestCase
from trove_ext.workflows.backup import rotate, rotate_job
from trove_ext.workflows.restore.contents import Question
from trove_ext.workflows.restore.rotation_check import RotationCheck

MONDAY = datetime(2026, 11, 30, 3, tzinfo=UTC)


class TestRotation(VerifyTestCase):
    def setUp(self):
        super().setUp()
        self.until(MONDAY - timedelta(days=3))

    def until(self, moment):
        self.clock.sleep((moment - self.clock.now()).total_seconds())

    def rotate(self, expect="300", period="week", timeout=36000.0, **kwargs):
        pattern = NamePattern()
        check = RotationCheck(period, pattern, (Question(COUNT, expect),))
        request = rotate_job.RotateRequest(("db1",), pattern, check=check, **kwargs)
        deadline = self.cloud.start(timeout)
        (row,) = rotate.rotate(self.cloud, request, deadline)
        self.assertEqual([], self.temporary())
        return row

    def test_a_week_of_nights_is_verified_on_its_first(self):
        verified = []
        for night in range(14):
            self.until(MONDAY + timedelta(days=night))
            row = self.rotate(full_every=timedelta(days=7))
            self.assertIsNone(row.error)
            if "verified: data checked" in row.note:
                verified.append(night)
        self.assertEqual([0, 7], verified)

    def test_the_next_run_verifies_what_a_killed_one_has_left(self):
        self.until(MONDAY)
        with mock.patch.object(RotationCheck, "apply", side_effect=KeyboardInterrupt):
            self.assertRaises(KeyboardInterrupt, self.rotate)
        self.assertIn("verified: data checked", self.rotate().note)

    def test_other_and_failed_backups_do_not_count(self):
        self.until(MONDAY)
        self.add("by-hand")
        self.fake.knobs.backup["db1"] = "disk full"
        self.assertIsNotNone(self.rotate().error)
        self.fake.knobs.backup.clear()
        self.until(MONDAY + timedelta(days=1))
        self.assertIn("verified", self.rotate().note)

    def test_a_set_is_verified_once_a_week_whichever_member_is_backed_up(self):
        self.fake.add_instance("rep", replica_of=self.db1)
        argv = ["database", "backup", "rotate", "--all", "--verify-each", "week"]
        self.until(MONDAY)
        rep = self.fake.instance("rep")
        backup = self.fake.add_backup("rep-full-20261130T030000Z", rep)
        for day in (1, 7):
            self.until(MONDAY + timedelta(days=day))
            result = run_openstack([*argv, "--nic", "none"], self.fake)
            self.assertEqual(0, result.exit_code, result.stderr)
            verified = "verified: restored" in " ".join(result.stdout.split())
            self.assertEqual(day == 7, verified, result.stdout)
        self.assertFalse(backup.deleted)

    def test_nothing_is_pruned_if_it_does_not_verify(self):
        self.until(MONDAY)
        row = self.rotate("299", policy=Policy(keep_last=1))
        self.assertIn("verified: FAILED", row.note)
        self.assertIn("expected 299, found 300", str(row.error))
        self.assertEqual((), row.pruned)
        self.until(MONDAY + timedelta(days=1))
        self.assertNotEqual((), self.rotate("299", policy=Policy(keep_last=1)).pruned)

    def test_a_time_out_of_the_whole_ends_it(self):
        self.until(MONDAY)
        row = self.rotate(timeout=60.0)
        self.assertEqual(Exit.TIMEOUT, row.error.exit_code)

    def test_without_the_driver_no_backup_is_taken(self):
        self.until(MONDAY)
        before = self.names()
        with mock.patch.dict("sys.modules", {"pymysql": None}):
            self.assertRaises(CheckError, self.rotate)
        self.assertEqual(before, self.names())

    def test_as_it_is_typed(self):
        self.until(MONDAY)
        argv = ["database", "backup", "rotate", "db1"]
        query = ["--query", COUNT, "--expect", "300"]
        result = run_openstack([*argv, *query], self.fake)
        self.assertEqual(2, result.exit_code)
        self.assertIn("--verify-each", result.stderr)
        result = run_openstack(
            [*argv, "--verify-each", "week", "--nic", "none"], self.fake
        )
        self.assertEqual(0, result.exit_code, result.stderr)
        self.assertIn("verified: restored", " ".join(result.stdout.split()))
