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

"""What the hooked commands share."""

import testtools

from trove_ext.exceptions import (
    CheckError,
    NotFoundError,
    PartialFailureError,
    ResourceFailedError,
)
from trove_ext.follow_up import Verb
from trove_ext.osc.hooks import base

LEFT = Verb.LIST_INSTANCES


class TestCells(testtools.TestCase):
    def test_control_characters_are_spelled_out_in_nested_cells_too(self):
        row = ("a\x1b[2J", ["b\x07", 3], None)
        self.assertEqual(("a\\x1b[2J", ["b\\x07", 3], None), base.safe_cell(row))

    def test_a_resource_is_laid_out_by_name(self):
        self.assertEqual((("a", "b"), (1, 2)), base.columns({"b": 2, "a": 1}))

    def test_the_id_is_found_in_what_stock_shows(self):
        self.assertEqual("i1", base.shown_id((("name", "id"), ("x", "i1"))))


class TestErrors(testtools.TestCase):
    def test_one_unknown_name_is_its_own_error(self):
        problem = NotFoundError("There is no instance x.")
        self.assertIs(problem, base.none_found([problem]))

    def test_several_unknown_names_are_one_error(self):
        problems = [NotFoundError("no x"), NotFoundError("no y")]
        error = base.none_found(problems)
        self.assertIsInstance(error, CheckError)
        for problem in problems:
            self.assertIn(str(problem), str(error))

    def test_without_a_refusal_the_error_of_the_wait_stays(self):
        failed = ResourceFailedError("db1 failed")
        self.assertIs(failed, base.deleted(failed, [], 2, LEFT))
        self.assertIsNone(base.deleted(None, [], 2, LEFT))

    def test_a_refusal_is_counted_beside_those_that_were_accepted(self):
        failed = ResourceFailedError("db1 failed")
        error = base.deleted(failed, [NotFoundError("no x")], 2, LEFT)
        self.assertIsInstance(error, PartialFailureError)
        self.assertEqual("no x\ndb1 failed\n1 of 3 were not deleted.", str(error))
