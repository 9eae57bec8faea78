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

"""Abbreviated commands get the hooks; unrelated commands are untouched."""

import io
import os
import pathlib
import subprocess
import sys
import tempfile
from unittest import mock

import testtools
from cliff import commandmanager

from trove_ext.osc import lazy
from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.trove import upstream

COMMANDS = {
    "database backup create": None,
    "database backup delete": None,
    "database backup chain delete": None,
    "database instance resize flavor": None,
    "dataset list": None,
    "server delete": None,
    "server list": None,
}


class TestFullName(testtools.TestCase):
    def full(self, name):
        return lazy.full_name(name, COMMANDS)

    def test_an_abbreviation_of_one_database_command_becomes_its_full_name(self):
        for typed, full in (
            ("database backup del", "database backup delete"),
            ("data b d", "database backup delete"),
            ("database backup ch del", "database backup chain delete"),
            ("database inst res fl", "database instance resize flavor"),
        ):
            self.assertEqual(full, self.full(typed))

    def test_every_other_name_stays_as_it_was_typed(self):
        for typed in (
            "database backup delete",
            "database backup",
            "database backup x",
            "server del",
            "serv list",
            "databases list",
            "",
        ):
            self.assertEqual(typed, self.full(typed))

    def test_an_abbreviation_of_two_commands_stays_as_it_was_typed(self):
        both = {**COMMANDS, "database backup describe": None}
        self.assertEqual(
            "database backup de", lazy.full_name("database backup de", both)
        )


class TestAbbreviatedCommands(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = FakeCloud(FakeClock())
        self.db = self.cloud.add_instance("db1")
        self.full = self.cloud.add_backup("full", self.db)
        self.cloud.add_backup("inc", self.db, parent=self.full)

    def run_line(self, line, **kwargs):
        return run_openstack(line.split(), self.cloud, **kwargs)

    def test_an_abbreviated_delete_lists_dependents_asks_and_waits(self):
        for words in ("database backup del", "data back del", "database backup delete"):
            line = f"{words} full --wait"
            result = self.run_line(line, tty=True, stdin="n\n")
            self.assertIn("inc", result.stderr)
            self.assertIn("[y/N]", result.stderr)
            self.assertEqual([], result.requests.changing)
        result = self.run_line("database backup del full --wait --yes")
        self.assertEqual(0, result.exit_code, result.stderr)
        self.assertEqual([], self.cloud.live_backups)

    def test_the_help_of_an_abbreviated_command_has_the_options_of_the_plugin(self):
        for line in ("help database backup del", "database backup del --help"):
            result = self.run_line(line)
            self.assertEqual(0, result.exit_code)
            self.assertRegex(result.stdout, r"usage: \S+ database backup delete")
            self.assertIn("--wait", result.stdout)

    def test_the_help_of_an_unrelated_abbreviation_is_cliffs(self):
        result = self.run_line("help module li")
        self.assertIn("module li ", result.stdout)


class TestCliffChanged(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.stderr = io.StringIO()
        for patch in (
            mock.patch.object(sys, "stderr", self.stderr),
            mock.patch.object(upstream, "_reported", set()),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def wrapped(self, find, argv=("openstack", "database", "backup", "list")):
        """A command manager with this find_command, wrapped anew."""
        attributes = {} if find is None else {"find_command": find}
        manager = type("CommandManager", (), attributes)
        with (
            mock.patch.object(commandmanager, "CommandManager", manager),
            mock.patch.object(sys, "argv", list(argv)),
        ):
            lazy._wrap_find_command()
        return manager()

    def test_cliff_still_has_the_wrapped_method(self):
        find = commandmanager.CommandManager.find_command
        self.assertEqual(lazy.__name__, find.__module__, "cliff changed find_command")

    def test_wrapping_twice_is_wrapping_once(self):
        find = commandmanager.CommandManager.find_command
        lazy._wrap_find_command()
        self.assertIs(find, commandmanager.CommandManager.find_command)

    def test_a_result_of_another_shape_is_returned_with_one_warning(self):
        for answer in (("factory", "name"), "abc", 3, None):
            manager = self.wrapped(lambda _self, _argv, answer=answer: answer)
            self.assertEqual(answer, manager.find_command(["database", "backup", "d"]))
        self.assertEqual(1, self.stderr.getvalue().count("WARNING"))
        self.assertIn("CommandManager.find_command", self.stderr.getvalue())

    def test_a_manager_without_a_table_of_commands_is_unchanged_with_a_warning(self):
        manager = self.wrapped(lambda _self, _argv: ("factory", "database b d", []))
        found = manager.find_command(["database", "b", "d"])
        self.assertEqual(("factory", "database b d", []), found)
        self.assertIn("cliff", self.stderr.getvalue())

    def test_a_missing_method_is_a_warning_for_database_commands_alone(self):
        self.wrapped(None, argv=("openstack", "server", "list"))
        self.assertEqual("", self.stderr.getvalue())
        self.wrapped(None)
        self.assertIn("WARNING: cliff", self.stderr.getvalue())

    def test_an_unrelated_command_gets_cliffs_result_unchanged(self):
        answer = object()
        manager = self.wrapped(lambda _self, _argv: answer)
        self.assertIs(answer, manager.find_command(["server", "del"]))
        self.assertEqual("", self.stderr.getvalue())


class TestProcess(testtools.TestCase):
    def test_the_module_is_loaded_before_cliff_looks_for_the_command(self):
        openstack = pathlib.Path(sys.executable).with_name("openstack")
        for words in (
            ("database", "backup", "del", "--help"),
            ("help", "data", "b", "del"),
        ):
            done = subprocess.run(
                [openstack, *words],
                env={"HOME": "/nonexistent", "COLUMNS": "100"},
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertIn("usage: openstack database backup delete", done.stdout)
            self.assertIn("--yes", done.stdout)

    def test_an_unrelated_command_pays_less_than_2_ms_for_it(self):
        # CPU time, and the best of several, so a busy machine does not cause a failure.
        code = (
            "import time, cliff.commandmanager; start = time.process_time_ns();"
            "import trove_ext.osc.lazy; print(time.process_time_ns() - start)"
        )
        with tempfile.TemporaryDirectory() as cache:
            # Compiled by the first of them, as installed packages are.
            variables = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
            variables.pop("PYTHONDONTWRITEBYTECODE", None)
            argv = [sys.executable, "-c", code]
            times = [
                int(subprocess.check_output(argv, env=variables)) / 1e6
                for _ in range(4)
            ]
        self.assertLess(min(times), 2.0, times)

    def test_it_imports_nothing_that_openstack_has_not_loaded_already(self):
        code = (
            "import sys, openstackclient.shell; before = set(sys.modules);"
            "import trove_ext.osc.lazy; print(*set(sys.modules) - before)"
        )
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            capture_output=True,
            text=True,
            check=True,
        )
        ours = {"trove_ext", "trove_ext.osc", "trove_ext.osc.lazy"}
        self.assertEqual(ours, set(done.stdout.split()))
