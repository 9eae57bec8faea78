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

"""A verification claims only what it has checked, and names any orphaned instance."""

from unittest import mock

import pymysql

from trove_ext.exceptions import CheckError, Exit
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.state import BackupState, Task
from trove_ext.tests.unit.shown import shown
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.tests.unit.workflows.restore.test_restore import lost_creation
from trove_ext.workflows.restore import scratch_instance, verify
from trove_ext.workflows.restore.contents import Question
from trove_ext.workflows.restore.settings import RestoreOptions

COUNT = "SELECT count(*) FROM myDB.t"


class Stop(BaseException):
    """The exception that a signal raises at any point."""


class Server:
    """A stand-in for PyMySQL: users that Trove has created may read one value."""

    def __init__(self, fake, rows=((300,),)):
        self.fake = fake
        self.rows = rows
        self.errors = []
        self.logins = []

    def connect(self, **kwargs):
        self.logins.append(kwargs)
        if self.errors:
            raise self.errors.pop(0)
        guests = [
            instance
            for instance in self.fake.live_instances
            if instance.ip == kwargs["host"]
        ]
        user = guests[0].content.users[kwargs["user"], "%"]
        assert user.password == kwargs["password"]
        cursor = mock.MagicMock(spec=pymysql.cursors.Cursor)
        cursor.__enter__.return_value = cursor
        cursor.fetchmany.return_value = self.rows
        connection = mock.MagicMock(spec=pymysql.connections.Connection)
        connection.__enter__.return_value = connection
        connection.cursor.return_value = cursor
        return connection


class VerifyTestCase(BackupTestCase):
    def fresh(self):
        super().fresh()
        self.db1.content.databases.add("myDB")
        self.server = Server(self.fake)

    def setUp(self):
        super().setUp()
        self.add("b1")
        # At the call, because a test may replace the server.
        patcher = mock.patch.object(pymysql, "connect", self.connect)
        patcher.start()
        self.addCleanup(patcher.stop)

    def connect(self, **kwargs):
        return self.server.connect(**kwargs)

    def verify(self, *backups, expect=None, **kwargs):
        if expect is not None:
            kwargs["questions"] = (Question(COUNT, expect),)
        requests = [
            verify.VerifyRequest(backup, RestoreOptions(), **kwargs)
            for backup in backups or ("b1",)
        ]
        return list(verify.verify(self.cloud, requests))

    def one(self, *args, **kwargs):
        (only,) = self.verify(*args, **kwargs)
        return only

    def results(self, verification):
        return {step.name: step.result for step in verification.steps}

    def temporary(self):
        return [
            instance
            for instance in self.fake.live_instances
            if instance.name.startswith("trove-ext-verify")
        ]

    def output(self):
        texts = [
            *self.progress.notes,
            *self.progress.warnings,
            *map(str, self.progress.states),
        ]
        return "\n".join(texts)


class TestVerdict(VerifyTestCase):
    def test_without_a_check_it_is_restored_and_no_more(self):
        found = self.one()
        self.assertIsNone(found.error)
        self.assertEqual("restored", self.results(found)["total"])
        self.assertEqual([], self.temporary())

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

    def test_invalid_settings_prove_nothing_about_the_backup(self):
        self.fake.quotas["instances"] = 1
        found = self.one()
        self.assertEqual("not tried", self.results(found)["total"])
        self.assertIn("was not tried", str(found.error))
        self.assertEqual(
            {self.fake.backup("b1").id}, {s.backup_id for s in found.steps}
        )

    def test_all_values_that_are_wrong_are_reported(self):
        questions = (Question(COUNT, "1"), Question(COUNT, "300"), Question("x", "2"))
        found = self.one(questions=questions)
        self.assertIn("expected 1, found 300", str(found.error))
        self.assertIn("expected 2, found 300", str(found.error))

    def test_the_right_value_makes_it_data_checked(self):
        found = self.one(expect="300")
        self.assertIsNone(found.error)
        self.assertEqual("data checked", self.results(found)["total"])

    def test_a_wrong_value_fails_and_no_instance_remains(self):
        found = self.one(expect="299")
        self.assertEqual("FAILED", self.results(found)["data"])
        self.assertIn("expected 299, found 300", str(found.error))
        self.assertEqual(Exit.FAILED, found.error.exit_code)
        self.assertEqual([], self.temporary())

    def test_a_copy_of_a_public_database_is_not_public_unless_asked_for(self):
        self.db1.access = {"is_public": True, "allowed_cidrs": ["10.0.0.0/8"]}
        self.one(keep=True)
        (kept,) = self.temporary()
        self.assertEqual(
            {"is_public": False, "allowed_cidrs": ["10.0.0.0/8"]}, kept.access
        )

    def test_each_step_has_its_time(self):
        found = self.one(expect="300")
        seconds = {step.name: step.seconds for step in found.steps}
        self.assertEqual(
            ["check", "restore", "databases", "data", "delete", "total"], list(seconds)
        )
        self.assertGreaterEqual(seconds["restore"], self.fake.timings.restore)
        self.assertGreaterEqual(seconds["total"], seconds["restore"])

    def test_a_chain_that_is_broken_fails_before_anything_is_made(self):
        links = self.chain("c", 2, 10)
        links[0].state = BackupState.FAILED
        found = self.one("c-1")
        self.assertEqual({"check": "FAILED", "total": "FAILED"}, self.results(found))
        self.assertEqual([], self.requests("POST"))

    def test_one_that_fails_does_not_stop_the_others(self):
        found = self.verify("b1", "nobody", "b1")
        self.assertEqual(
            ["restored", "FAILED", "restored"],
            [self.results(verification)["total"] for verification in found],
        )
        error = verify.error_of(found)
        self.assertEqual(Exit.FAILED, error.exit_code)
        self.assertIn("1 of 3 failed", str(error))

    def test_a_failed_restore_reports_the_fault_and_no_instance_remains(self):
        self.fake.fail_restore()
        found = self.one()
        self.assertRegex(str(found.error), r"ERROR: \w")
        self.assertEqual("deleted", self.results(found)["delete"])
        self.assertEqual([], self.temporary())

    def test_a_time_out_exits_124_and_deletes_what_still_builds(self):
        found = self.one(timeout=10.0)
        self.assertEqual(Exit.TIMEOUT, found.error.exit_code)
        self.assertIn("still BUILD after 10 s", str(found.error))
        self.assertEqual([], self.temporary())

    def test_keep_keeps_and_names_the_instance_and_deletes_the_user(self):
        found = self.one(expect="300", keep=True)
        self.assertEqual("kept", self.results(found)["delete"])
        (kept,) = self.temporary()
        self.assertEqual({}, kept.content.users)
        self.assertIn(kept.id, self.output())


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


class TestLeftBehind(VerifyTestCase):
    def stopped(self, seconds, **kwargs):
        """Send a signal this many seconds after the start."""

        def stop():
            raise Stop

        self.fresh()
        self.add("b1")
        self.clock.after(seconds, stop)
        try:
            self.one(expect="300", **kwargs)
        except Stop:
            self.clock.advance(3600)
            return True
        return False

    def test_a_signal_at_any_moment_leaves_no_instance_unnamed(self):
        seconds, stopped, left = 0.01, 0, 0
        while self.stopped(seconds):
            for instance in self.temporary():
                left += 1
                self.assertIn(instance.name, self.output(), seconds)
            stopped += 1
            seconds += 0.03 if seconds < 1 else 0.9
        self.assertGreater(stopped, 80)
        self.assertEqual(0, left)

    def test_a_signal_names_the_instance_before_anything_else(self):
        self.assertTrue(self.stopped(30.0))
        warning = self.progress.warnings[0]
        self.assertRegex(warning, r"trove-ext-verify-\S+ \([0-9a-f-]{36}\)")
        self.assertIn("backup verify --clean-up", warning)

    def test_after_a_signal_before_the_response_to_the_create_no_instance_remains(self):
        manager = self.cloud.client.instances
        create = manager.create

        def created_and_stopped(**kwargs):
            create(**kwargs)
            raise Stop

        manager.create = created_and_stopped
        self.assertRaises(Stop, self.one)
        self.assertEqual([], self.temporary())
        self.assertEqual(1, len(self.fake.live_instances))

    def test_a_signal_before_the_creation_is_stored_waits_for_it_to_appear(self):
        manager = self.cloud.client.instances
        create = manager.create

        def stopped(**kwargs):
            self.clock.after(5.0, lambda: create(**kwargs))
            raise Stop

        manager.create = stopped
        self.assertRaises(Stop, self.one)
        self.assertEqual([], self.temporary())
        self.assertEqual(2, len(self.fake.instances))

    def test_after_a_signal_before_the_create_is_sent_nothing_is_searched(self):
        with mock.patch("trove_ext.workflows.restore.restore.submit", side_effect=Stop):
            self.assertRaises(Stop, self.one)
        self.assertLess(self.clock.monotonic(), scratch_instance.APPEAR_TIMEOUT)
        self.assertEqual([], self.progress.warnings)

    def test_if_even_the_owner_may_not_reset_it_the_instance_is_named(self):
        self.fake.policy_forbid("instance:force_delete")
        found = self.one(timeout=10.0)
        (left,) = self.temporary()
        self.assertEqual("FAILED", self.results(found)["delete"])
        self.assertIn(f"instance delete {left.id}", shown(found.error))
        self.assertEqual(Exit.TIMEOUT, found.error.exit_code)

    def test_a_delete_that_is_refused_is_named_though_the_backup_is_good(self):
        self.fake.policy_forbid("instance:delete")
        found = self.one()
        (left,) = self.temporary()
        self.assertEqual("restored", self.results(found)["total"])
        self.assertEqual("FAILED", self.results(found)["delete"])
        self.assertIn(f"instance delete {left.id}", shown(found.error))

    def test_after_a_lost_response_to_the_create_no_instance_remains(self):
        self.cloud = self.make_cloud([lost_creation()])
        found = self.one()
        self.assertIsNone(found.error)
        self.assertEqual([], self.temporary())

    def test_after_a_refused_create_nothing_is_searched(self):
        self.fake.policy_forbid("instance:create")
        found = self.one()
        self.assertNotIn("delete", self.results(found))
        self.assertLess(self.clock.monotonic(), scratch_instance.APPEAR_TIMEOUT)

    def test_an_instance_that_may_exist_is_searched_by_its_name(self):
        gone = Fault(
            Kind.HTTP_502,
            lasting=True,
            only=lambda request: (
                request.method == "POST" and request.path.endswith("/instances")
            ),
        )
        self.cloud = self.make_cloud([gone])
        found = self.one()
        self.assertIn("may exist or appear later", str(found.error))
        self.assertIn("--clean-up", shown(found.error))

    def test_only_instances_with_exactly_such_a_name_are_orphaned(self):
        name = scratch_instance.name_for(self.db1.id, self.clock.now())
        self.assertRegex(name, r"^trove-ext-verify-[0-9a-f]{8}-20260101T000\d{3}Z-")
        left = self.fake.add_instance(name)
        for other in (f"{name}-2", f"x{name}", name[:-1], "trove-ext-verify-mine"):
            self.fake.add_instance(other)
        (found,) = scratch_instance.find_orphaned(self.cloud)
        self.assertEqual(left.id, found.id)

    def test_clean_up_deletes_orphaned_instances_even_while_they_build(self):
        for task in (Task.NONE, Task.BUILDING):
            name = scratch_instance.name_for(self.db1.id, self.clock.now())
            self.fake.add_instance(name).task = task
        found = verify.clean_up(self.cloud, scratch_instance.find_orphaned(self.cloud))
        self.assertEqual(
            ["deleted"] * 2, [verification.steps[0].result for verification in found]
        )
        self.assertEqual([], self.temporary())
