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

"""FAILED backups make room in a full quota."""

from trove_ext.model.retention_policy import Policy
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.fake.transport import server_of
from trove_ext.tests.unit.shown import shown
from trove_ext.tests.unit.workflows.rotations import RotateTestCase
from trove_ext.workflows.backup.rotate_start import How

DAY = 86400.0


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
