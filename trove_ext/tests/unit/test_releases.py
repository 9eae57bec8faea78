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

"""The tests with the Trove of each release: their data, and how they are evaluated."""

import configparser
import pathlib
import shlex
import sys
from unittest import mock

import testtools

from trove_ext.osc.base.examples import EXAMPLES
from trove_ext.tests.functional.base import Run
from trove_ext.tests.releases import __main__ as releases
from trove_ext.tests.releases import differences, environment, series, steps
from trove_ext.tests.releases.series import SERIES, Series
from trove_ext.tests.releases.steps import Step

ROOT = pathlib.Path(__file__).parents[3]
LINES = [step.line for topic in steps.TOPICS for step in topic.steps]
STEP = Step("backup list", "full-1")
#: Commands that no step runs, and why.
NOT_RUN = {
    "database backup policy show": "it needs a policy file",
}


def run(code=0, stdout="full-1", stderr=""):
    return Run(("database", "backup", "list"), code, stdout, stderr)


class TestSeries(testtools.TestCase):
    def test_the_newest_is_the_one_of_the_sandbox(self):
        config = configparser.ConfigParser()
        config.read(ROOT / "setup.cfg")
        pinned = config["extras"]["sandbox"]
        newest = SERIES[-1]
        self.assertIn(f"trove=={newest.trove} ", pinned)
        self.assertIn(f"keystone=={newest.keystone} ", pinned)
        self.assertIn(f"{environment.SWIFT} ", pinned)

    def test_each_has_its_constraints(self):
        for release in SERIES:
            text = environment.constraints(release).read_text()
            self.assertIn("oslo.messaging==", text, release)

    def test_an_unknown_one_is_refused(self):
        self.assertEqual(list(SERIES), series.find([]))
        self.assertRaises(LookupError, series.find, ["2023.1", "2022.2"])

    def test_the_interpreter_is_of_the_version_that_is_needed(self):
        here = f"{sys.version_info[0]}.{sys.version_info[1]}"
        found = environment.interpreter(Series("x", "1", "1", python=here))
        self.assertEqual(here, environment._version(str(found)))

    def test_a_missing_interpreter_is_named(self):
        exc = self.assertRaises(
            environment.EnvironmentMissingError,
            environment.interpreter,
            Series("2001.1", "1.0", "1", python="3.1"),
        )
        self.assertIn("2001.1 (Trove 1.0) needs Python 3.1", str(exc))
        self.assertIn("TROVE_EXT_PYTHON31", str(exc))


class TestSteps(testtools.TestCase):
    def test_every_new_command_is_in_a_step(self):
        for command in EXAMPLES.keys() - NOT_RUN.keys():
            words = command.removeprefix("database ")
            found = [line for line in LINES if line.startswith(f"{words} ")]
            self.assertTrue(found or words in LINES, f"no step runs {words}")

    def test_each_line_can_be_split_and_each_difference_is_of_a_step(self):
        for line in LINES:
            self.assertTrue(shlex.split(line))
        names = {release.name for release in SERIES}
        for known in differences.DIFFERENCES:
            self.assertIn(known.line, LINES)
            self.assertEqual(set(), set(known.series) - names)

    def test_the_newest_release_differs_in_nothing(self):
        newest = SERIES[-1].name
        self.assertEqual((), differences.of(newest))
        self.assertEqual((), differences.absences(newest))


class TestEvaluate(testtools.TestCase):
    def problem(self, outcome, step=STEP):
        return releases.evaluate("2023.1", step, outcome).problem

    def test_what_is_expected_is_no_problem(self):
        self.assertIsNone(self.problem(run()))
        self.assertIsNone(self.problem(run(1), Step("backup list", code=1)))

    def test_exit_code_output_and_tracebacks_are_checked(self):
        self.assertEqual("exit code 1, expected 0", self.problem(run(1)))
        self.assertIn("nothing like", self.problem(run(stdout="")))
        crash = run(stderr="Traceback (most recent call last)")
        self.assertEqual("a traceback", self.problem(crash))

    def test_a_known_difference_must_occur(self):
        known = differences.Difference(
            STEP.line, ("2023.1",), "older", "Because.", code=1
        )
        with mock.patch.object(differences, "DIFFERENCES", (known,)):
            self.assertIsNone(self.problem(run(1, "older")))
            self.assertEqual("exit code 0, expected 1", self.problem(run()))
            newer = releases.evaluate("2026.2", STEP, run())
        self.assertEqual((None, False), (newer.problem, newer.known))
