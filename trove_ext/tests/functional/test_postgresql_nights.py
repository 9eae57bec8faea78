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

"""What takes long to show on PostgreSQL: ten nights of a cron job, fifty verifications.

A night is a run of the cron job; between two of them there is no other difference than
what happens to the instances and their backups.
"""

import json
import sys
import time
import unittest

from trove_ext.tests.functional import postgresql, replicas
from trove_ext.tests.promises import Ground, Promise, shows

long_only = unittest.skipUnless(replicas.LONG, "takes long")
BACKUP = ("database", "backup")
NIGHTS = 10
VERIFICATIONS = 50
AT_ONCE = 5
#: Rows of 100 bytes or so in each backup of the chain: 20 MB of WAL.
ROWS = 100_000


@shows(Promise.ENGINE, Promise.RESTORE, on=Ground.POSTGRESQL)
class NightsTest(postgresql.PostgresTestCase):
    """The backup of each night restores with what was there in that night."""

    def setUp(self):
        super().setUp()
        self.source = self.make_source()

    @long_only
    def test_the_backups_of_ten_nights_restore_whatever_happens_in_between(self):
        events = {
            2: self.make_first_replica,
            3: self.fail_a_backup,
            4: self.make_second_replica,
            5: self.delete_a_backup,
            6: self.promote,
            8: self.delete_a_backup,
        }
        backups = {}
        for night in range(1, NIGHTS + 1):
            self.add(self.source, night)
            backups[night] = self.rotate()
            if night in events:
                events[night]()
        for night, row in backups.items():
            restored = self.restore(row["ID"], f"restored-{night}")
            self.recovered(restored)
            found = self.rows(restored)
            self.note(
                f"night {night}, {row['Type']} {row['Backup']}: {len(found)} rows"
            )
            self.assertEqual(list(range(1, night + 1)), found)
            self.delete(restored)

    def note(self, text):
        print(f"\n{text}", end="", file=sys.stderr)

    def rotate(self):
        """The cron job of a night; return the row of its backup."""
        options = ("--all", "--min-age", "0", "--keep-last", str(NIGHTS))
        (row,) = self.openstack_json(*BACKUP, "rotate", *options, stderr=".*")
        self.assertEqual(("COMPLETED", 0), (row["Status"], row["Deleted"]), row)
        return row

    def make_replica(self, name):
        create = ("database", "replica", "create", self.source, name, "--wait")
        self.openstack(*create, stderr=".*")
        listed = {made.name: made.id for made in self.client.instances.list()}
        self.made.append(listed[name])
        return listed[name]

    def make_first_replica(self):
        self.first = self.make_replica("first")

    def make_second_replica(self):
        """One that can be promoted: the first one is built on an older backup."""
        self.second = self.make_replica("second")

    def fail_a_backup(self):
        """A full one, which the server has taken nevertheless."""
        self.trove_sandbox("fault", "set", "archive", "--instance", self.source)
        clear = ("fault", "clear", f"archive@{self.source}")
        self.addCleanup(self.trove_sandbox, *clear)
        self.backup(self.source, "failed", state="FAILED")
        self.trove_sandbox(*clear)
        # A new segment wakes the archiver, which otherwise sleeps for a minute.
        self.write_wal(self.source, 1)

    def delete_a_backup(self):
        self.delete_backup(self.backup(self.source, "by-hand"))

    def promote(self):
        promote = ("database", "replica", "promote", self.second, "--fence")
        run = self.run_openstack(*promote, timeout=1800)
        self.assertEqual(0, run.exit_code, run)
        self.source = self.second


@shows(Promise.ENGINE, Promise.VERIFY, on=Ground.POSTGRESQL)
class VerdictTest(postgresql.PostgresTestCase):
    """A verification waits until the restored server has replayed its WAL."""

    @long_only
    def test_fifty_verdicts_of_slow_restores_are_right(self):
        source = self.make_source()
        self.sql(source, "CREATE TABLE big (n int, filling text)")
        parent = None
        for name in ("full", "first", "second"):
            self.fill(source)
            parent = self.backup(source, name, parent)
        for point, seconds in (("restore", "2"), ("recovery", "1")):
            self.trove_sandbox("fault", "set", point, "--sleep", seconds)
            self.addCleanup(self.trove_sandbox, "fault", "clear", point)
        times = []
        for start in range(0, VERIFICATIONS, AT_ONCE):
            times += self.verify(parent, range(start, start + AT_ONCE))
            print(f"\n{len(times)} verdicts", end="", file=sys.stderr)
        print(
            f"\n{len(times)} right verdicts of {VERIFICATIONS}, {min(times):.0f} to "
            f"{max(times):.0f} s each, {AT_ONCE} at once",
            file=sys.stderr,
        )
        names = [instance.name for instance in self.client.instances.list()]
        self.assertEqual(["source"], names)

    def fill(self, source):
        fill = f"SELECT n, repeat(md5(n::text), 3) FROM generate_series(1, {ROWS}) n"
        self.sql(source, f"INSERT INTO big {fill}")

    def verify(self, backup, numbers):
        """Verify at once, every second with a wrong count; return the seconds."""
        began = time.monotonic()
        running = {number: self.start(backup, number) for number in numbers}
        seconds = []
        for number, process in running.items():
            out, err = process.communicate(timeout=1800)
            seconds.append(time.monotonic() - began)
            wrong = number % 2
            self.assertEqual(wrong, process.returncode, out + err)
            steps = {row["Step"]: row["Result"] for row in json.loads(out)}
            wanted = "FAILED" if wrong else "data checked"
            self.assertEqual(wanted, steps["total"], err)
            if wrong:
                count = self.count(wrong)
                self.assertIn(f"expected {count}, found {self.count(0)}", err)
        return seconds

    def start(self, backup, number):
        # A wrong count is that of the parent: a verdict on old data would accept it.
        count = self.count(number % 2)
        query = ("--query", "SELECT count(*) FROM big", "--expect", str(count))
        return self.start_openstack(*BACKUP, "verify", backup, *query, "-f", "json")

    @staticmethod
    def count(missing):
        return (3 - missing) * ROWS
