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
import signal
from datetime import timedelta
from unittest import mock

import testtools

from trove_ext.osc.base.columns import branches
from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.fake.state import BackupState


class ChainTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.fake = FakeCloud(FakeClock())
        self.db1 = self.fake.add_instance("db1")
        self.full = self.add("full", 30)
        self.one = self.add("one", 20, parent=self.full)
        self.two = self.add("two", 10, parent=self.one)

    def add(self, name, hours=0, **kwargs):
        created = self.fake.clock.now() - timedelta(hours=hours)
        return self.fake.add_backup(
            name, kwargs.pop("instance", self.db1), created=created, **kwargs
        )

    def run_line(self, line, **kwargs):
        return run_openstack(["database", *line.split()], self.fake, **kwargs)

    def json(self, line):
        return json.loads(self.run_line(f"{line} -f json").stdout)

    def names(self):
        return {backup.name for backup in self.fake.live_backups}


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


class TestBackupDelete(ChainTestCase):
    def test_without_a_terminal_it_warns_and_sends_what_stock_sends(self):
        result = self.run_line("backup delete one")
        self.assertEqual(0, result.exit_code)
        self.assertIn("WARNING: This will delete one", result.stderr)
        self.assertIn(self.two.id, result.stderr)
        self.assertEqual(
            f"Request to delete database backup {self.one.id} has been accepted.\n",
            result.stdout,
        )

    def test_a_leaf_is_deleted_without_a_prompt(self):
        for tty in (False, True):
            leaf = self.add(f"leaf{tty}", parent=self.two)
            result = self.run_line(f"backup delete leaf{tty}", tty=tty)
            self.assertEqual((0, ""), (result.exit_code, result.stderr))
            self.assertIn(leaf.id, result.stdout)

    def test_at_a_terminal_it_prompts_if_more_is_deleted_than_was_named(self):
        result = self.run_line("backup delete one", tty=True, stdin="n\n")
        self.assertEqual(1, result.exit_code)
        self.assertEqual([], result.requests.changing)
        result = self.run_line("backup delete one", tty=True, stdin="yes\n")
        self.assertEqual(0, result.exit_code)
        self.assertEqual(1, len(result.requests.changing))

    def test_a_prompt_says_what_it_is_about_even_with_quiet(self):
        for line in (
            "backup delete one",
            "backup chain delete two",
            "backup prune db1 --keep-last 1",
        ):
            self.add(f"new-{line}", 1)
            argv = ["-q", "database", *line.split()]
            result = run_openstack(argv, self.fake, tty=True, stdin="n\n")
            self.assertEqual(1, result.exit_code)
            self.assertIn(self.two.id, result.stderr, line)
            self.assertIn("[y/N]", result.stderr)

    def test_a_dependent_backup_in_progress_is_named_before_stock_sends_it(self):
        running = self.add("run", parent=self.two, state=BackupState.BUILDING)
        result = self.run_line("backup delete one --yes")
        self.assertEqual(1, len(result.requests.changing))
        self.assertIn(f"run ({running.id}) is still BUILDING", result.stderr)

    def test_a_signal_at_the_prompt_ends_with_a_message(self):
        def interrupt(*_args):
            signal.raise_signal(signal.SIGINT)

        with mock.patch("trove_ext.osc.base.confirm.ask", side_effect=interrupt):
            result = self.run_line("backup delete one", tty=True)
        self.assertEqual(130, result.exit_code)
        self.assertIn("Interrupted by SIGINT; nothing was changed.", result.stderr)
        self.assertEqual([], result.requests.changing)

    def test_an_instance_that_loses_its_last_backup_is_named(self):
        result = self.run_line("backup delete full --yes")
        self.assertIn(f"of instance db1 ({self.db1.id})", result.stderr)

    def test_yes_confirms(self):
        result = self.run_line("backup delete one --yes", tty=True)
        self.assertEqual(0, result.exit_code)
        self.assertNotIn("[y/N]", result.stderr)

    def test_waiting_covers_all_deleted_backups(self):
        result = self.run_line("backup delete full --wait --yes")
        self.assertEqual(0, result.exit_code, result.stderr)
        self.assertEqual(set(), self.names())
        self.assertIn("This leaves no restorable backup", result.stderr)

    def test_both_a_parent_and_its_child_named_are_deleted_once(self):
        result = self.run_line("backup delete full one two --wait")
        self.assertEqual(0, result.exit_code, result.stderr)
        self.assertEqual(3, len(result.stdout.splitlines()))
        self.assertEqual(1, len(result.requests.changing))

    def test_a_list_that_fails_stops_nothing_that_stock_would_send(self):
        self.fake.policy_forbid("backup:index")
        result = self.run_line(f"backup delete {self.two.id}")
        self.assertEqual(0, result.exit_code)
        self.assertIn("can't be read", result.stderr)
        self.assertEqual(1, len(result.requests.changing))


class TestBackupCreate(ChainTestCase):
    def refused(self, line, *texts):
        result = self.run_line(line)
        self.assertEqual(1, result.exit_code)
        self.assertEqual([], result.requests.changing)
        for text in texts:
            self.assertIn(text, result.stderr)

    def test_a_parent_that_failed_is_refused_before_the_request(self):
        self.add("failed", parent=self.two, state=BackupState.FAILED)
        self.refused("backup create db1 new --parent failed --wait", "FAILED")

    def test_a_parent_of_another_instance_and_version_is_refused(self):
        db2 = self.fake.add_instance("db2", datastore="mariadb")
        self.add("other", instance=db2)
        self.refused(
            "backup create db1 new --parent other --wait",
            "another instance",
            "datastore version",
        )

    def test_a_replication_snapshot_is_refused_as_a_parent(self):
        self.add("Replication snapshot for x")
        snapshot = self.fake.backup("Replication snapshot for x")
        self.refused(f"backup create db1 new --parent {snapshot.id} --wait", "snapshot")

    def test_a_good_parent_is_accepted(self):
        result = self.run_line("backup create db1 new --parent two --wait")
        self.assertEqual(0, result.exit_code, result.stderr)
        self.assertEqual(self.two.id, self.fake.backup("new").parent_id)

    def test_the_form_of_the_guide_refuses_it_without_wait_too(self):
        self.add("failed", parent=self.two, state=BackupState.FAILED)
        self.refused("backup create db1 new --parent failed", "FAILED")

    def test_without_our_options_any_parent_is_sent_with_a_warning(self):
        self.add("failed", parent=self.two, state=BackupState.FAILED)
        result = self.run_line("backup create new --instance db1 --parent failed")
        self.assertEqual(1, len(result.requests.changing))
        self.assertIn("WARNING: No incremental backup of db1", result.stderr)
        self.assertIn("FAILED", result.stderr)


class TestBackupList(ChainTestCase):
    def test_the_instance_filter_applies_on_every_page(self):
        db2 = self.fake.add_instance("db2")
        for number in range(50):
            self.add(f"mine{number}", number)
            self.add(f"theirs{number}", number, instance=db2)
        for option in ("--instance db2", f"--instance-id {db2.id}", f"-i {db2.id}"):
            rows = self.json(f"backup list {option}")
            self.assertEqual(50, len(rows))
            self.assertEqual({db2.id}, {row["Instance ID"] for row in rows})

    def test_a_name_that_is_on_the_second_page_of_instances_filters_too(self):
        for number in range(45):
            self.fake.add_instance(f"other{number:02}")
        rows = self.json("backup list --instance db1")
        self.assertEqual(3, len(rows))
        self.assertEqual([], self.json("backup list --instance other44"))


class TestCommands(ChainTestCase):
    def test_the_exit_code_of_check_depends_on_its_result(self):
        self.assertEqual(0, self.run_line("backup check db1 --max-age 26h").exit_code)
        result = self.run_line("backup check db1 nobody --max-age 5h -f json")
        self.assertEqual(1, result.exit_code)
        rows = json.loads(result.stdout)
        self.assertEqual(["failed", "failed"], [row["Result"] for row in rows])
        self.assertEqual(36000, rows[0]["Age"])

    def test_check_fails_if_the_cloud_does_not_respond(self):
        dead = Fault(Kind.REFUSED, only=lambda r: r.service == "trove", lasting=True)
        result = self.run_line("backup check db1", faults=[dead])
        self.assertEqual((1, ""), (result.exit_code, result.stdout))

    def test_prune_refuses_what_makes_no_sense_before_any_request(self):
        for line in (
            "backup prune db1",
            "backup prune --keep-last 1",
            "backup prune db1 --all --keep-last 1 --yes",
            "backup prune db1 --keep-last -1 --yes",
            "backup prune db1 --keep-name x --yes",
            "backup prune db1 --keep-last 1",
            "backup prune db1 --keep-within 5m --yes",
        ):
            with self.subTest(line):
                result = self.run_line(line)
                self.assertEqual((2, ""), (result.exit_code, result.stdout))
                self.assertEqual([], result.requests.to_trove())

    def test_prune_dry_run_shows_every_backup_and_deletes_none(self):
        self.add("new", 1)
        line = "backup prune db1 --keep-last 1 --dry-run -f json"
        rows = json.loads(self.run_line(line).stdout)
        self.assertEqual(
            {"new": "keep", "two": "delete", "one": "delete", "full": "delete"},
            {row["Name"]: row["Action"] for row in rows},
        )
        self.assertEqual([], self.fake.log.changing)

    def test_prune_prompts_at_a_terminal(self):
        self.add("new", 1)
        line = "backup prune db1 --keep-last 1"
        self.assertEqual(1, self.run_line(line, tty=True, stdin="n\n").exit_code)
        self.assertEqual([], self.fake.log.changing)
        result = self.run_line(line, tty=True, stdin="y\n")
        self.assertEqual((0, {"new"}), (result.exit_code, self.names()))

    def test_the_time_at_the_prompt_does_not_count_in_the_time_out(self):
        self.add("new", 1)
        hours = self.fake.clock.advance
        thinking = mock.patch(
            "trove_ext.osc.base.confirm.ask", side_effect=lambda *_: hours(7200)
        )
        with thinking:
            line = "backup prune db1 --keep-last 1"
            result = self.run_line(line, tty=True)
        self.assertEqual((0, {"new"}), (result.exit_code, self.names()))

    def test_prune_with_nothing_to_delete_does_not_prompt(self):
        result = self.run_line("backup prune db1 --keep-last 1", tty=True)
        self.assertEqual(0, result.exit_code, result.stderr)

    def test_rotate_has_a_row_for_each_and_an_exit_code_for_busy(self):
        self.add("theirs", state=BackupState.BUILDING)
        result = self.run_line("backup rotate db1 -f json")
        (row,) = json.loads(result.stdout)
        self.assertEqual((75, "busy"), (result.exit_code, row["Result"]))
        self.assertIn("theirs", result.stderr)

    def test_rotate_prunes_with_the_same_options(self):
        line = "backup rotate db1 --chain-length 1 --keep-last 1 -f json"
        (row,) = json.loads(self.run_line(line).stdout)
        self.assertEqual(("made", 1, 3), (row["Result"], row["Kept"], row["Deleted"]))
        self.assertEqual(1, len(self.names()))

    def test_rotate_refuses_a_pattern_without_time(self):
        for pattern in ("nightly", "{instance}-{time:now}", "{time:%%}"):
            result = self.run_line(f"backup rotate db1 --name {pattern}")
            self.assertEqual(2, result.exit_code)
            self.assertIn("all would have one name", result.stderr)

    def test_rotate_always_takes_a_new_one_with_min_age_0(self):
        line = "backup rotate db1 --min-age 0 -f json"
        results = [json.loads(self.run_line(line).stdout)[0] for _ in range(2)]
        self.assertEqual(["made", "made"], [row["Result"] for row in results])

    def test_rotate_warns_if_retention_can_delete_nothing(self):
        line = "backup rotate db1 --keep-last 3"
        self.assertIn("grows for ever", self.run_line(line).stderr)
        quiet = self.run_line(f"{line} --chain-length 7 --min-age 0").stderr
        self.assertNotIn("grows for ever", quiet)
