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

import contextlib
import dataclasses
import io
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import testtools

from trove_ext.sandbox import arguments, cli, commands, lifecycle, state
from trove_ext.sandbox.faults import Fault, Faults
from trove_ext.sandbox.guest.postgresql import programs as postgresql
from trove_ext.sandbox.state import StateDir


class CliTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name) / "sandbox"

    def run_cli(self, *words):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = cli.main(["--dir", str(self.root), *words])
            except SystemExit as exc:
                code = exc.code
        return code, out.getvalue(), err.getvalue()

    def make(self):
        where = StateDir(self.root)
        where.make()
        where.save(state.choose("10.11", 1, 1))
        return where


class TestErrors(CliTestCase):
    def test_without_a_sandbox_each_command_says_so_in_one_line(self):
        for words in (
            ["down"],
            ["status"],
            ["env"],
            ["logs"],
            ["fault", "list"],
            ["fault", "clear"],
            ["fault", "set", "backup"],
            ["fault", "kill-database", "x"],
            ["policy", "list"],
            ["policy", "forbid", "promote"],
            ["project", "create", "x"],
            ["seed"],
        ):
            code, out, err = self.run_cli(*words)
            self.assertEqual((1, ""), (code, out), words)
            self.assertIn("trove-sandbox up", err)
            self.assertEqual(1, len(err.splitlines()), err)

    def test_wrong_usage_is_2(self):
        for words in ([], ["dance"], ["fault", "set", "nonsense"], ["up", "--rate"]):
            code, out, err = self.run_cli(*words)
            self.assertEqual((2, ""), (code, out), words)
            self.assertIn("usage:", err)

    def test_up_refuses_a_directory_of_something_else(self):
        self.root.mkdir()
        (self.root / "thesis.tex").write_text("")
        code, out, err = self.run_cli("up")
        self.assertEqual((1, ""), (code, out))
        self.assertIn("--dir", err)
        self.assertTrue((self.root / "thesis.tex").exists())

    def test_reset_never_removes_what_is_no_sandbox(self):
        self.root.mkdir()
        (self.root / "thesis.tex").write_text("")
        code, _out, err = self.run_cli("reset")
        self.assertEqual(1, code)
        self.assertIn("no sandbox", err)
        self.assertTrue((self.root / "thesis.tex").exists())

    def test_reset_removes_a_stale_sandbox(self):
        where = self.make()
        (where.root / "settings.json").write_text("{}")
        self.assertEqual(0, self.run_cli("reset")[0])
        self.assertFalse(where.root.exists())

    def test_a_missing_mariadb_is_one_line(self):
        with mock.patch(
            "trove_ext.sandbox.guest.programs.shutil.which", return_value=None
        ):
            code, out, err = self.run_cli("up")
        self.assertEqual((1, ""), (code, out))
        self.assertIn("mariadb-server", err)

    def test_another_system_than_linux_is_one_line(self):
        with mock.patch.object(sys, "platform", "darwin"):
            code, _out, err = self.run_cli("up")
        self.assertEqual(1, code)
        self.assertIn("Linux", err)

    def test_an_unknown_instance_is_one_line(self):
        self.make()
        for verb in ("kill-database", "stop-replication", "host-off", "host-on"):
            code, _out, err = self.run_cli("fault", verb, "nobody")
            self.assertEqual(1, code)
            self.assertIn("nobody", err)


class TestPostgresql(CliTestCase):
    def test_the_sandbox_comes_up_without_it_and_says_so(self):
        self.make()
        reason = "initdb was not found"
        with (
            mock.patch("trove_ext.sandbox.lifecycle.up", return_value=True),
            mock.patch(f"{postgresql.__name__}.obstacle", return_value=reason),
        ):
            code, out, err = self.run_cli("up")
        self.assertEqual(0, code)
        self.assertIn("OS_CLOUD", out)
        self.assertIn("instances are not available: initdb was not found", err)

    def test_one_that_is_installed_later_is_used(self):
        where = self.make()
        self.assertIsNone(where.settings().postgresql)
        with mock.patch(f"{postgresql.__name__}.version", return_value="15"):
            lifecycle._with_postgresql(where, where.settings())
        self.assertEqual("15", where.settings().postgresql)

    def test_data_of_another_version_are_refused_and_a_missing_one_is_not(self):
        where = self.make()
        settings = dataclasses.replace(where.settings(), postgresql="15")
        engine = mock.patch(
            "trove_ext.sandbox.database.engine_version", return_value=settings.engine
        )
        version = f"{postgresql.__name__}.version"
        with engine, mock.patch(version, return_value="17"):
            error = self.assertRaises(
                state.SandboxError, lifecycle._check_engine, settings
            )
        self.assertIn("PostgreSQL 15, installed is 17", str(error))
        with engine, mock.patch(version, return_value=None):
            lifecycle._check_engine(settings)

    def test_the_archiver_only_fails_or_works(self):
        self.make()
        code, _out, err = self.run_cli("fault", "set", "archive", "--once")
        self.assertEqual(1, code)
        self.assertIn("--once", err)
        self.assertEqual(0, self.run_cli("fault", "set", "archive")[0])


class TestCommands(CliTestCase):
    def test_env_prints_the_two_lines_alone(self):
        self.make()
        code, out, err = self.run_cli("env")
        self.assertEqual((0, ""), (code, err))
        self.assertEqual(2, len(out.splitlines()))

    def test_a_fault_for_a_future_instance_is_set_by_its_name(self):
        where = self.make()
        code, _out, _err = self.run_cli(
            "fault", "set", "create", "--instance", "db9", "--text", "no", "--once"
        )
        self.assertEqual(0, code)
        expected = [Fault("create", "error", "no", "db9", once=True)]
        self.assertEqual(expected, Faults(where.root).list())

    def test_create_hang_hangs_by_default(self):
        where = self.make()
        self.run_cli("fault", "set", "create-hang")
        self.assertEqual(["hang"], [f.action for f in Faults(where.root).list()])

    def test_a_slow_answer_sleeps_by_default(self):
        where = self.make()
        self.run_cli("fault", "set", "slow-api")
        self.assertEqual(["sleep"], [f.action for f in Faults(where.root).list()])

    def test_what_is_set_is_listed_and_cleared(self):
        self.make()
        self.run_cli("fault", "set", "backup", "--text", "no space")
        self.assertIn("error no space", self.run_cli("fault", "list")[1])
        self.run_cli("fault", "clear")
        self.assertNotIn("no space", self.run_cli("fault", "list")[1])

    def test_status_without_processes_names_no_process(self):
        self.make()
        code, out, err = self.run_cli("status", "-f", "json")
        self.assertEqual((0, ""), (code, err))
        self.assertIn('"pid": null', out)


class TestParser(testtools.TestCase):
    def test_every_command_has_a_function_and_help(self):
        found = list(_leaves(arguments.parser("x")))
        self.assertGreater(len(found), 15)
        for leaf in found:
            self.assertTrue(callable(getattr(commands, leaf.get_default("run"))))
            self.assertTrue(leaf.description)

    def test_help_imports_neither_trove_nor_keystone(self):
        code = (
            "import sys, contextlib\n"
            "from trove_ext.sandbox import cli\n"
            "with contextlib.suppress(SystemExit):\n"
            "    cli.main(['--help'])\n"
            "heavy = {'trove', 'keystone', 'eventlet', 'pymysql', 'keystoneauth1'}\n"
            "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        self.assertEqual(0, done.returncode, done.stderr)


def _leaves(parser):
    import argparse

    groups = [
        action
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
    ]
    if not groups:
        yield parser
    for group in groups:
        for child in group.choices.values():
            yield from _leaves(child)
