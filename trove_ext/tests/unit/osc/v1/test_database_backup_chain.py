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

"""Chains on the command line, and what a delete prints before it is sent."""

import json
import shlex

from trove_ext.osc.base.columns import branches
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.unit.osc.v1.base import ChainTestCase


class TestShown(ChainTestCase):
    def test_numbers_are_numbers_and_times_iso_8601(self):
        (row,) = self.json("backup chain list")
        self.assertEqual((3, 0.31), (row["Backups"], row["Volume Used GB"]))
        self.assertEqual("2025-12-30T18:00:00+00:00", row["Oldest"])
        self.assertEqual("restorable", row["State"])

    def test_the_driver_of_each_backup_is_shown_if_it_is_known(self):
        self.add("snapshot", 5, parent=self.full, storage_driver="cinder")
        self.add("running", 1, parent=self.full, state=BackupState.BUILDING)
        rows = self.json("backup chain show full")
        drivers = {row["Name"]: row["Driver"] for row in rows}
        self.assertEqual(
            ["swift", "cinder", None],
            [drivers[name] for name in ("two", "snapshot", "running")],
        )
        (row,) = self.json("backup chain list --long")
        self.assertEqual("cinder, swift", row["Driver"])

    def test_a_volume_snapshot_is_restorable_without_its_parent(self):
        lost = self.add("lost", 8, state=BackupState.FAILED)
        self.add("snapshot", 5, parent=lost, storage_driver="cinder")
        rows = self.json("backup chain show snapshot")
        self.assertEqual([False, True], [row["Restorable"] for row in rows])

    def test_all_projects_show_whose_they_are(self):
        self.fake.admin = True
        (row,) = self.json("backup chain list --all-projects")
        self.assertEqual(self.fake.project_id, row["Project ID"])

    def test_for_a_plain_user_policy_forbids_all_projects(self):
        result = self.run_line("backup chain list --all-projects")
        self.assertEqual(1, result.exit_code)
        self.assertIn("policy", result.stderr)

    def test_the_tree_is_drawn_in_a_table(self):
        self.add("side", 5, parent=self.full)
        lines = self.run_line("backup chain show two").stdout.splitlines()
        names = [line.split("|")[1].rstrip() for line in lines if "COMPLETED" in line]
        # A narrow table must not break up the tree.
        tree = [name.replace("\N{NO-BREAK SPACE}", "~") for name in names]
        self.assertEqual([" full", " ├~one", " │~└~two", " └~side"], tree)

    def test_in_csv_numbers_are_numbers_and_missing_values_are_empty(self):
        names = "-c Name -c Depth -c Restorable"
        lines = self.run_line(f"backup chain show one -f csv {names}").stdout
        self.assertIn('"full",0', lines.replace(",True", ""))
        lines = self.run_line("backup chain show one -f csv").stdout
        self.assertNotIn('"None"', lines)
        self.assertRegex(self.run_line("backup check db1 -f csv").stdout, r",36000,3,")

    def test_a_column_with_missing_values_can_be_sorted_by(self):
        self.add("broken", state=BackupState.FAILED)
        line = "backup chain list -f json --sort-column 'Newest Restorable'"
        result = run_openstack(["database", *shlex.split(line)], self.fake)
        self.assertEqual("", result.stderr)
        rows = json.loads(result.stdout)
        self.assertEqual(["broken", "full"], [row["Name"] for row in rows])

    def test_the_tree_is_plain_data_for_machines(self):
        rows = self.json("backup chain show two")
        self.assertEqual(["full", "one", "two"], [row["Name"] for row in rows])
        self.assertEqual([0, 1, 2], [row["Depth"] for row in rows])
        parents = [None, self.full.id, self.one.id]
        self.assertEqual(parents, [row["Parent ID"] for row in rows])
        self.assertEqual([True] * 3, [row["Restorable"] for row in rows])

    def test_one_dated_ahead_is_marked_and_is_not_the_newest_restorable(self):
        self.add("ahead", -48, parent=self.two)
        (chain,) = self.json("backup chain list --long")
        self.assertEqual(self.two.id, chain["Newest Restorable ID"])
        *others, ahead = self.json("backup chain show two")
        self.assertEqual([None] * 3, [row["Reason"] for row in others])
        self.assertEqual("dated 2d ahead of now", ahead["Reason"])

    def test_a_name_can_not_control_the_terminal(self):
        self.add("bad\x1b[2Jname", 1)
        for line in ("backup chain list", "backup check db1"):
            self.assertNotIn("\x1b", self.run_line(line).stdout)

    def test_a_stream_without_line_characters_gets_ascii(self):
        drawn = branches([0, 1, 2, 1], "latin-1")
        self.assertEqual(["", "| ", "| ` ", "` "], drawn)
        self.assertEqual(drawn, branches([0, 1, 2, 1], None))

    def test_branches_of_a_forest(self):
        drawn = branches([0, 1, 2, 2, 1, 0, 1])
        self.assertEqual(["", "├ ", "│ ├ ", "│ └ ", "└ ", "", "└ "], drawn)


class TestChainDelete(ChainTestCase):
    def test_all_of_it_is_deleted_and_each_is_shown(self):
        result = self.run_line("backup chain delete one --wait -f json")
        rows = json.loads(result.stdout)
        self.assertEqual(["deleted"] * 2, [row["Result"] for row in rows])
        self.assertEqual({"full"}, self.names())
        self.assertIn("WARNING: This will delete one", result.stderr)

    def test_several_are_listed_together_and_each_is_deleted_once(self):
        self.add("side", 5, parent=self.full)
        other = self.add("other", 4)
        result = self.run_line(f"backup chain delete full two {other.id} --yes --wait")
        self.assertEqual(0, result.exit_code, result.stderr)
        self.assertEqual(2, len(result.requests.changing))
        self.assertEqual([], self.fake.live_backups)

    def test_a_no_at_a_terminal_changes_nothing(self):
        for answer in ("n\n", "\n", "", "maybe\n"):
            result = self.run_line("backup chain delete one", tty=True, stdin=answer)
            self.assertEqual(1, result.exit_code)
            self.assertEqual([], result.requests.changing)
            self.assertEqual("", result.stdout)

    def test_a_yes_deletes_and_says_that_it_is_not_verified(self):
        result = self.run_line("backup chain delete two", tty=True, stdin="y\n")
        self.assertEqual(0, result.exit_code, result.stderr)
        self.assertIn("accepted, not verified", result.stderr)
        self.assertEqual(1, len(result.requests.changing))

    def test_a_dependent_backup_in_progress_stops_it_before_the_prompt(self):
        self.add("run", parent=self.two, state=BackupState.BUILDING)
        result = self.run_line("backup chain delete full", tty=True, stdin="y\n")
        self.assertEqual(1, result.exit_code)
        self.assertIn("still BUILDING", result.stderr)
        self.assertEqual([], result.requests.changing)

    def test_a_new_dependent_backup_during_the_prompt_stops_it(self):
        def after(request):
            self.fake.after_request.clear()
            self.fake.before_request.append(join)

        def join(request):
            if request.path.endswith("/backups"):
                self.fake.before_request.clear()
                self.add("late", parent=self.two)

        self.fake.after_request.append(
            lambda request: request.path.endswith("/backups") and after(request)
        )
        result = self.run_line("backup chain delete full", tty=True, stdin="y\n")
        self.assertIn("late", result.stderr)
        self.assertEqual([], result.requests.changing)
