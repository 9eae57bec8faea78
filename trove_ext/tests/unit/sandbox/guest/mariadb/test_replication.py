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

"""Replication, by the statements that reach a server."""

import testtools

from trove_ext.sandbox.guest.mariadb import replication


class FakeSession:
    """Records each statement, and returns rows for the queries."""

    def __init__(self, answers):
        self.answers = answers
        self.ran = []

    def query(self, sql, *values):
        self.ran.append((sql, *values))
        found = (rows for start, rows in self.answers.items() if sql.startswith(start))
        return next(found, [])

    def __enter__(self):
        return self

    def __exit__(self, *_exc_info):
        return None


class FakeDatabase:
    """A MariaDB of which only the results matter."""

    def __init__(self, **answers):
        names = {"status": "SHOW SLAVE STATUS", "current": "SELECT @@gtid_current_pos"}
        self.sent = FakeSession({names[k]: v for k, v in answers.items()})
        self.slave_pos = ""

    def session(self):
        return self.sent

    def query(self, sql, *values):
        return self.sent.query(sql, *values)

    def value(self, _sql):
        return self.slave_pos


RUNS = {
    "Slave_IO_Running": "Yes",
    "Slave_SQL_Running": "Yes",
    "Master_User": "slave_1",
    "Master_Server_Id": 7,
}
SOURCE = replication.Source(
    "127.77.80.10", 3306, replication.Account("slave_1", "secret")
)


class ConnectTest(testtools.TestCase):
    def position_after(self, position):
        db = FakeDatabase(status=[RUNS], current=[{"p": "0-7-12"}])
        replication.Replication(db).connect(SOURCE, position)
        return next(
            values for sql, *values in db.sent.ran if "SET GLOBAL gtid_slave_pos" in sql
        )

    def test_a_new_replica_starts_where_its_backup_was_taken(self):
        self.assertEqual(["0-7-9"], self.position_after("0-7-9"))

    def test_a_backup_of_an_empty_source_is_a_position_too(self):
        self.assertEqual([""], self.position_after(""))

    def test_a_former_member_continues_from_its_own_position(self):
        self.assertEqual(["0-7-12"], self.position_after(None))

    def test_a_replica_that_does_not_run_reports_the_reason(self):
        stopped = RUNS | {
            "Slave_IO_Running": "Connecting",
            "Last_IO_Error": "can't connect",
            "Last_SQL_Error": "",
        }
        self.patch(replication, "RUNNING_SECONDS", 0.0)
        db = FakeDatabase(status=[stopped], current=[{"p": ""}])
        error = self.assertRaises(
            replication.ReplicationError,
            replication.Replication(db).connect,
            SOURCE,
            None,
        )
        self.assertIn("can't connect", str(error))


class DisconnectTest(testtools.TestCase):
    def ran(self, *, for_failover):
        db = FakeDatabase(status=[RUNS])
        user = replication.Replication(db).disconnect(for_failover=for_failover)
        self.assertEqual("slave_1", user)
        return [sql for sql, *_values in db.sent.ran]

    def test_a_detached_replica_forgets_its_source_and_its_account(self):
        ran = self.ran(for_failover=False)
        self.assertIn("RESET SLAVE ALL", ran)
        self.assertTrue(any(sql.startswith("DROP USER") for sql in ran))

    def test_at_a_failover_the_account_is_kept(self):
        ran = self.ran(for_failover=True)
        self.assertIn("RESET SLAVE ALL", ran)
        self.assertFalse(any(sql.startswith("DROP USER") for sql in ran))

    def test_an_instance_that_is_no_replica_is_not_changed(self):
        db = FakeDatabase()
        self.assertIsNone(replication.Replication(db).disconnect(for_failover=True))
        self.assertEqual([("SHOW SLAVE STATUS",)], db.sent.ran)


class TransactionTest(testtools.TestCase):
    def test_the_sequence_of_the_source_is_found_among_domains(self):
        self.assertEqual(41, replication.sequence_from("0-3-12,1-7-41", 7))

    def test_a_source_that_wrote_nothing_counts_as_nothing(self):
        self.assertEqual(0, replication.sequence_from("0-3-12", 7))
        self.assertEqual(0, replication.sequence_from("", 7))
        self.assertEqual(0, replication.sequence_from("0-3-12", None))

    def test_the_last_transaction_names_the_source(self):
        db = FakeDatabase(status=[RUNS])
        db.slave_pos = "0-7-12"
        last = replication.Replication(db).last_transaction()
        self.assertEqual((7, 12), last)

    def test_what_a_source_passes_on_is_parsed_again(self):
        info = {
            "master": {"host": "127.77.80.10", "port": 3306},
            "replica_conf": {
                "replication_user": {"name": "slave_1", "password": "secret"}
            },
        }
        self.assertEqual(SOURCE, replication.source_of(info))
