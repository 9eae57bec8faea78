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

"""The functional tests fail on everything that a user would notice."""

import pathlib
import re
from unittest import mock

import fixtures
import testtools
import yaml

from trove_ext.tests.functional import running
from trove_ext.tests.functional.base import PROGRESS, Run


def _run(exit_code=0, stderr=""):
    return Run(("database", "instance", "list"), exit_code, "", stderr)


class RunTest(testtools.TestCase):
    def test_silent_success_is_right(self):
        self.assertIsNone(_run().problem(0, None))

    def test_undeclared_line_on_stderr_is_a_problem(self):
        run = _run(stderr="Instance db: ACTIVE (3 s)\nWARNING: odd\n")
        self.assertIn("WARNING: odd", run.problem(0, PROGRESS))
        self.assertIn("ACTIVE", run.problem(0, None))
        self.assertIsNone(run.problem(0, rf"{PROGRESS}|^WARNING"))

    def test_wrong_exit_code_is_a_problem(self):
        self.assertIsNotNone(_run(1, "No instance db.").problem(0, "No instance"))

    def test_a_failure_has_the_expected_message(self):
        self.assertIsNone(_run(1, "No instance db.").problem(1, "No instance"))
        self.assertIsNotNone(_run(1, "No instance db.").problem(1, "two of them"))

    def test_traceback_is_never_right(self):
        text = "Traceback (most recent call last):\n  db\n"
        self.assertEqual("a traceback", _run(1, text).problem(1, "db"))


class WorkersTest(testtools.TestCase):
    """The workers of a file share the functional tests."""

    def test_each_module_is_run_by_one_worker(self):
        folder = pathlib.Path(running.__file__).parent
        workers = [
            [re.compile(pattern) for pattern in description["worker"]]
            for description in yaml.safe_load((folder / "workers.yaml").read_text())
        ]
        modules = [path.stem for path in folder.glob("test_*.py")]
        self.assertIn("test_guide", modules)
        for module in modules:
            test = f"trove_ext.tests.functional.{module}.SomeTest.test_it"
            takers = [any(p.search(test) for p in worker) for worker in workers]
            self.assertEqual(1, sum(takers), module)


class SharedSandboxTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path, "x")
        self.sent = []
        self.useFixture(
            fixtures.MockPatchObject(
                running,
                "trove_sandbox",
                lambda _directory, word: self.sent.append(word),
            )
        )
        self.useFixture(fixtures.MockPatch("atexit.register"))

    def test_the_last_worker_stops_it(self):
        first = running.SharedSandbox(self.directory)
        second = running.SharedSandbox(self.directory)
        first.join()
        second.join()
        first.leave()
        self.assertEqual(["up", "up"], self.sent)
        second.leave()
        self.assertEqual(["up", "up", "down"], self.sent)
        self.assertFalse(self.directory.exists())

    def test_settings_are_what_env_says_to_export(self):
        lines = "export OS_CLOUD=sandbox\nexport OS_CLIENT_CONFIG_FILE='/a b/c'\n"
        with mock.patch.object(running, "trove_sandbox", return_value=lines):
            found = running.settings(self.directory)
        expected = {"OS_CLOUD": "sandbox", "OS_CLIENT_CONFIG_FILE": "/a b/c"}
        self.assertEqual(expected, found)
