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

"""No name from the cloud and no argument controls the terminal."""

import json

import testtools

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import run_openstack

ESCAPES = "\x1b]0;owned\x07"
SPELLED = "\\x1b]0;owned\\x07"


class TestTerminal(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = FakeCloud(FakeClock())
        self.db = self.cloud.add_instance(ESCAPES)
        self.cloud.add_backup(ESCAPES, self.db)

    def run_words(self, *words):
        return run_openstack(["database", *words], self.cloud)

    def assert_spelled(self, text):
        self.assertNotIn("\x1b", text)
        self.assertIn(SPELLED, text)

    def test_a_hooked_table_escapes_a_name(self):
        self.assert_spelled(self.run_words("backup", "list").stdout)

    def test_a_program_gets_the_name_unchanged(self):
        (row,) = json.loads(self.run_words("backup", "list", "-f", "json").stdout)
        self.assertEqual(ESCAPES, row["Name"])

    def test_a_prompt_escapes_a_name(self):
        source = self.db
        for line in (["backup", "chain", "delete"], ["backup", "delete"]):
            backup = self.cloud.add_backup(ESCAPES, source)
            self.cloud.add_backup("child", source, parent=backup)
            argv = ["database", *line, backup.id]
            result = run_openstack(argv, self.cloud, tty=True, stdin="n\n")
            self.assertIn("[y/N]", result.stderr)
            self.assertNotIn("\x1b]0;", result.stderr)

    def test_the_prompt_of_a_failover_escapes_a_name(self):
        self.cloud.add_instance("rep", replica_of=self.db)
        self.cloud.host_off(self.db)
        self.cloud.clock.sleep(300)
        argv = ["database", "replica", "failover", self.db.id]
        result = run_openstack(argv, self.cloud, tty=True, stdin="n\n")
        self.assertIn("was last heard", result.stderr)
        self.assertNotIn("\x1b]0;", result.stderr)

    def test_a_wait_escapes_a_name(self):
        for kind in ("instance", "backup"):
            self.assert_spelled(self.run_words(kind, "wait", ESCAPES).stdout)

    def test_a_usage_error_escapes_an_argument(self):
        for line in (["backup", "chain", "list"], ["backup", "list"]):
            result = self.run_words(*line, "--nobody", ESCAPES)
            self.assertEqual(2, result.exit_code)
            self.assert_spelled(result.stderr)

    def test_an_error_of_stock_code_escapes_a_name(self):
        result = self.run_words("backup", "chain", "list", "--project", ESCAPES)
        self.assertEqual(1, result.exit_code)
        self.assert_spelled(result.stderr)
