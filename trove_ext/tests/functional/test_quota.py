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

"""A quota of backups that nights which failed have filled."""

from __future__ import annotations

import json

from trove_ext.tests.functional.base import PROGRESS, FunctionalTestCase
from trove_ext.tests.functional.chain import FLAVOR, NETWORK
from trove_ext.tests.promises import Promise, shows

BACKUP = ("database", "backup")
ROTATION = rf"^db-1: backup |{PROGRESS}"
#: What a rotation writes when the quota is full of its own FAILED backups.
FULL = "^WARNING: The quota of backups is full: deleting .*the disk is full"


@shows(Promise.ROTATE, Promise.DELETE)
class FullQuotaTest(FunctionalTestCase):
    def setUp(self):
        super().setUp()
        made = self.openstack_here(
            *("database", "instance", "create", "db-1", "--flavor", FLAVOR),
            *("--size", "1", "--datastore", "mysql", "--datastore-version", "5.7.29"),
            *("--nic", f"net-id={NETWORK}", "--wait", "-f", "json"),
            stderr=PROGRESS,
        )
        self.instance = json.loads(made)["id"]

    def rotate(self, *argv, **kwargs):
        line = (*BACKUP, "rotate", "db-1", "--min-age", "0", "--keep-last", "1")
        kwargs.setdefault("stderr", ROTATION)
        shown = self.openstack_here(*line, *argv, "-f", "json", **kwargs)
        (row,) = json.loads(shown)
        return row

    def statuses(self):
        shown = self.openstack_here(*BACKUP, "list", "-f", "json")
        return {row["Name"]: row["Status"] for row in json.loads(shown)}

    def test_a_night_that_failed_is_deleted_for_the_next_one(self):
        argv = ("database", "quota", "update", self.cloud, "backups", "2")
        self.openstack_here(*argv, cloud="sandbox-admin", stderr=".*")
        good = self.rotate("--chain-length", "1")["Backup"]
        fault = ("fault", "set", "backup", "--instance", self.instance, "--once")
        self.trove_sandbox(*fault, "--text", "the disk is full")
        self.rotate("--chain-length", "1", expect=1, stderr="the disk is full")
        self.assertEqual(["COMPLETED", "FAILED"], sorted(self.statuses().values()))
        self._a_replica_is_refused_with_the_command_that_makes_room()
        self.assertIn(good, self.statuses())
        row = self.rotate("--chain-length", "1", stderr=f"{ROTATION}|{FULL}")
        self.assertEqual(("made", "COMPLETED"), (row["Result"], row["Status"]))
        # Its retention has deleted the one of the first night.
        self.assertEqual({row["Backup"]: "COMPLETED"}, self.statuses())

    def _a_replica_is_refused_with_the_command_that_makes_room(self):
        (failed,) = [
            name for name, state in self.statuses().items() if state == "FAILED"
        ]
        shown = json.loads(self.openstack_here(*BACKUP, "show", failed, "-f", "json"))
        self.openstack_here(
            *("database", "replica", "create", "db-1", "rep-1", "--wait"),
            expect=1,
            stderr=rf"(?s)1 FAILED.*openstack database backup delete {shown['id']}",
        )
        shown = self.openstack_here("database", "instance", "list", "-f", "json")
        self.assertEqual(["db-1"], [row["Name"] for row in json.loads(shown)])
