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

"""A query of a restored PostgreSQL."""

from unittest import mock

import psycopg
from psycopg import errors

from trove_ext.exceptions import CheckError, Exit
from trove_ext.tests.unit.shown import shown
from trove_ext.tests.unit.workflows.verifications import PostgresVerifyTestCase
from trove_ext.workflows.restore import sql_postgresql
from trove_ext.workflows.restore.sql import Failure


class TestQuery(PostgresVerifyTestCase):
    def error(self, **kwargs):
        found = self.one(expect="300", **kwargs)
        self.assertEqual([], self.temporary())
        return shown(found.error)

    def test_root_reads_it_with_a_random_password(self):
        found = self.one(expect="300")
        self.assertIsNone(found.error)
        self.assertEqual("data checked", self.results(found)["total"])
        self.one(expect="300")
        one, two = (login["password"] for login in self.server.logins)
        self.assertNotEqual(one, two)
        self.assertNotIn(one, self.output() + str(self.cloud.journal.summary()))

    def test_the_source_keeps_its_root(self):
        self.db1.root_enabled, self.db1.root_password = True, "secret"
        self.one(expect="300")
        self.assertEqual("secret", self.db1.root_password)

    def test_root_of_a_kept_instance_is_disabled(self):
        self.one(expect="300", keep=True)
        (kept,) = self.temporary()
        self.assertFalse(kept.root_enabled)

    def test_if_root_is_forbidden_it_is_not_tried(self):
        self.fake.forbidden.add("instance:extension:root:create")
        found = self.one(expect="300")
        self.assertEqual("not tried", self.results(found)["total"])
        self.assertIn("root", str(found.error))

    def test_the_only_database_is_the_one(self):
        self.one(expect="300")
        self.assertEqual("myDB", self.server.logins[0]["dbname"])

    def test_of_several_databases_one_has_to_be_named(self):
        self.db1.content.databases.add("shop")
        self.add("b2")
        found = self.one("b2", expect="300")
        self.assertEqual("not tried", self.results(found)["total"])
        self.assertRegex(shown(found.error), "myDB, shop")
        self.assertIn("--query-database", shown(found.error))
        self.assertIsNone(self.one("b2", expect="300", query_database="shop").error)
        self.assertEqual("shop", self.server.logins[-1]["dbname"])
        self.assertIsNone(self.one("b2", expect="300", query_database="postgres").error)

    def test_waits_while_the_log_in_is_refused(self):
        self.server.errors = [psycopg.OperationalError("FATAL: starting up")] * 2
        self.assertIsNone(self.one(expect="300").error)
        self.assertEqual(3, len(self.server.logins))

    def test_a_log_in_that_stays_refused_is_an_error(self):
        self.server.errors = [psycopg.OperationalError("FATAL: no pg_hba")] * 999
        self.assertIn("no pg_hba", self.error())

    def test_no_route_is_reported_with_what_can_be_done(self):
        self.server.open = None
        with mock.patch("socket.create_connection", side_effect=OSError("No route")):
            text = self.error()
        self.assertRegex(
            text, r"can't be reached from here; 10\.0\.0\.\d:5432: No route"
        )
        self.assertIn("--is-public", text)

    def test_a_broken_statement_is_not_tried_twice(self):
        self.server.statement_errors = [errors.UndefinedTable("no relation t")]
        self.assertIn("the query failed: no relation t", self.error())
        self.assertEqual(1, len(self.server.statements))

    def test_a_query_may_take_as_long_as_the_time_out_says(self):
        self.one(expect="300", timeout=5000.0)
        self.one(expect="300", timeout=0.0)
        self.one(expect="300", timeout=1e9)
        limited, endless, huge = (
            int(login["options"].partition("=")[2]) for login in self.server.logins
        )
        self.assertGreater(limited, 4_000_000)
        self.assertEqual((0, 2**31 - 1), (endless, huge))

    def test_one_that_is_still_running_at_the_time_out_is_a_time_out(self):
        def late(_statement):
            self.clock.sleep(5000)
            raise errors.QueryCanceled("canceling statement due to statement timeout")

        self.server.execute = late
        found = self.one(expect="300", timeout=4000.0)
        self.assertEqual(Exit.TIMEOUT, found.error.exit_code)
        self.assertIn("still running", str(found.error))

    def test_what_is_no_single_value_is_refused(self):
        for rows, columns, said in (
            (1, 2, "1 rows with 2 columns"),
            (2, 1, "several rows"),
            (0, 0, "0 rows"),
        ):
            self.server.result.ntuples, self.server.result.nfields = rows, columns
            self.assertIn(said, self.error())

    def test_null_is_text(self):
        self.server.result.get_value = lambda *_at: None
        self.assertIsNone(self.one(expect="NULL").error)

    def test_without_the_driver_nothing_is_made(self):
        with mock.patch.dict("sys.modules", {"psycopg": None}):
            error = self.assertRaises(CheckError, self.one, expect="300")
        self.assertIn("they need psycopg: pip install 'trove-ext[sql]'", str(error))
        self.assertEqual([], self.requests("POST"))

    def test_errors_by_their_sqlstate(self):
        kinds = {
            errors.InvalidPassword("x"): Failure.NOT_YET,
            errors.CannotConnectNow("x"): Failure.NOT_YET,
            errors.InsufficientPrivilege("x"): Failure.NOT_YET,
            errors.AdminShutdown("x"): Failure.LOST,
            errors.ConnectionFailure("x"): Failure.LOST,
            psycopg.OperationalError("server closed the connection"): Failure.LOST,
            errors.SyntaxError("x"): Failure.WRONG,
            psycopg.DataError("x"): Failure.WRONG,
            OSError("x"): Failure.NO_ROUTE,
        }
        for error, kind in kinds.items():
            self.assertIs(kind, sql_postgresql.failure(error), repr(error))

    def test_a_server_that_hangs_is_cut_off(self):
        with (
            mock.patch.object(sql_postgresql, "GRACE", -0.2),
            self.server as connection,
            sql_postgresql._cut_at(mock.Mock(remaining=0.3), connection),
        ):
            # Ends the read, which would otherwise wait for ever.
            self.assertEqual(b"", self.server.pair[1].recv(1))
