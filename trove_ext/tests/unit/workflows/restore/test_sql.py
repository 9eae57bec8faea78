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

"""A query of a restored instance."""

from unittest import mock

import pymysql

from trove_ext.exceptions import CheckError, Exit
from trove_ext.tests.unit.shown import shown
from trove_ext.tests.unit.workflows.verifications import VerifyTestCase


class TestQuery(VerifyTestCase):
    def error(self, **kwargs):
        found = self.one(expect="300", **kwargs)
        self.assertEqual([], self.temporary())
        return shown(found.error)

    def test_no_route_is_reported_with_what_can_be_done(self):
        self.server.errors = [pymysql.OperationalError(2003, "No route to host")]
        text = self.error()
        self.assertRegex(
            text, r"can't be reached from here; 10\.0\.0\.\d:3306: No route"
        )
        self.assertIn("--is-public", text)

    def test_waits_for_a_user_that_does_not_exist_yet(self):
        denied = pymysql.OperationalError(1045, "Access denied")
        self.server.errors = [denied, denied]
        self.assertIsNone(self.one(expect="300").error)
        self.assertEqual(3, len(self.server.logins))

    def test_a_user_that_never_appears_is_an_error(self):
        self.server.errors = [pymysql.OperationalError(1045, "Access denied")] * 999
        self.assertIn("Access denied", self.error())

    def test_a_broken_statement_is_not_tried_twice(self):
        self.server.errors = [pymysql.ProgrammingError(1146, "No such table")]
        self.assertIn("the query failed: No such table", self.error())
        self.assertEqual(1, len(self.server.logins))

    def test_a_query_may_take_as_long_as_the_time_out_says(self):
        self.one(expect="300", timeout=5000.0)
        self.one(expect="300", timeout=0.0)
        limited, endless = (login["read_timeout"] for login in self.server.logins)
        self.assertGreater(limited, 4000)
        self.assertIsNone(endless)

    def test_one_that_is_still_running_at_the_time_out_is_a_time_out(self):
        def late(**_kwargs):
            self.clock.sleep(5000)
            raise pymysql.OperationalError(2013, "Lost connection")

        self.server.connect = late
        found = self.one(expect="300", timeout=4000.0)
        self.assertEqual(Exit.TIMEOUT, found.error.exit_code)
        self.assertIn("still running", str(found.error))
        self.assertEqual([], self.temporary())

    def test_several_values_are_refused(self):
        self.server.rows = ((1, 2),)
        self.assertIn("1 rows with 2 columns", self.error())
        self.server.rows = ((1,), (2,))
        self.assertIn("several rows", self.error())
        self.server.rows = ()
        self.assertIn("0 rows", self.error())

    def test_null_and_bytes_are_text(self):
        self.server.rows = ((None,),)
        self.assertIsNone(self.one(expect="NULL").error)
        self.server.rows = ((b"300",),)
        self.assertIsNone(self.one(expect="300").error)

    def test_the_password_is_random_and_never_shown(self):
        self.one(expect="300")
        self.one(expect="300")
        one, two = (login["password"] for login in self.server.logins)
        self.assertNotEqual(one, two)
        self.assertNotIn(one, self.output() + str(self.cloud.journal.summary()))

    def test_a_login_that_needs_another_package_is_an_error(self):
        self.server.errors = [RuntimeError("'cryptography' package is required")]
        self.assertIn("'cryptography' package is required", self.error())

    def test_without_the_driver_nothing_is_made(self):
        with mock.patch.dict("sys.modules", {"pymysql": None}):
            error = self.assertRaises(CheckError, self.one, expect="300")
        self.assertIn("trove-ext[sql]", str(error))
        self.assertEqual([], self.requests("POST"))
