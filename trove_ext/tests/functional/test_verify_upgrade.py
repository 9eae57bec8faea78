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

"""Restore into another version of MariaDB, and rehearse an upgrade to it."""

from trove_ext.tests.functional.base import PROGRESS, FunctionalTestCase
from trove_ext.tests.functional.chain import FLAVOR, NETWORK
from trove_ext.tests.promises import Promise, shows

COUNT = "SELECT count(*) FROM myDB.t"


@shows(Promise.VERIFY, Promise.RESTORE)
class UpgradeTest(FunctionalTestCase):
    """A backup of an instance with 300 rows."""

    made = False

    def setUp(self):
        super().setUp()
        versions = self.openstack_json("datastore", "version", "list", "mariadb")
        names = [row["Name"] for row in versions]
        numbers = sorted(names, key=lambda name: tuple(map(int, name.split("."))))
        self.installed, self.newer, self.major = numbers
        if type(self).made:
            return
        type(self).made = True
        self.openstack(
            *("database", "instance", "create", "m1", "--flavor", FLAVOR),
            *("--size", "1", "--datastore", "mariadb"),
            *("--datastore-version", self.installed, "--databases", "myDB"),
            *("--users", "dbusr:dbpassword", "--nic", f"net-id={NETWORK}", "--wait"),
            stderr=PROGRESS,
        )
        self.sql("m1", "CREATE TABLE myDB.t (n INT PRIMARY KEY)")
        self.sql(
            "m1", "INSERT INTO myDB.t SELECT seq FROM seq_1_to_300", database="myDB"
        )
        backup = ("database", "backup", "create", "m1", "b1", "--wait")
        self.openstack(*backup, stderr=PROGRESS)

    def verify(self, version, rows="300", expect=0):
        """The rows of a rehearsal, by step; none may leave an instance."""
        query = ("--query", COUNT, "--expect", rows)
        argv = ("database", "backup", "verify", "b1", "--upgrade-to", version, *query)
        steps = self.openstack_json(*argv, expect=expect, stderr=".")
        (instance,) = self.openstack_json("database", "instance", "list")
        self.assertEqual("m1", instance["Name"])
        return {row["Step"]: row for row in steps}

    def test_the_rows_are_counted_after_the_upgrade(self):
        steps = self.verify(self.newer)
        self.assertEqual("upgraded", steps["upgrade"]["Result"])
        self.assertGreater(steps["upgrade"]["Seconds"], 0)
        self.assertEqual("data checked", steps["total"]["Result"])
        shown = self.openstack_json("database", "instance", "show", "m1")
        self.assertEqual(self.installed, shown["datastore_version"])

    def test_a_wrong_number_of_rows_fails_after_it(self):
        steps = self.verify(self.newer, "299", expect=1)
        self.assertEqual("upgraded", steps["upgrade"]["Result"])
        self.assertEqual("FAILED", steps["data"]["Result"])

    def test_it_is_restored_into_another_version_with_accounts(self):
        """A backup of a version that has been switched off needs this."""
        self.openstack(
            *("database", "backup", "restore", "b1", "r1", "--wait"),
            *("--datastore-version", self.newer, "--databases", "more"),
            *("--users", "other:otherpassword"),
            stderr=".",
        )
        self.addCleanup(
            self.openstack,
            *("database", "instance", "delete", "r1", "--wait"),
            stderr=f"{PROGRESS}|deleted",
        )
        shown = self.openstack_json("database", "instance", "show", "r1")
        self.assertEqual(self.newer, shown["datastore_version"])
        (found,) = self.sql("r1", COUNT)
        self.assertEqual([300], list(found.values()))
        databases = self.sql(
            "r1", "SHOW DATABASES", user="other", password="otherpassword"
        )
        names = {name for row in databases for name in row.values()}
        self.assertIn("more", names)

    def test_another_major_version_is_refused_before_anything_is_made(self):
        steps = self.verify(self.major, expect=1)
        self.assertEqual("not tried", steps["total"]["Result"])
        self.assertIn("another major version", steps["check"]["Detail"])
