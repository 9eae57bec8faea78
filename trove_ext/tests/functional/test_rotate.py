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

"""``database backup rotate`` against the sandbox, also killed in between."""

from __future__ import annotations

import time

from trove_ext.tests.functional.base import PROGRESS, FunctionalTestCase
from trove_ext.tests.functional.chain import FLAVOR, NETWORK
from trove_ext.tests.promises import Promise, shows

BACKUP = ("database", "backup")
#: What a rotation prints about each instance.
STDERR = rf"^db-1: backup |{PROGRESS}"


@shows(Promise.ROTATE, Promise.RETENTION, Promise.PARENT)
class RotateTest(FunctionalTestCase):
    def setUp(self):
        super().setUp()
        made = self.openstack_json(
            *("database", "instance", "create", "db-1", "--flavor", FLAVOR),
            *("--size", "2", "--datastore", "mysql", "--datastore-version", "5.7.29"),
            *("--nic", f"net-id={NETWORK}", "--wait"),
            stderr=PROGRESS,
        )
        self.instance = made["id"]
        self.addCleanup(self.clear)

    def clear(self):
        # Neither a replica that is being built nor its source can be deleted.
        argv = ("database", "instance", "wait", "rotated-rep", "--timeout", "120")
        self.run_openstack(*argv)
        for name in ("rotated-rep", "db-1"):
            argv = ("database", "instance", "delete", name, "--wait")
            self.run_openstack(*argv)

    def rotate(self, *argv, **kwargs):
        kwargs.setdefault("stderr", STDERR)
        return self.openstack_json(*BACKUP, "rotate", "db-1", *argv, **kwargs)

    def backups(self):
        rows = self.openstack_json(*BACKUP, "list", "--instance", "db-1")
        return {row["Name"]: row for row in rows}

    def test_a_week_of_rotations_that_are_killed_at_any_point(self):
        self._builds_a_chain_then_a_full_one_and_prunes()
        self._a_failed_backup_does_not_prune()
        self._all_of_the_project()
        for point in ("first answer", "POST", "poll", "DELETE"):
            self._killed_after(point)

    def _builds_a_chain_then_a_full_one_and_prunes(self):
        policy = ("--keep-chains", "1", "--chain-length", "2", "--min-age", "1s")
        types, deleted = [], []
        for _ in range(3):
            (row,) = self.rotate(*policy)
            types.append(row["Type"])
            deleted.append(row["Deleted"])
            time.sleep(1.5)
        self.assertEqual(["full", "incremental", "full"], types)
        self.assertEqual([0, 0, 2], deleted)
        self.assertEqual(1, len(self.backups()))

    def _a_failed_backup_does_not_prune(self):
        argv = ("fault", "set", "backup", "--instance", self.instance)
        self.trove_sandbox(*argv, "--once", "--text", "the disk is full")
        before = set(self.backups())
        self.rotate(
            *("--keep-last", "1", "--chain-length", "1", "--min-age", "1s"),
            expect=1,
            stderr="the disk is full",
        )
        self.assertLess(before, set(self.backups()))

    def _all_of_the_project(self):
        """Without a name, and with metrics: the backups by hand and by others stay."""
        path = self.sandbox / f"{self.cloud}.prom"
        self.addCleanup(path.unlink, missing_ok=True)
        before = set(self.backups())
        (row,) = self.openstack_json(
            *BACKUP,
            "rotate",
            *("--all", "--name", "all-{time}", "--min-age", "0"),
            *("--chain-length", "1", "--keep-last", "1", "--prometheus", str(path)),
            stderr=STDERR,
        )
        self.assertEqual(("db-1", "made"), (row["Instance"], row["Result"]))
        self.assertEqual(before | {row["Backup"]}, set(self.backups()))
        text = path.read_text(encoding="utf-8")
        self.assertRegex(text, r'trove_backup_rotate_success\{.*name="db-1".*\} 1\n')

    def _killed_after(self, point):
        """Kill it at that point; the next run ends in the state of a single run."""
        name = f"{point[:4].strip().lower()}-{{time}}"
        argv = ("--name", name, "--keep-last", "1", "--chain-length", "1")
        process = self.start_openstack("--debug", *BACKUP, "rotate", "db-1", *argv)
        self._kill_at(process, point)
        (row,) = self.rotate(*argv)
        self.assertEqual("COMPLETED", row["Status"], row)
        left = self.backups()
        self.assertEqual([row["Backup"]], list(left), f"killed after {point}")

    @staticmethod
    def _kill_at(process, point):
        method, polls = "", 0
        for line in process.stderr:
            if "REQ: curl" in line and "/v1.0/" in line:
                method = line.split("-X ", 1)[1].split()[0]
            if not line.startswith("RESP: [") or not method:
                continue
            polls += method == "GET"
            seen = {"first answer": polls == 1, "poll": polls == 5}
            if seen.get(point, method == point):
                break
            method = ""
        process.kill()
        process.wait()

    def test_a_replication_snapshot_is_never_the_parent(self):
        (full,) = self.rotate()
        argv = ("fault", "set", "restore", "--instance", "rotated-rep")
        self.trove_sandbox(*argv, "--sleep", "60", "--once")
        self.openstack(
            *("database", "instance", "create", "rotated-rep", "--replica-of", "db-1"),
            *("--nic", f"net-id={NETWORK}"),
            stderr=".*",
        )
        snapshot = self._snapshot()
        (row,) = self.rotate("--min-age", "1s")
        self.assertIn(snapshot, self.backups(), "the snapshot was gone too early")
        made = self.openstack_json(*BACKUP, "show", row["ID"])
        self.assertEqual(full["ID"], made["parent_id"])

    def _snapshot(self):
        """Wait until Trove's own snapshot is completed."""
        for _ in range(120):
            for name, row in self.backups().items():
                if name.startswith("Replication") and row["Status"] == "COMPLETED":
                    return name
            time.sleep(0.5)
        return self.fail("no replication snapshot was seen")
