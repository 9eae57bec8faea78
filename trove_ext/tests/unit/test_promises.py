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

"""The marks of the tests: none is missing, and each promise has its tests."""

import ast
import pathlib

import testtools

from trove_ext.tests import promises
from trove_ext.tests.promises import Ground, Promise

FUNCTIONAL = promises.TESTS / "functional"
#: Promises that one kind of test can show only, and why.
NOT_ON_THE_FAKE = {Promise.FAKE, Promise.SANDBOX, Promise.TROVE}
NOT_ON_A_SERVER = {
    Promise.STOCK: "the requests of both are compared, which a server does not show",
}
REAL = set(Ground) - {Ground.FAKE}


class TestMarks(testtools.TestCase):
    def test_no_functional_test_is_without_a_mark(self):
        marked = {(mark.path, mark.name) for mark in promises.read()}
        for path in sorted(FUNCTIONAL.glob("test_*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and list(promises._tests(node)):
                    where = (str(pathlib.Path("functional", path.name)), node.name)
                    self.assertIn(where, marked)

    def test_no_mark_is_empty(self):
        for mark in promises.read():
            self.assertNotEqual((), mark.promises, mark)
            self.assertGreater(mark.tests, 0, mark)

    def test_each_promise_is_shown_on_the_fake_cloud_and_on_a_server(self):
        found = promises.table()
        for promise in Promise:
            if promise not in NOT_ON_THE_FAKE:
                self.assertGreater(found[promise, Ground.FAKE], 0, promise)
            if promise not in NOT_ON_A_SERVER:
                self.assertGreater(sum(found[promise, x] for x in REAL), 0, promise)

    def test_tests_of_an_engine_are_on_its_ground(self):
        for mark in promises.read():
            if mark.path.startswith("functional/test_postgresql"):
                self.assertEqual(Ground.POSTGRESQL, mark.ground, mark)

    def test_a_mark_changes_nothing(self):
        def test():
            pass

        mark = promises.shows(Promise.GUIDE, on=Ground.FAKE)
        self.assertIs(test, mark(test))
