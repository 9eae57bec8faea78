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

"""What a sandbox reports: its instances and its logs."""

import testtools

from trove_ext.sandbox import (
    report,
)
from trove_ext.sandbox.state import SandboxError
from trove_ext.tests.unit.sandbox.base import FilesTestCase


class TestReport(testtools.TestCase):
    def test_each_engine_has_its_port(self):
        found = {"engine": "MariaDB 10.11", "postgresql": "15"}
        text = report._engines(found)
        self.assertIn("MariaDB 10.11 on port 3306", text)
        self.assertIn("PostgreSQL 15 on port 5432", text)
        self.assertIn("no PostgreSQL", report._engines(found | {"postgresql": None}))

    def test_columns_are_as_wide_as_their_content(self):
        text = report.table([("A", "B"), ("long", None), ("x", 1)])
        self.assertEqual("A     B\nlong  -\nx     1", text)


class TestLogs(FilesTestCase):
    def test_the_last_lines_are_shown(self):
        path = self.where.root / "log"
        path.write_text("1\n2\n3\n")
        self.assertEqual("2\n3\n", report.last_lines(path, 2))

    def test_a_missing_log_is_reported(self):
        missing = self.where.root / "none"
        self.assertRaises(SandboxError, report.last_lines, missing, 2)

    def test_an_unknown_source_names_the_known_ones(self):
        error = self.assertRaises(SandboxError, report.log_file, self.where, "x")
        self.assertIn("keystone", str(error))
