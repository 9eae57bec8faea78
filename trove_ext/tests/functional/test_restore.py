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

"""``database backup restore`` against the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from trove_ext.tests.functional.base import PROGRESS
from trove_ext.tests.functional.chain import CHAIN, COUNT, NETWORK, ChainTestCase
from trove_ext.tests.promises import Promise, shows

DEFAULTS = (
    r"Using the cloud's defaults|^To choose otherwise, add: |Nothing was sent|^Chosen: "
)


@shows(Promise.RESTORE, Promise.CHECKS)
class RestoreTest(ChainTestCase):
    def restore(self, *argv, **kwargs):
        return self.openstack_json(
            "database",
            "backup",
            "restore",
            *argv,
            stderr=f"{DEFAULTS}|{PROGRESS}",
            **kwargs,
        )

    def delete(self, name):
        argv = ("database", "instance", "delete", name, "--wait")
        self.openstack(*argv, stderr=f"{PROGRESS}|deleted")

    def test_each_backup_of_a_chain_is_restored_with_its_rows(self):
        for name, rows in CHAIN.items():
            made = self.restore(*self.source(name), f"r-{name}", "--wait")
            self.addCleanup(self.delete, made["id"])
            self.assertEqual("ACTIVE", made["status"])
            self.assertEqual("HEALTHY", made["operating_status"])
            (found,) = self.sql(f"r-{name}", COUNT)
            self.assertEqual({rows}, set(found.values()), name)

    def source(self, name):
        """Name a backup in one of the ways there are: by name, time, or as the newest."""
        if name == "full":
            return (name,)
        if name == "inc-3":
            return ("latest", "--instance", "db-1")
        backup = self.openstack_json("database", "backup", "show", name)
        ended = datetime.fromisoformat(backup["updated"]).replace(tzinfo=UTC)
        there = ended.astimezone(timezone(timedelta(hours=-5)))
        return ("--instance", "db-1", "--before", there.isoformat())

    def test_before_the_first_backup_there_is_nothing_to_restore(self):
        argv = ("restore", "new", "--instance", "db-1", "--before", "2020-01-01T00:00Z")
        run = self.run_openstack("database", "backup", *argv)
        self.assertEqual(1, run.exit_code, run)
        self.assertRegex(run.stderr, r"or earlier; the oldest is full \(")
        self.assertNotIn("new", self.names())

    def test_settings_are_those_of_the_source(self):
        plan = self.restore("inc-3", "new", "--dry-run")
        self.assertEqual(5, plan["size"])
        self.assertEqual("5.7.29", plan["datastore_version"])
        self.assertEqual([{"network_id": NETWORK}], plan["nics"])
        self.assertEqual(4, len(plan["chain"]))
        self.assertNotIn("new", self.names())

    def test_a_failed_restore_reports_the_reason_and_the_instance_that_remains(self):
        self.trove_sandbox(
            *("fault", "set", "restore", "--instance", "broken"),
            *("--once", "--text", "the archive is damaged"),
        )
        run = self.run_openstack(
            "database", "backup", "restore", "full", "broken", "--wait"
        )
        self.addCleanup(self.delete, "broken")
        self.assertEqual(1, run.exit_code, run)
        self.assertIn("broken", self.names())
        self.assertRegex(run.stderr, r"is (ERROR|FAILED)[^:]*: .+")
        self.assertRegex(run.stderr, r"instance delete [0-9a-f-]{36}")

    def test_all_problems_are_reported_before_anything_is_sent(self):
        run = self.run_openstack(
            *("database", "backup", "restore", "inc-1", "new"),
            *("--flavor", "no-such", "--allowed-cidr", "nonsense"),
        )
        self.assertEqual(1, run.exit_code, run)
        for text in ("name or ID of 'no-such'", "nonsense"):
            self.assertIn(text, run.stderr)
        self.assertNotIn("new", self.names())
