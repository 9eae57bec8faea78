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

"""What is checked in a restored instance."""

from trove_ext.tests.unit.workflows.verifications import COUNT, VerifyTestCase
from trove_ext.workflows.restore.contents import Question


class TestContents(VerifyTestCase):
    def test_databases_that_are_there_are_checked(self):
        found = self.one(databases=("myDB",))
        self.assertEqual("databases checked", self.results(found)["total"])

    def test_a_missing_database_fails(self):
        found = self.one(databases=("myDB", "other"))
        self.assertEqual("FAILED", self.results(found)["databases"])
        self.assertEqual("FAILED", self.results(found)["total"])
        self.assertIn("other is missing; there are: myDB", str(found.error))
        self.assertEqual([], self.temporary())

    def test_a_database_that_trove_can_not_list_fails_no_backup(self):
        self.db1.content.databases.add("b")
        self.add("b2")
        found = self.one("b2", expect="300")
        self.assertIsNone(found.error)
        self.assertEqual("not listed", self.results(found)["databases"])
        self.assertEqual("data checked", self.results(found)["total"])

    def test_expected_databases_are_found_beside_it(self):
        self.db1.content.databases |= {"b", "myDA"}
        self.add("b2")
        found = self.one("b2", databases=("myDB",), expect="300")
        self.assertIsNone(found.error)
        self.assertEqual("checked", self.results(found)["databases"])
        found = self.one("b2", databases=("myDB", "myDC"))
        self.assertIn("myDC is missing", str(found.error))

    def test_all_values_that_are_wrong_are_reported(self):
        questions = (Question(COUNT, "1"), Question(COUNT, "300"), Question("x", "2"))
        found = self.one(questions=questions)
        self.assertIn("expected 1, found 300", str(found.error))
        self.assertIn("expected 2, found 300", str(found.error))

    def test_the_right_value_makes_it_data_checked(self):
        found = self.one(expect="300")
        self.assertIsNone(found.error)
        self.assertEqual("data checked", self.results(found)["total"])
