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

"""Times that Trove has stored and that are ahead of now, and clocks that differ.

The times are changed in Trove's own database, as a host with a wrong clock would have
stored them.
"""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta

from trove_ext.sandbox import database
from trove_ext.sandbox.state import StateDir
from trove_ext.tests.functional.base import PROGRESS, FunctionalTestCase
from trove_ext.tests.functional.chain import FLAVOR, NETWORK
from trove_ext.tests.functional.proxy import FaultProxy
from trove_ext.tests.promises import Promise, shows

BACKUP = ("database", "backup")
MONTH = timedelta(days=30)
#: What a rotation writes on the way, and of a backup that is dated ahead.
ROTATION = rf"^db-1: backup |{PROGRESS}"
AHEAD = "^WARNING: Backup .* is dated (30d|29d23h) ahead of now: it counts neither"
SKEWED = "^WARNING: The clock of this machine is (2h|1h59m) behind Trove's"


@shows(Promise.RETENTION, Promise.FRESH)
class StoredTimesTest(FunctionalTestCase):
    made = False

    def setUp(self):
        super().setUp()
        if not type(self).made:
            argv = ("--size", "1", "--datastore", "mysql")
            self.openstack_here(
                *("database", "instance", "create", "db-1", "--flavor", FLAVOR),
                *(*argv, "--datastore-version", "5.7.29"),
                *("--nic", f"net-id={NETWORK}", "--wait"),
                stderr=PROGRESS,
            )
            type(self).made = True
        self.settings = StateDir(self.sandbox).settings()
        self.addCleanup(self.delete_backups)

    def delete_backups(self):
        for name in self.names():
            self.openstack_here(*BACKUP, "delete", name, "--wait", stderr=".*")

    def names(self):
        return {row["Name"] for row in self.rows(*BACKUP, "list")}

    def rows(self, *argv, **kwargs):
        """Run a list or a command that ends with one, in this process."""
        return json.loads(self.openstack_here(*argv, "-f", "json", **kwargs))

    def take(self, name, moved_by=None):
        """Take a backup; return its ID.

        :param moved_by: by how much to move the times that Trove has stored of it
        """
        argv = ("create", "db-1", name, "--wait", "-f", "json")
        made = json.loads(self.openstack_here(*BACKUP, *argv, stderr=PROGRESS))
        if moved_by is not None:
            self.move(made["id"], moved_by.total_seconds())
        return made["id"]

    def move(self, backup_id, seconds):
        statement = (
            "UPDATE backups SET created = created + INTERVAL %s SECOND, "
            "updated = updated + INTERVAL %s SECOND WHERE id = %s"
        )
        with (
            closing(database.connect(self.settings)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement, (seconds, seconds, backup_id))
            connection.commit()
            self.assertEqual(1, cursor.rowcount)

    def rotate(self, *argv, also=AHEAD):
        line = (*BACKUP, "rotate", "db-1", *argv)
        (row,) = self.rows(*line, stderr=f"{ROTATION}|{also}")
        return row

    def test_a_rotation_keeps_what_it_made_and_the_one_that_is_dated_ahead(self):
        self.take("ahead", MONTH)
        expected = {"ahead"}
        # It takes no place in a rule, so both nights find room.
        for count in ("1", "2"):
            policy = ("--chain-length", "1", "--min-age", "0", "--keep-last", count)
            row = self.rotate(*policy)
            self.assertEqual(("made", "full"), (row["Result"], row["Type"]))
            expected.add(row["Backup"])
            self.assertEqual(expected, self.names())

    def test_a_backup_dated_ahead_proves_no_freshness_and_is_shown_as_ahead(self):
        self.take("ahead", MONTH)
        argv = (*BACKUP, "check", "db-1", "--max-age", "26h")
        (row,) = self.rows(*argv, expect=1, stderr="no restorable backup proves")
        self.assertIsNone(row["Age"])
        (chain,) = self.rows(*BACKUP, "chain", "list")
        self.assertIsNone(chain["Newest Restorable"])
        (member,) = self.rows(*BACKUP, "chain", "show", "ahead")
        self.assertRegex(member["Reason"], "^dated (30d|29d23h) ahead of now$")
        good = self.take("good")
        (row,) = self.rows(*argv)
        self.assertEqual(("ok", good), (row["Result"], row["Backup"]))
        self.assertGreaterEqual(row["Age"], 0)

    def test_ages_are_counted_by_the_clock_of_trove_s_answers(self):
        ahead = timedelta(hours=2)
        mine = self.take("mine", ahead)
        argv = (*BACKUP, "check", "db-1", "--max-age", "26h")
        self.rows(*argv, expect=1, stderr="no restorable backup proves")
        with FaultProxy(
            self.settings.auth_url,
            self.settings.database_url,
            skew=ahead.total_seconds(),
        ) as proxy:
            there = ("--os-auth-url", proxy.auth_url)
            (row,) = self.rows(*there, *argv, stderr=SKEWED)
        self.assertEqual(("ok", mine), (row["Result"], row["Backup"]))
        self.assertIn(row["Age"], range(3600))
