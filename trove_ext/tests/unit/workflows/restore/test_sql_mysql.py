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

"""How a query of MySQL connects, and what its errors mean."""

import pymysql

from trove_ext.tests.unit.workflows.verifications import VerifyTestCase
from trove_ext.workflows.restore import sql_mysql
from trove_ext.workflows.restore.sql import Failure


class TestConnection(VerifyTestCase):
    def test_it_connects_to_no_database_unless_one_is_named(self):
        self.one(expect="300")
        self.one(expect="300", query_database="myDB")
        named = [login["database"] for login in self.server.logins]
        self.assertEqual([None, "myDB"], named)

    def test_a_named_database_that_is_missing_fails(self):
        found = self.one(expect="300", query_database="other")
        self.assertIn("the database other is missing", str(found.error))

    def test_errors_by_their_numbers(self):
        kinds = {
            1045: Failure.NOT_YET,
            2013: Failure.LOST,
            2003: Failure.NO_ROUTE,
            1146: Failure.WRONG,
        }
        for number, kind in kinds.items():
            error = pymysql.OperationalError(number, "text")
            self.assertIs(kind, sql_mysql.failure(error))
        self.assertIs(Failure.WRONG, sql_mysql.failure(RuntimeError()))
