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

"""Backup chains against the sandbox: shown, checked, pruned and deleted."""

from __future__ import annotations

import re

from trove_ext.tests.functional.base import PROGRESS, FunctionalTestCase
from trove_ext.tests.functional.chain import ChainTestCase
from trove_ext.tests.promises import Promise, shows

BACKUP = ("database", "backup")
#: What is printed about a delete before it is sent.
TREE = r"COMPLETED  \d{4}-|FAILED  \d{4}-"
#: A request for backups, as --debug logs it.
REQUEST = re.compile(r"REQ: curl .*/backups[?\s\"']")


@shows(Promise.CHAINS)
class ManyBackupsTest(FunctionalTestCase):
    """Rows seeded in Trove's database."""

    BACKUPS = 300

    def requests(self, *argv):
        run = self.run_openstack("--debug", *BACKUP, *argv, "-f", "json")
        self.assertEqual(0, run.exit_code, run)
        return len(REQUEST.findall(run.stderr))

    def test_all_chains_are_read_in_one_request_and_not_in_pages(self):
        argv = ("seed", "--instances", "25", "--backups", str(self.BACKUPS))
        self.trove_sandbox(*argv, "--cloud", self.cloud)
        chains = self.openstack_json(*BACKUP, "chain", "list")
        self.assertEqual(self.BACKUPS, sum(chain["Backups"] for chain in chains))
        self.assertEqual(1, self.requests("chain", "list"))
        self.assertGreaterEqual(self.requests("list"), self.BACKUPS // 20)
        self._instance_filter_applies_on_every_page(chains)

    def _instance_filter_applies_on_every_page(self, chains):
        counts = {}
        for chain in chains:
            instance = chain["Instance ID"]
            counts[instance] = counts.get(instance, 0) + chain["Backups"]
        instance, count = max(counts.items(), key=lambda pair: pair[1])
        rows = self.openstack_json(*BACKUP, "list", "--instance", instance)
        self.assertEqual(count, len(rows))
        self.assertEqual({instance}, {row["Instance ID"] for row in rows})


@shows(Promise.CHAINS, Promise.DELETE, Promise.PARENT)
class ChainsTest(ChainTestCase):
    """One real chain."""

    def test_a_chain_is_shown_checked_refused_as_parent_and_deleted(self):
        self._is_shown()
        self._is_checked()
        self._a_failed_parent_is_refused()
        self._a_part_of_it_is_deleted()

    def _is_shown(self):
        (chain,) = self.openstack_json(*BACKUP, "chain", "list", "--instance", "db-1")
        self.assertEqual(("full", 4), (chain["Name"], chain["Backups"]))
        self.assertEqual("restorable", chain["State"])
        rows = self.openstack_json(*BACKUP, "chain", "show", "inc-1")
        self.assertEqual(
            [("full", 0), ("inc-1", 1), ("inc-2", 2), ("inc-3", 3)],
            [(row["Name"], row["Depth"]) for row in rows],
        )
        table = self.openstack(*BACKUP, "chain", "show", "inc-3")
        self.assertIn("└\N{NO-BREAK SPACE}inc-3", table)

    def _is_checked(self):
        (row,) = self.openstack_json(*BACKUP, "check", "db-1", "--max-age", "1h")
        self.assertEqual(("ok", 4), (row["Result"], row["Chain Length"]))
        self.openstack(
            *BACKUP, "check", "db-1", "--max-age", "1s", expect=1, stderr="is the limit"
        )

    def _a_failed_parent_is_refused(self):
        shown = self.openstack_json("database", "instance", "show", "db-1")
        argv = ("fault", "set", "backup", "--instance", shown["id"])
        self.trove_sandbox(*argv, "--once", "--text", "the disk is full")
        create = (*BACKUP, "create", "db-1")
        self.openstack(
            *(*create, "bad", "--parent", "inc-1", "--incremental", "--wait"),
            expect=1,
            stderr="the disk is full",
        )
        self.openstack(
            *(*create, "child", "--parent", "bad", "--incremental", "--wait"),
            expect=1,
            stderr="(?s)nothing was changed.*FAILED",
        )
        names = {row["Name"] for row in self.openstack_json(*BACKUP, "list")}
        self.assertEqual({"full", "inc-1", "inc-2", "inc-3", "bad"}, names)

    def _a_part_of_it_is_deleted(self):
        rows = self.openstack_json(
            *(*BACKUP, "chain", "delete", "inc-1", "--wait"),
            stderr=f"WARNING: This will delete inc-1|{TREE}|{PROGRESS}",
        )
        self.assertEqual({"deleted"}, {row["Result"] for row in rows})
        self.assertEqual(4, len(rows))
        (left,) = self.openstack_json(*BACKUP, "list")
        self.assertEqual("full", left["Name"])
