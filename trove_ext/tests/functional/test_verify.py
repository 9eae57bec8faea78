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

"""``database backup verify`` against the sandbox."""

from __future__ import annotations

import json
import re
import signal
import time

from trove_ext.tests.functional.chain import CHAIN, COUNT, ChainTestCase
from trove_ext.tests.promises import Promise, shows

ANY = r"."
VERIFY = ("database", "backup", "verify")


@shows(Promise.VERIFY, Promise.SIGNALS)
class VerifyTest(ChainTestCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.openstack, *VERIFY, "--clean-up", stderr=ANY)

    def temporary(self):
        return [name for name in self.names() if name.startswith("trove-ext-verify")]

    def totals(self, stdout):
        rows = json.loads(stdout)
        return {row["Backup"]: row["Result"] for row in rows if row["Step"] == "total"}

    def test_the_right_number_of_rows_passes_and_no_instance_remains(self):
        argv = ("--query", COUNT, "--expect", str(CHAIN["inc-3"]), "-f", "json")
        stdout = self.openstack(*VERIFY, "inc-3", *argv, stderr=ANY)
        self.assertEqual({"inc-3": "data checked"}, self.totals(stdout))
        self.assertEqual([], self.temporary())

    def test_a_wrong_number_of_rows_fails_and_no_instance_remains(self):
        argv = ("--query", COUNT, "--expect", "1100", "-f", "json")
        run = self.run_openstack(*VERIFY, "inc-1", "inc-2", *argv)
        self.assertEqual(1, run.exit_code, run)
        self.assertEqual(
            {"inc-1": "data checked", "inc-2": "FAILED"}, self.totals(run.stdout)
        )
        self.assertIn("expected 1100, found 1300", run.stderr)
        self.assertIn("1 of 2 failed", run.stderr)
        self.assertEqual([], self.temporary())

    def test_without_a_query_the_result_is_only_that_it_was_restored(self):
        stdout = self.openstack(*VERIFY, "full", "-f", "json", stderr=ANY)
        self.assertEqual({"full": "restored"}, self.totals(stdout))

    def test_a_missing_database_fails(self):
        argv = ("--expect-database", "myDB", "--expect-database", "other")
        run = self.run_openstack(*VERIFY, "full", *argv)
        self.assertEqual(1, run.exit_code, run)
        self.assertIn("the database other is missing; there are: myDB", run.stderr)
        self.assertEqual([], self.temporary())

    def interrupt(self, trigger, number=signal.SIGINT, after=0):
        """Send a signal when a line of stderr shows that a step has begun."""
        argv = ("--query", COUNT, "--expect", "1700")
        process = self.start_openstack(*VERIFY, "inc-3", *argv)
        lines = []
        for line in process.stderr:
            lines.append(line)
            if re.search(trigger, line):
                time.sleep(after)
                process.send_signal(number)
                break
        else:
            self.fail(f"no line with {trigger!r}: {''.join(lines)}")
        _, rest = process.communicate(timeout=120)
        return process.returncode, "".join(lines) + rest

    def test_no_instance_remains_after_ctrl_c_at_any_step(self):
        steps = (
            r"check: ok",
            r"^Restoring inc-3",
            r": BUILD \(",
            r"restore: restored",
            r"databases: listed",
            r"data: checked",
            r": SHUTDOWN \(",
        )
        for step in steps:
            code, stderr = self.interrupt(step)
            self.assertEqual(130, code, stderr)
            self.assertEqual([], self.temporary(), f"{step}\n{stderr}")

    def test_sigterm_is_handled_as_ctrl_c(self):
        code, stderr = self.interrupt(r": BUILD \(", signal.SIGTERM)
        self.assertEqual(143, code, stderr)
        self.assertEqual([], self.temporary(), stderr)

    def test_after_ctrl_c_during_the_create_the_instance_is_found_by_name(self):
        # Trove creates the instance at once, and responds two seconds later.
        self.trove_sandbox(
            "fault", "set", "slow-answer", "--cloud", self.cloud, "--sleep", "2"
        )
        self.addCleanup(self.trove_sandbox, "fault", "clear", "slow-answer")
        code, stderr = self.interrupt(r"^Restoring inc-3", after=1)
        self.assertEqual(130, code, stderr)
        self.assertNotIn(": BUILD (", stderr)
        self.trove_sandbox("fault", "clear", "slow-answer")
        self.assertEqual([], self.temporary(), stderr)

    def test_the_orphaned_instance_of_a_killed_run_is_named_and_cleaned_up(self):
        self.interrupt(r": BUILD \(", signal.SIGKILL)
        (left,) = self.temporary()
        run = self.run_openstack(*VERIFY, "full")
        self.assertEqual(0, run.exit_code, run)
        self.assertRegex(
            run.stderr, rf"WARNING: .* orphaned .*\n  {left} \([0-9a-f-]{{36}}\)"
        )
        self.assertEqual([left], self.temporary())
        self.openstack(*VERIFY, "--clean-up", stderr=ANY)
        self.assertEqual([], self.temporary())

    def test_an_instance_that_is_still_building_is_deleted_at_the_time_out(self):
        # On a busy machine the check alone takes a second, on an idle one the restore
        # takes three.
        for seconds in ("1", "2", "4", "8"):
            run = self.run_openstack(*VERIFY, "full", "--timeout", seconds)
            self.assertEqual([], self.temporary(), run)
            if "still BUILD after" in run.stderr:
                break
        self.assertEqual(124, run.exit_code, run)
        self.assertRegex(run.stderr, r"still BUILD after \d s")
