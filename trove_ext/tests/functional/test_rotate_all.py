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

"""``database backup rotate --all`` against the sandbox: twenty instances, and a set."""

from __future__ import annotations

import time
import unittest
from datetime import datetime

from trove_ext.tests.functional import replicas
from trove_ext.tests.functional.base import PROGRESS, FunctionalTestCase
from trove_ext.tests.functional.chain import FLAVOR, NETWORK
from trove_ext.tests.promises import Promise, shows

COUNT = 20
#: What `rotate --all` may take, in terms of the slowest backup and of the number.
FACTOR, EACH, REST = 1.3, 0.25, 3.0
STDERR = rf"^\S+: backup |{PROGRESS}"
ROTATE = ("database", "backup", "rotate", "--all", "--min-age", "0")


class AllTestCase(FunctionalTestCase):
    def create(self, name, *argv):
        made = self.openstack_json(
            *("database", "instance", "create", name, "--flavor", FLAVOR),
            *("--size", "1", "--datastore", "mysql", "--datastore-version", "5.7.29"),
            *("--nic", f"net-id={NETWORK}", *argv),
            stderr=PROGRESS,
        )
        self.addCleanup(self.delete, made["id"])

    def delete(self, instance_id):
        self.run_openstack("database", "instance", "delete", instance_id, "--wait")

    def seconds(self, ids):
        """How long each of these backups took, by Trove's clock."""
        rows = [self.openstack_json("database", "backup", "show", key) for key in ids]
        times = [(row["created"], row["updated"]) for row in rows]
        return [
            (datetime.fromisoformat(end) - datetime.fromisoformat(start)).seconds
            for start, end in times
        ]


@shows(Promise.ROTATE, Promise.WAIT)
@unittest.skipUnless(replicas.LONG, "takes minutes")
class ManyTest(AllTestCase):
    def test_twenty_take_little_longer_than_the_slowest_of_them(self):
        names = [f"small-{number:02}" for number in range(COUNT)]
        for name in names:
            self.create(name)
        wait = ("database", "instance", "wait", *names, "--timeout", "900")
        self.openstack(*wait, stderr=PROGRESS)
        start = time.monotonic()
        rows = self.openstack_json(*ROTATE, stderr=STDERR)
        took = time.monotonic() - start
        self.assertEqual(
            {("COMPLETED", "made")}, {(r["Status"], r["Result"]) for r in rows}
        )
        self.assertEqual(names, [row["Instance"] for row in rows])
        slowest = max(self.seconds([row["ID"] for row in rows]))
        allowed = FACTOR * slowest + EACH * COUNT + REST
        said = f"{took:.1f} s, slowest backup {slowest} s, {allowed:.1f} s allowed"
        self.assertLessEqual(took, allowed, said)
        print(said)


@shows(Promise.ROTATE, Promise.VERIFY)
@unittest.skipUnless(replicas.LONG, "takes minutes")
class SetTest(AllTestCase):
    def test_a_backup_of_a_proved_replica_has_the_rows_of_its_source(self):
        users = ("--databases", "shop", "--users", "dbusr:dbpassword", "--wait")
        self.create("shop", *users)
        self.openstack_json(
            *("database", "replica", "create", "shop", "rep", "--wait"),
            *("--nic", f"net-id={NETWORK}"),
            stderr=".*",
        )
        self.addCleanup(self.delete, "rep")
        for statement in (
            "CREATE TABLE shop.goods (id INT PRIMARY KEY)",
            "INSERT INTO shop.goods VALUES (1), (2), (3)",
        ):
            self.sql("shop", statement)
        words = (*ROTATE, "--prefer", "replica")
        (row,) = self.openstack_json(*words, stderr=f"{STDERR}|the probe has arrived")
        self.assertEqual(("rep", "made"), (row["Instance"], row["Result"]))
        self.assertRegex(row["Note"], "^replica of shop, proved in ")
        steps = self.openstack_json(
            *("database", "backup", "verify", "--all", "--nic", f"net-id={NETWORK}"),
            *("--query", "SELECT count(*) FROM shop.goods", "--expect", "3"),
            stderr=".*",
        )
        self.assertEqual("data checked", steps[-1]["Result"])
        self.assertEqual(row["ID"], steps[-1]["Backup ID"])
