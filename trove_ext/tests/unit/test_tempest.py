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

"""How the results of Trove's own suite are read, and compared with the allowed list."""

import configparser
import io
import pathlib
import re
import tempfile

import subunit
import testtools

from trove_ext.tests.tempest import __main__ as runner
from trove_ext.tests.tempest import allowed, configuration, report, results
from trove_ext.tests.tempest.allowed import Allowed
from trove_ext.tests.tempest.results import FAILED, NOT_RUN, PASSED, SKIPPED, Outcome

ROOT = pathlib.Path(__file__).parents[3]
SCENARIO = "trove_tempest_plugin.tests.scenario.test_backup"
FULL = f"{SCENARIO}.TestBackupMySQL.test_backup_full[id-9006f6c4]"
INCREMENTAL = f"{SCENARIO}.TestBackupMySQL.test_backup_incremental[id-f1e7cb06]"
OTHER = f"{SCENARIO}.TestBackupMariaDB.test_backup_full[id-0b8f8c5e]"
CLOUD = {
    "auth": {
        "auth_url": "http://127.0.0.1:5000/v3",
        "username": "admin",
        "password": "secret",
        "project_name": "admin",
        "project_domain_id": "default",
    },
    "region_name": "RegionOne",
}


def stream(*events):
    """A stream of subunit with (ID, status, name and text of a detail)."""
    content = io.BytesIO()
    writer = subunit.StreamResultToBytes(content)
    for name, status, detail, text in events:
        writer.status(test_id=name, test_status="inprogress")
        if detail:
            writer.status(
                test_id=name,
                file_name=detail,
                file_bytes=text.encode(),
                mime_type="text/plain; charset=utf8",
                eof=True,
            )
        writer.status(test_id=name, test_status=status)
    content.seek(0)
    return content


class ReadingTest(testtools.TestCase):
    def outcomes(self, listed, *events):
        return results.outcomes(listed, results.read(stream(*events)))

    def test_a_test_that_passed(self):
        found = self.outcomes([FULL], (FULL, "success", None, ""))
        self.assertEqual([Outcome("TestBackupMySQL.test_backup_full", PASSED)], found)

    def test_a_failure_has_the_last_line_of_its_traceback(self):
        text = "Traceback (most recent call last):\n  File x\n\nValueError: wrong\n"
        (found,) = self.outcomes([FULL], (FULL, "fail", "traceback", text))
        self.assertEqual((FAILED, "ValueError: wrong"), (found.status, found.reason))

    def test_a_skip_has_its_reason(self):
        event = (FULL, "skip", "reason", "Datastore upgrade is disabled.")
        (found,) = self.outcomes([FULL], event)
        self.assertEqual(SKIPPED, found.status)
        self.assertEqual("Datastore upgrade is disabled.", found.reason)

    def test_if_a_class_can_not_be_prepared_all_its_tests_failed(self):
        name = f"setUpClass ({SCENARIO}.TestBackupMySQL)"
        events = [
            (name, "fail", "traceback", "BuildError: instance ERROR"),
            (OTHER, "success", None, ""),
        ]
        found = self.outcomes([FULL, INCREMENTAL, OTHER], *events)
        self.assertEqual([FAILED, FAILED, PASSED], [x.status for x in found])
        self.assertEqual("Its class: BuildError: instance ERROR", found[0].reason)

    def test_if_a_class_can_not_be_cleaned_up_its_tests_failed(self):
        name = f"tearDownClass ({SCENARIO}.TestBackupMySQL)"
        events = [
            (FULL, "success", None, ""),
            (INCREMENTAL, "skip", "reason", "no"),
            (name, "fail", "traceback", "Forbidden"),
        ]
        found = self.outcomes([FULL, INCREMENTAL], *events)
        self.assertEqual([FAILED, SKIPPED], [x.status for x in found])

    def test_a_test_of_which_there_is_nothing_did_not_run(self):
        events = [(FULL, "success", None, ""), (INCREMENTAL, "inprogress", None, "")]
        found = self.outcomes([FULL, INCREMENTAL, OTHER], *events)
        self.assertEqual([PASSED, NOT_RUN, NOT_RUN], [x.status for x in found])


class AllowedTest(testtools.TestCase):
    entry = Allowed("A.test_x", FAILED, "no such variable", "MariaDB lacks it")

    def problems(self, *outcomes):
        return list(allowed.problems(outcomes, [self.entry]))

    def test_a_pass_and_an_allowed_failure_are_no_problem(self):
        failed = Outcome("A.test_x", FAILED, "Error: no such variable\n(Background)")
        self.assertEqual([], self.problems(failed, Outcome("A.test_y", PASSED)))

    def test_what_is_not_in_the_list_must_pass(self):
        for status in (FAILED, SKIPPED, NOT_RUN):
            (found,) = self.problems(Outcome("A.test_y", status, "why"))
            self.assertEqual(f"A.test_y {status}: why", found)

    def test_an_unexpected_pass_is_a_problem(self):
        (found,) = self.problems(Outcome("A.test_x", PASSED))
        listed = "which allowed.yaml has as failed with 'no such variable'"
        self.assertEqual(f"A.test_x passed, {listed}", found)

    def test_an_allowed_test_that_fails_for_another_reason_is_a_problem(self):
        (found,) = self.problems(Outcome("A.test_x", FAILED, "instance ERROR"))
        self.assertTrue(found.endswith("with 'no such variable': instance ERROR"))

    def test_a_skip_is_no_allowed_failure(self):
        (found,) = self.problems(Outcome("A.test_x", SKIPPED, "no such variable"))
        self.assertIn("A.test_x skipped", found)

    def test_an_entry_for_no_test_is_a_problem(self):
        suite = [f"A.test_{number}" for number in range(allowed.SUITE - 1)]
        found = list(allowed.unknown([*suite, "A.test_x"], [self.entry]))
        self.assertEqual([], found)
        (found,) = allowed.unknown([*suite, "A.test_y"], [self.entry])
        self.assertIn("A.test_x", found)

    def test_a_suite_of_another_size_is_a_problem(self):
        (found,) = allowed.unknown(["A.test_x"], [self.entry])
        self.assertIn("has 1 tests", found)

    def test_every_entry_has_a_reason(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "list.yaml")
            for text in (
                "- {test: A.test_x, status: skipped, shows: x}",
                "- {test: A.test_x, status: skipped, shows: x, reason: ''}",
                "- {test: A.test_x, status: passed, shows: x, reason: always}",
            ):
                path.write_text(text, encoding="utf-8")
                self.assertRaises(ValueError, allowed.load, path)

    def test_the_list_of_the_project_can_be_read_and_is_short(self):
        entries = allowed.load()
        self.assertTrue(all(entry.reason for entry in entries))
        self.assertLessEqual(len(entries), 6)


class ReportTest(testtools.TestCase):
    def test_it_counts_by_class_and_gives_each_reason(self):
        outcomes = [
            Outcome("A.test_x", FAILED, "no such variable"),
            Outcome("A.test_y", PASSED),
            Outcome("B.test_z", FAILED, "wrong"),
        ]
        entries = [AllowedTest.entry, Allowed("C.test", FAILED, "x", "not run")]
        text = report.render(outcomes, entries, ["B.test_z failed: wrong"])
        rows = [line.split() for line in text.splitlines()]
        self.assertEqual(["A", "1", "1", "0", "0"], rows[1])
        self.assertEqual(["all", "1", "2", "0", "0"], rows[3])
        self.assertIn("failed, as expected: A.test_x: MariaDB lacks it", text)
        self.assertNotIn("C.test", text)
        self.assertTrue(text.endswith("WRONG: B.test_z failed: wrong"))


class ConfigurationTest(testtools.TestCase):
    def test_it_has_the_sandbox_and_its_versions(self):
        versions = {"mysql": "5.7.29", "mariadb": "10.11", "postgresql": "15"}
        text = configuration.render(CLOUD, pathlib.Path("/w"), versions)
        config = configparser.ConfigParser()
        config.read_string(text)
        self.assertEqual(CLOUD["auth"]["auth_url"], config["identity"]["uri_v3"])
        database = config["database"]
        self.assertEqual("mysql,mariadb,postgresql", database["enabled_datastores"])
        pairs = "mysql:5.7.29,mariadb:10.11,postgresql:15"
        self.assertEqual(pairs, database["default_datastore_versions"])
        # Without it the tests of an upgrade are skipped.
        self.assertEqual(pairs, database["pre_upgrade_datastore_versions"])

    def test_only_tests_of_the_plugin_are_selected(self):
        pattern = re.compile(runner.selection("Backup|SSL"))
        self.assertTrue(pattern.search(FULL))
        self.assertFalse(
            pattern.search(FULL.replace("Backup", "Basic").replace("backup", "basic"))
        )
        self.assertFalse(pattern.search("tempest.api.test_SSL"))

    def test_tox_pins_the_suite(self):
        path = ROOT / "tools" / "tempest-requirements.txt"
        lines = path.read_text(encoding="utf-8").splitlines()
        pinned = [line for line in lines if line and not line.startswith("#")]
        self.assertTrue(all("==" in line for line in pinned), pinned)
        names = {line.partition("==")[0] for line in pinned}
        suite = {"tempest", "trove-tempest-plugin", "barbican-tempest-plugin"}
        self.assertLessEqual(suite, names)
        self.assertIn(path.name, (ROOT / "tox.ini").read_text(encoding="utf-8"))
