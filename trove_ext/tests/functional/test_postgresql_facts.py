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

"""What Trove 26 does with PostgreSQL: facts on which this project relies.

They are bugs of Trove. With a newer Trove these tests show what was fixed.
"""

import threading
import time
import unittest

from trove_ext.tests.functional import postgresql, replicas
from trove_ext.tests.promises import Ground, Promise, shows

#: About 60 MB: four segments of WAL.
FILLING = "n, repeat(md5(n::text), 4) AS text FROM generate_series(1, 400000) AS n"
long_only = unittest.skipUnless(replicas.LONG, "takes long")


@shows(Promise.ENGINE, on=Ground.POSTGRESQL)
class BackupFactsTest(postgresql.PostgresTestCase):
    """Incrementals: WAL since the previous backup of any kind."""

    def check_hole(self, source, parent, numbers):
        """An incremental on *parent* is COMPLETED, and its restore ends at *parent*."""
        last = self.backup(source, "incremental", parent)
        restored = self.restore(last)
        self.recovered(restored)
        self.assertEqual(numbers, self.rows(restored))

    @long_only
    def test_an_incremental_on_the_last_backup_of_its_server_has_everything(self):
        source = self.make_source()
        self.add(source, 1)
        full = self.backup(source, "full")
        self.add(source, 2)
        middle = self.backup(source, "middle", full)
        self.add(source, 3)
        self.check_hole(source, middle, [1, 2, 3])

    def test_a_sibling_deleted_before_loses_everything_after_the_parent(self):
        source = self.make_source()
        self.add(source, 1)
        full = self.backup(source, "full")
        self.add(source, 2)
        self.delete_backup(self.backup(source, "sibling", full))
        self.add(source, 3)
        self.check_hole(source, full, [1])

    @long_only
    def test_an_older_full_backup_as_parent_loses_everything_after_it(self):
        source = self.make_source()
        self.add(source, 1)
        older = self.backup(source, "older")
        self.add(source, 2)
        self.backup(source, "newer")
        self.add(source, 3)
        self.check_hole(source, older, [1])

    @long_only
    def test_the_second_of_two_branches_loses_everything_after_the_parent(self):
        source = self.make_source()
        self.add(source, 1)
        full = self.backup(source, "full")
        self.add(source, 2)
        self.backup(source, "first", full)
        self.add(source, 3)
        self.check_hole(source, full, [1])

    @long_only
    def test_a_replica_made_between_loses_everything_after_the_parent(self):
        source = self.make_source()
        self.add(source, 1)
        full = self.backup(source, "full")
        self.add(source, 2)
        self.make_replicas(source, "replica")
        self.add(source, 3)
        self.check_hole(source, full, [1])

    @long_only
    def test_a_failed_full_backup_loses_everything_after_the_parent(self):
        source = self.make_source()
        self.add(source, 1)
        full = self.backup(source, "full")
        self.add(source, 2)
        # pg_basebackup succeeds, but its history file can't be archived in time.
        self.trove_sandbox("fault", "set", "archive", "--instance", source)
        self.addCleanup(self.trove_sandbox, "fault", "clear", f"archive@{source}")
        self.backup(source, "failed", state="FAILED")
        self.trove_sandbox("fault", "clear", f"archive@{source}")
        self.add(source, 3)
        self.check_hole(source, full, [1])

    @long_only
    def test_an_incremental_hangs_while_the_archiver_fails(self):
        source = self.make_source()
        full = self.backup(source, "full")
        self.trove_sandbox("fault", "set", "archive", "--instance", source)
        self.addCleanup(self.trove_sandbox, "fault", "clear", f"archive@{source}")
        hanging = self.client.backups.create("hanging", source, parent_id=full).id
        time.sleep(5)
        self.assertEqual("BUILDING", self.client.backups.get(hanging).status)
        self.assertEqual("HEALTHY", self.shown(source).operating_status)
        self.trove_sandbox("fault", "clear", f"archive@{source}")
        # A new segment wakes the archiver, which otherwise sleeps for a minute.
        self.write_wal(source, 1)
        self.wait_backup(hanging)

    def test_a_full_backup_of_a_replica_restores_into_one_that_takes_no_writes(self):
        source = self.make_source()
        self.add(source, 1)
        (replica,) = self.make_replicas(source, "replica")
        full = self.backup(replica, "full")
        self.backup(replica, "incremental", full, state="FAILED")
        restored = self.restore(full)
        self.assertEqual([1], self.rows(restored))
        error = self.assertRaises(postgresql.psycopg2.Error, self.add, restored, 2)
        self.assertIn("read-only", str(error))
        self.assertTrue(self.value(restored, "SELECT pg_is_in_recovery()"))

    @long_only
    def test_a_restored_instance_is_healthy_before_its_data_and_takes_no_writes(self):
        source = self.make_source()
        self.add(source, 1)
        full = self.backup(source, "full")
        # Of segments without data, recovery reads far ahead of what it replays.
        self.sql(source, f"CREATE TABLE big AS SELECT {FILLING}")
        self.add(source, 2)
        last = self.backup(source, "incremental", full)
        self.trove_sandbox("fault", "set", "recovery", "--sleep", "10")
        self.addCleanup(self.trove_sandbox, "fault", "clear", "recovery")
        restored = self.restore(last)
        self.assertTrue(self.value(restored, "SELECT pg_is_in_recovery()"))
        self.assertEqual([1], self.rows(restored))
        refused = postgresql.psycopg2.errors.ReadOnlySqlTransaction
        self.assertRaises(refused, self.add, restored, 3)
        self.trove_sandbox("fault", "clear", "recovery")
        self.recovered(restored)
        self.assertEqual([1, 2], self.rows(restored))


@shows(Promise.ENGINE, on=Ground.POSTGRESQL)
class ReplicaFactsTest(postgresql.PostgresTestCase):
    """Replicas that are reported as HEALTHY, and sets that Trove breaks."""

    def test_a_second_replica_is_healthy_and_has_no_rows(self):
        source = self.make_source()
        self.backup(source, "full")
        self.add(source, 1, 2, 3)
        (first,) = self.make_replicas(source, "first")
        self.eventually([1, 2, 3], lambda: self.rows(first))
        # More than wal_keep_size (80 MB), so it can't be streamed later, and never so
        # much at once that the first one can't follow on a busy machine.
        for _ in range(3):
            self.write_wal(source, 4)
            self.caught_up(source, first)
        (second,) = self.make_replicas(source, "second")
        self.add(source, 4)
        self.eventually([1, 2, 3, 4], lambda: self.rows(first))
        self.assertEqual([], self.rows(second))
        self.assertEqual("HEALTHY", self.shown(second).operating_status)
        log = self.trove_sandbox("logs", second, "-n", "200")
        self.assertIn("has already been removed", log)

    @long_only
    def test_two_positions_are_compared_as_text(self):
        source = self.make_source()
        (replica,) = self.make_replicas(source, "replica")
        self.write_until(source, "0/F")
        self.caught_up(source, replica)
        self.sql(
            replica,
            "ALTER SYSTEM SET primary_conninfo = ''",
            "SELECT pg_reload_conf()",
        )
        self.eventually(0, lambda: self.receivers(source))
        self.write_until(source, "0/10")
        self.add(source, 1)
        self.promote(replica, source)
        # "0/F..." is beyond "0/10..." as text: the promote waited for nothing.
        self.assertEqual([], self.rows(replica))

    def write_until(self, source, start):
        """Write WAL until its position begins with this text."""
        while not self.lsn(source).startswith(start):
            self.write_wal(source, 1)

    def lsn(self, source):
        return self.value(source, "SELECT pg_current_wal_lsn()")

    def receivers(self, source):
        return self.value(source, "SELECT count(*) FROM pg_stat_replication")

    def caught_up(self, source, replica):
        here = self.lsn(source)
        behind = f"SELECT pg_last_wal_replay_lsn() >= '{here}'"
        self.eventually(True, lambda: self.value(replica, behind))

    @long_only
    def test_two_promotes_back_and_forth_stop_the_archiver(self):
        source = self.make_source()
        (replica,) = self.make_replicas(source, "replica")
        for new, old in ((replica, source), (source, replica)):
            # More than a segment, and a checkpoint; otherwise the failure does not
            # show.
            self.write_wal(old, 3)
            self.caught_up(old, new)
            self.promote(new, old)
        self.write_wal(source, 3)
        archiver = "SELECT failed_count > 0 FROM pg_stat_archiver"
        self.eventually(True, lambda: self.value(source, archiver))
        self.backup(source, "full", state="FAILED")
        self.assertIn("backup metadata", self.fault(source))
        self.assertEqual("HEALTHY", self.shown(source).operating_status)

    def test_a_first_replica_on_an_older_backup_can_not_be_promoted(self):
        source = self.make_source()
        self.backup(source, "older")
        (replica,) = self.make_replicas(source, "replica")
        self.client.instances.promote_to_replica_source(replica)
        for member in (source, replica):
            self.wait_status(member, "ERROR")
        # It has the user "replicator" but not the file with its password.
        self.eventually(True, lambda: "__dict__ must be set" in self.fault(replica))
        # It was already promoted by then: both take writes.
        self.add(source, 1)
        self.add(replica, 2)

    @long_only
    def test_an_eject_puts_the_whole_set_into_error(self):
        source = self.make_source()
        members = [source, *self.make_replicas(source, "first", "second")]
        self.trove_sandbox("fault", "host-off", source)
        self.eventually("ERROR", lambda: self.shown(source).operating_status)
        self.client.instances.eject_replica_source(source)
        for member in members:
            self.wait_status(member, "ERROR")
        missing = "does not support RPC method get_last_txn"
        self.eventually(True, lambda: missing in self.fault(source))
        # To recover: an admin resets the replicas, and they are detached.
        for replica in members[1:]:
            self.admin.mgmt_instances.reset_task_status(replica)
            self.wait_healthy(replica)
        self.client.instances.update(members[1], detach_replica_source=True)
        self.wait_healthy(members[1])
        self.eventually(
            None, lambda: getattr(self.shown(members[1]), "replica_of", None)
        )
        self.add(members[1], 1)


@shows(Promise.ENGINE, on=Ground.POSTGRESQL)
class PromoteFactsTest(postgresql.PostgresTestCase):
    """A promote during writes: nothing is fenced, nothing is rewound."""

    @long_only
    def test_a_sibling_of_a_promoted_replica_is_corrupt_and_healthy(self):
        source = self.make_source()
        self.sql(
            source, "CREATE TABLE w (n int PRIMARY KEY)", "CREATE EXTENSION amcheck"
        )
        target, sibling = self.make_replicas(source, "target", "sibling")
        writer = Writer(self.address_of(source))
        writer.start()
        self.promote(target, source, sibling)
        acknowledged = writer.stop()
        self.eventually(
            2, lambda: self.value(target, "SELECT count(*) FROM pg_stat_replication")
        )
        found = {n for (n,) in self.sql(target, "SELECT n FROM w")}
        self.assertTrue(acknowledged - found, "nothing was lost")
        # What the new source writes now conflicts with what only the sibling has.
        self.sql(target, "INSERT INTO w SELECT generate_series(100001, 100200)")
        here = self.value(target, "SELECT pg_current_wal_lsn()")
        caught = f"SELECT pg_last_wal_replay_lsn() >= '{here}'"
        self.eventually(True, lambda: self.value(sibling, caught))
        count = "SELECT count(*) FROM w"
        self.assertNotEqual(self.value(target, count), self.value(sibling, count))
        error = self.assertRaises(postgresql.psycopg2.Error, self.check_index, sibling)
        self.assertIn("lacks matching index tuple", str(error))
        self.check_index(target)
        self.assertEqual("HEALTHY", self.shown(sibling).operating_status)

    def check_index(self, instance):
        self.sql(instance, "SELECT bt_index_check('w_pkey', true)")


class Writer(threading.Thread):
    """Writes rows into one server until it is stopped.

    :ivar acknowledged: the rows that the server has acknowledged
    """

    def __init__(self, address):
        super().__init__(daemon=True)
        self._address = address
        self._ended = threading.Event()
        self.acknowledged = set()

    def run(self):
        row = 0
        while not self._ended.is_set():
            try:
                connection = postgresql.psycopg2.connect(
                    host=self._address,
                    port=5432,
                    user=postgresql.ROOT,
                    password=postgresql.PASSWORD,
                    dbname=postgresql.DATABASE,
                    connect_timeout=2,
                )
                connection.autocommit = True
                cursor = connection.cursor()
                while not self._ended.is_set():
                    row += 1
                    cursor.execute("INSERT INTO w VALUES (%s)", (row,))
                    self.acknowledged.add(row)
            except postgresql.psycopg2.Error:
                time.sleep(0.05)

    def stop(self):
        """End it; return the rows that were acknowledged."""
        self._ended.set()
        self.join()
        return self.acknowledged
