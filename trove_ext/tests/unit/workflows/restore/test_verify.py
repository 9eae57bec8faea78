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

"""A verification claims only what it has checked, and names any orphaned instance."""

from trove_ext.exceptions import Exit
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.workflows.verifications import VerifyTestCase
from trove_ext.workflows.restore import verify


@shows(Promise.VERIFY)
class TestVerdict(VerifyTestCase):
    def test_without_a_check_it_is_restored_and_no_more(self):
        found = self.one()
        self.assertIsNone(found.error)
        self.assertEqual("restored", self.results(found)["total"])
        self.assertEqual([], self.temporary())

    def test_invalid_settings_prove_nothing_about_the_backup(self):
        self.fake.quotas["instances"] = 1
        found = self.one()
        self.assertEqual("not tried", self.results(found)["total"])
        self.assertIn("was not tried", str(found.error))
        self.assertEqual(
            {self.fake.backup("b1").id}, {s.backup_id for s in found.steps}
        )

    def test_a_wrong_value_fails_and_no_instance_remains(self):
        found = self.one(expect="299")
        self.assertEqual("FAILED", self.results(found)["data"])
        self.assertIn("expected 299, found 300", str(found.error))
        self.assertEqual(Exit.FAILED, found.error.exit_code)
        self.assertEqual([], self.temporary())

    def test_a_copy_of_a_public_database_is_not_public_unless_asked_for(self):
        self.db1.access = {"is_public": True, "allowed_cidrs": ["10.0.0.0/8"]}
        self.one(keep=True)
        (kept,) = self.temporary()
        self.assertEqual(
            {"is_public": False, "allowed_cidrs": ["10.0.0.0/8"]}, kept.access
        )

    def test_each_step_has_its_time(self):
        found = self.one(expect="300")
        seconds = {step.name: step.seconds for step in found.steps}
        steps = ["check", "restore", "recovery", "databases", "data", "delete", "total"]
        self.assertEqual(steps, list(seconds))
        self.assertGreaterEqual(seconds["restore"], self.fake.timings.restore)
        self.assertGreaterEqual(seconds["total"], seconds["restore"])

    def test_a_chain_that_is_broken_fails_before_anything_is_made(self):
        links = self.chain("c", 2, 10)
        links[0].state = BackupState.FAILED
        found = self.one("c-1")
        self.assertEqual({"check": "FAILED", "total": "FAILED"}, self.results(found))
        self.assertEqual([], self.requests("POST"))

    def test_one_that_fails_does_not_stop_the_others(self):
        found = self.verify("b1", "nobody", "b1")
        self.assertEqual(
            ["restored", "FAILED", "restored"],
            [self.results(verification)["total"] for verification in found],
        )
        error = verify.error_of(found)
        self.assertEqual(Exit.FAILED, error.exit_code)
        self.assertIn("1 of 3 failed", str(error))

    def test_all_names_that_can_not_be_found_are_reported_before_the_first_restore(
        self,
    ):
        self.add("twice")
        self.add("twice")
        found = self.verify("b1", "nobody", "b1", "twice")
        totals = [self.results(verification)["total"] for verification in found]
        self.assertEqual(["restored", "FAILED", "restored", "FAILED"], totals)
        notes = "\n".join(self.progress.notes)
        before, _, after = notes.partition("Restoring")
        self.assertRegex(before, "nobody: check: FAILED .*'nobody' exists")
        self.assertRegex(before, "twice: check: FAILED .*More than one backup")
        self.assertNotIn("check: FAILED", after)

    def test_a_failed_restore_reports_the_fault_and_no_instance_remains(self):
        self.fake.fail_restore()
        found = self.one()
        self.assertRegex(str(found.error), r"ERROR: \w")
        self.assertEqual("deleted", self.results(found)["delete"])
        self.assertEqual([], self.temporary())

    def test_a_time_out_exits_124_and_deletes_what_still_builds(self):
        found = self.one(timeout=10.0)
        self.assertEqual(Exit.TIMEOUT, found.error.exit_code)
        self.assertIn("still BUILD after 10 s", str(found.error))
        self.assertEqual([], self.temporary())

    def test_keep_keeps_and_names_the_instance_and_deletes_the_user(self):
        found = self.one(expect="300", keep=True)
        self.assertEqual("kept", self.results(found)["delete"])
        (kept,) = self.temporary()
        self.assertEqual({}, kept.content.users)
        self.assertIn(kept.id, self.output())
