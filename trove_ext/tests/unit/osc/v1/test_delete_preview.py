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

"""``backup delete`` says what is deleted with it, and asks."""

import signal
from unittest import mock

from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.osc.v1.base import ChainTestCase


@shows(Promise.DELETE)
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
