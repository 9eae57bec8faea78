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

"""An internal error is reported as one, wherever it occurs."""

from unittest import mock

import testtools

from trove_ext.model.backup import Backup
from trove_ext.model.instance import Instance
from trove_ext.osc.base import columns, options
from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import run_openstack

MISTAKES = (
    AttributeError("no such attribute"),
    IndexError("out of range"),
    KeyError("missing"),
    RuntimeError("unexpected"),
    TypeError("wrong type"),
    ValueError("wrong value"),
    ZeroDivisionError("division by zero"),
)


class InternalErrorTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = FakeCloud(FakeClock())
        self.db1 = self.cloud.add_instance("db1")
        self.backup = self.cloud.add_backup("b1", self.db1)

    def run_line(self, line, **kwargs):
        return run_openstack(["database", *line.split()], self.cloud, **kwargs)

    def assert_internal(self, result, mistake):
        """Exit code 70, one line that names it, and nothing on stdout."""
        self.assertEqual(70, result.exit_code, result.stderr)
        self.assertEqual("", result.stdout)
        (line,) = result.stderr.splitlines()
        self.assertIn("Internal error of trove-ext, not of the cloud", line)
        self.assertIn(type(mistake).__name__, line)

    def assert_nothing_repeated(self, result):
        sent = [
            (request.method, request.path, str(request.query))
            for request in result.requests
        ]
        self.assertEqual(sorted(set(sent)), sorted(sent))


class TestOurCommands(InternalErrorTestCase):
    def test_in_the_type_function_of_an_option(self):
        # argparse itself handles a TypeError and a ValueError as a usage error.
        handled = (TypeError, ValueError)
        for mistake in MISTAKES:
            if isinstance(mistake, handled):
                continue
            with mock.patch.object(options, "seconds", side_effect=mistake):
                result = self.run_line("backup wait b1 --timeout 5")
            self.assert_internal(result, mistake)
            self.assertEqual([], result.requests.to_trove())

    def test_in_code_that_makes_a_record(self):
        for kind, line in ((Backup, "backup wait"), (Instance, "instance wait")):
            named = self.backup if kind is Backup else self.db1
            for mistake in MISTAKES:
                with mock.patch.object(kind, "from_info", side_effect=mistake):
                    result = self.run_line(f"{line} {named.id}")
                self.assert_internal(result, mistake)
                self.assert_nothing_repeated(result)

    def test_in_a_read(self):
        for mistake in MISTAKES:
            with mock.patch("trove_ext.trove.read.get_backup", side_effect=mistake):
                result = self.run_line(f"backup wait {self.backup.id}")
            self.assert_internal(result, mistake)
            self.assert_nothing_repeated(result)

    def test_in_a_call_of_the_client_that_sends_nothing(self):
        before = "troveclient.v1.backups.Backups.get"
        for mistake in MISTAKES:
            with mock.patch(before, side_effect=mistake):
                result = self.run_line(f"backup wait {self.backup.id}")
            self.assert_internal(result, mistake)

    def test_in_a_report(self):
        for mistake in MISTAKES:
            with mock.patch.object(
                columns.Shown, "human_readable", side_effect=mistake
            ):
                result = self.run_line("backup chain list")
            self.assert_internal(result, mistake)
            self.assert_nothing_repeated(result)

    def test_after_a_change_it_says_what_was_sent(self):
        mistake = KeyError("missing")
        with mock.patch("trove_ext.trove.wait_report.error_of", side_effect=mistake):
            result = self.run_line("backup chain delete b1 --yes --wait")
        self.assertEqual(70, result.exit_code)
        last = result.stderr.splitlines()[-1]
        self.assertIn("Internal error", last)
        self.assertIn("sent: delete of", last)
        self.assertIn("openstack database backup show", last)
        self.assertEqual(1, len(result.requests.changing))

    def test_only_debug_shows_the_traceback(self):
        with mock.patch.object(Backup, "from_info", side_effect=KeyError("missing")):
            plain = self.run_line(f"backup wait {self.backup.id}")
            argv = ["--debug", "database", "backup", "wait", self.backup.id]
            debug = run_openstack(argv, self.cloud)
        self.assertNotIn("Traceback", plain.stderr)
        self.assertIn("Traceback", debug.stderr)
        self.assertEqual((70, 70), (plain.exit_code, debug.exit_code))

    def test_an_unknown_column_is_a_usage_error(self):
        result = self.run_line("backup chain list -c Nope")
        self.assertEqual(1, result.exit_code)
        self.assertNotIn("Internal", result.stderr)


class TestHookedCommands(InternalErrorTestCase):
    def test_with_an_option_of_ours(self):
        for mistake in MISTAKES:
            with mock.patch.object(Instance, "from_info", side_effect=mistake):
                result = self.run_line(f"instance restart {self.db1.id} --wait")
            self.assert_internal(result, mistake)
            self.assert_nothing_repeated(result)

    def test_in_the_type_function_of_an_option(self):
        mistake = KeyError("missing")
        with mock.patch.object(options, "seconds", side_effect=mistake):
            result = self.run_line(f"instance restart {self.db1.id} --wait --timeout 5")
        self.assert_internal(result, mistake)

    def test_without_one_the_stock_behaviour_is_left_alone(self):
        with mock.patch(
            "troveclient.v1.instances.Instances.restart", side_effect=KeyError("x")
        ):
            result = self.run_line(f"instance restart {self.db1.id}")
        self.assertEqual(1, result.exit_code)
        self.assertNotIn("Internal", result.stderr)


class TestAnswers(InternalErrorTestCase):
    """A response that lacks something is reported as such."""

    def test_a_response_that_lacks_a_field_is_named_and_not_requested_again(self):
        self.cloud.missing_fields = {"status"}
        for line, what in (
            (f"backup wait {self.backup.id}", f"Backup {self.backup.id}"),
            (f"instance wait {self.db1.id}", f"Instance {self.db1.id}"),
        ):
            result = self.run_line(line)
            self.assertEqual(1, result.exit_code, result.stderr)
            self.assertIn(f"{what}: Trove's response lacks 'status'", result.stderr)
            self.assert_nothing_repeated(result)
