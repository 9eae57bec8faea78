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
"""Backups in Swift and as volume snapshots of one instance, on a real Trove."""

from __future__ import annotations

from trove_ext.tests.functional.base import PROGRESS, FunctionalTestCase
from trove_ext.tests.functional.chain import FLAVOR, NETWORK
from trove_ext.tests.promises import Ground, Promise, shows

BACKUP = ("database", "backup")
COUNT = "SELECT count(*) AS n FROM shop.orders"
NOTED = rf"^db-1: backup |{PROGRESS}"


@shows(Promise.PARENT, Promise.RESTORE, on=Ground.SNAPSHOTS)
class StorageDriverTest(FunctionalTestCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.clear)
        self.openstack(
            *("database", "instance", "create", "db-1", "--flavor", FLAVOR),
            *("--size", "2", "--datastore", "mysql", "--datastore-version", "5.7.29"),
            *("--databases", "shop", "--users", "dbusr:dbpassword"),
            *("--nic", f"net-id={NETWORK}", "--wait"),
            stderr=PROGRESS,
        )
        self.sql("db-1", "CREATE TABLE shop.orders (c CHAR(120))")

    def clear(self):
        for row in self.openstack_json("database", "instance", "list"):
            argv = ("database", "instance", "delete", row["ID"], "--wait")
            self.run_openstack(*argv)

    def insert(self, rows):
        self.sql(
            "db-1",
            f"INSERT INTO shop.orders SELECT repeat('x', 120) FROM seq_1_to_{rows}",
            database="shop",
        )

    def take(self, name, *argv):
        argv = ("create", "db-1", name, *argv, "--wait")
        return self.openstack_json(*BACKUP, *argv, stderr=PROGRESS)

    def rotate(self, *argv):
        argv = ("rotate", "db-1", "--min-age", "0", *argv)
        (row,) = self.openstack_json(*BACKUP, *argv, stderr=NOTED)
        return row

    def shown(self, backup):
        rows = self.openstack_json(*BACKUP, "chain", "show", backup)
        return {row["Name"]: row for row in rows}

    def restored_count(self, backup):
        """Restore into a new instance, count its rows, and delete it."""
        self.openstack(
            *(*BACKUP, "restore", backup, "copy", "--flavor", FLAVOR),
            *("--nic", f"net-id={NETWORK}", "--wait"),
            stderr=".*",
        )
        count = self.sql("copy", COUNT)[0]["n"]
        argv = ("database", "instance", "delete", "copy", "--wait")
        self.openstack(*argv, stderr=".*")
        return count

    def test_each_driver_builds_on_its_own_backups_and_each_backup_is_restored(self):
        self.insert(100)
        full = self.take("full")
        self.insert(10)
        self.take("snapshot", "--storage-driver", "cinder")
        self.insert(1)
        on_snapshot = self.rotate()["Backup"]
        in_swift = self.rotate("--storage-driver", "swift")["Backup"]
        self.insert(1000)

        pair = self.shown("snapshot")
        drivers = {name: row["Driver"] for name, row in pair.items()}
        self.assertEqual({"snapshot": "cinder", on_snapshot: "cinder"}, drivers)
        self.assertEqual(2, pair["snapshot"]["Volume Used GB"])
        chain = self.shown(in_swift)
        self.assertEqual({"full", in_swift}, set(chain))
        self.assertEqual(full["id"], chain[in_swift]["Parent ID"])

        counts = {"full": 100, "snapshot": 110, on_snapshot: 111, in_swift: 111}
        for backup, count in counts.items():
            self.assertEqual(count, self.restored_count(backup), backup)

    def test_a_snapshot_is_deleted_with_its_parent(self):
        self.take("snapshot", "--storage-driver", "cinder")
        self.rotate()
        argv = ("chain", "delete", "snapshot", "--yes", "--wait")
        self.openstack(*BACKUP, *argv, stderr=".*")
        self.assertEqual([], self.openstack_json(*BACKUP, "list"))

    def test_a_snapshot_that_fails_leaves_the_database_writable(self):
        shown = self.openstack_json("database", "instance", "show", "db-1")
        argv = ("fault", "set", "backup", "--instance", shown["id"], "--once")
        self.trove_sandbox(*argv, "--text", "the disk is full")
        argv = ("create", "db-1", "b1", "--storage-driver", "cinder", "--wait")
        argv += ("--timeout", "120")
        self.openstack(*BACKUP, *argv, expect=1, stderr=".*")
        self.insert(7)
        self.assertEqual([{"n": 7}], self.sql("db-1", COUNT))
