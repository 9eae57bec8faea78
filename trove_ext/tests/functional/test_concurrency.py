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


"""Concurrent runs: what the documents promise, on a real Trove."""

from __future__ import annotations

import json
import time

from testtools import matchers

from trove_ext.tests.functional.base import FunctionalTestCase
from trove_ext.tests.functional.chain import NETWORK
from trove_ext.tests.promises import Promise, shows

ANY = r"."
SLOW = 12
NEW = (
    *("--flavor", "db.small", "--size", "1", "--datastore", "mysql"),
    *("--datastore-version", "5.7.29", "--nic", f"net-id={NETWORK}", "--wait"),
)


@shows(Promise.ROTATE, Promise.WAIT, Promise.DELETE)
class ConcurrencyTest(FunctionalTestCase):
    made = False

    def setUp(self):
        super().setUp()
        if not type(self).made:
            self.here("instance", "create", "db", *NEW)
            self.here("replica", "create", "db", "rep", "--wait")
            type(self).made = True

    def here(self, *argv):
        return self.openstack_here("database", *argv, stderr=ANY)

    def rows(self, *argv):
        return json.loads(self.here(*argv, "-f", "json"))

    def backups(self):
        rows = self.rows("backup", "list", "--instance", "db")
        return {row["Name"]: row for row in rows}

    def start(self, *argv):
        return self.start_openstack("database", *argv)

    def end(self, process, expect=0):
        out, err = process.communicate(timeout=300)
        self.assertEqual(expect, process.returncode, f"{process.args}\n{out}\n{err}")
        self.assertNotIn("Traceback", err)
        return out, err

    def slow_backups(self):
        """Make each backup of db take long enough for other commands to start."""
        db = self.rows("instance", "show", "db")["id"]
        argv = ("--instance", db, "--sleep", str(SLOW))
        # Cleared for db alone: other tests have faults of their own at the same time.
        self.addCleanup(self.trove_sandbox, "fault", "clear", f"backup@{db}")
        self.trove_sandbox("fault", "set", "backup", *argv)

    def running(self):
        """Wait until a backup is in progress; return its name."""
        for _ in range(200):
            for name, row in self.backups().items():
                if row["Status"] in {"NEW", "BUILDING"}:
                    return name
            time.sleep(0.2)
        return self.fail("no backup is in progress")

    def clear(self):
        for name in self.backups():
            self.here("backup", "delete", name, "--yes", "--wait")

    def test_two_concurrent_rotations_end_with_one_backup(self):
        self.clear()
        self.slow_backups()
        argv = ("backup", "rotate", "db", "--keep-last", "5", "-f", "json")
        both = [self.start(*argv), self.start(*argv)]
        rows = [json.loads(self.end(run)[0])[0] for run in both]
        (left,) = self.backups().values()
        self.assertEqual("COMPLETED", left["Status"])
        self.assertEqual({left["ID"]}, {row["ID"] for row in rows}, rows)

    def test_prune_keeps_the_parent_of_a_rotation_in_progress(self):
        self.clear()
        for name in ("old", "parent"):
            self.here("backup", "create", "db", name, "--wait")
        self.slow_backups()
        rotation = self.start("backup", "rotate", "db", "-f", "json")
        new = self.running()
        self.here("backup", "prune", "db", "--keep-last", "1", "--yes")
        self.assertEqual({"parent", new}, set(self.backups()))
        self.end(rotation)
        chain = self.rows("backup", "chain", "show", new)
        self.assertEqual(2, len(chain), chain)
        self.here("backup", "check", "db", "--max-age", "1h")

    def test_a_promote_is_refused_while_a_backup_is_in_progress(self):
        self.slow_backups()
        backup = self.start("backup", "create", "db", "held", "--wait")
        self.running()
        run = self.run_openstack_here("database", "replica", "promote", "rep", "--wait")
        self.assertEqual(1, run.exit_code, run)
        self.assertIn("nothing was changed", run.stderr)
        self.assertIn("BACKUP", run.stderr)
        self.end(backup)
        self.assertEqual("COMPLETED", self.backups()["held"]["Status"])
        (source,) = self.rows("replica", "show", "rep")[:1]
        self.assertEqual("db", source["Name"])

    def test_a_backup_in_progress_is_not_deleted_while_a_command_waits_for_it(self):
        self.slow_backups()
        backup = self.start("backup", "create", "db", "wanted", "--wait")
        self.running()
        run = self.run_openstack_here(
            *("database", "backup", "delete", "wanted", "--yes", "--wait")
        )
        self.assertEqual(1, run.exit_code, run)
        self.assertIn("nothing was changed", run.stderr)
        self.end(backup)
        self.assertEqual("COMPLETED", self.backups()["wanted"]["Status"])

    def test_deleting_an_instance_ends_the_wait_for_it(self):
        self.here("instance", "create", "short", *NEW)
        one = self.rows("instance", "show", "short")["id"]
        self.trove_sandbox("fault", "kill-database", one)
        # The wait must find it down: the agent reports that a few seconds later.
        self.until(one, "SHUTDOWN")
        waiting = self.start("instance", "wait", one, "--timeout", "120")
        self.assertIn(one, waiting.stderr.readline())
        deletes = [self.start("instance", "delete", one, "--wait") for _ in range(2)]
        _out, err = self.end(waiting, expect=1)
        self.assertIn("it was deleted in the meantime", err)
        # Two commands delete the same instance. The one that found it before it was
        # gone succeeds; a later one reports that it does not exist, as stock does.
        late = [each for each in deletes if self.comes_late(each)]
        self.assertThat(len(late), matchers.LessThan(2))

    def comes_late(self, deletion):
        out, err = deletion.communicate(timeout=300)
        self.assertNotIn("Traceback", err)
        if deletion.returncode:
            self.assertEqual(1, deletion.returncode, f"{out}\n{err}")
            # Depending on whether it had found the instance before it was gone.
            self.assertRegex(err, "it does not exist|No instance with a name or ID")
        return bool(deletion.returncode)
