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

import fixtures
import testtools

from trove_ext.tests.unit.workflows.backups import RecordedProgress
from trove_ext.trove.engine import VARIABLE, Engines


class TestEngines(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.progress = RecordedProgress()

    def test_what_the_user_says_counts_more_than_the_name_of_the_datastore(self):
        self.useFixture(fixtures.EnvironmentVariable(VARIABLE, "mariadb"))
        self.assertEqual("mariadb", Engines(self.progress).of("postgresql").name)
        chosen = Engines(self.progress, "postgresql")
        self.assertEqual("postgresql", chosen.of("mysql").name)
        self.assertEqual([], self.progress.warnings)

    def test_an_unknown_one_is_taken_for_mysql_and_said_once(self):
        engines = Engines(self.progress)
        self.assertEqual("mysql", engines.look("relational").name)
        self.assertEqual([], self.progress.warnings)
        for _ in range(2):
            self.assertEqual("mysql", engines.of("relational").name)
        (warning,) = self.progress.warnings
        self.assertIn("relational", warning)
        self.assertIn(VARIABLE, warning)

    def test_a_variable_that_names_no_engine_is_ignored_and_said(self):
        self.useFixture(fixtures.EnvironmentVariable(VARIABLE, "oracle"))
        self.assertEqual("postgresql", Engines(self.progress).of("postgresql").name)
        (warning,) = self.progress.warnings
        self.assertIn("oracle", warning)
