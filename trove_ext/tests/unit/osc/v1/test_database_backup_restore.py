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

"""``backup restore`` and ``backup verify`` as they are typed."""

import json
import shlex

import testtools

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.workflows.restore import scratch_instance

NETWORK = "11111111-2222-4333-8444-555555555555"


class TestCommands(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.clock = FakeClock()
        self.fake = FakeCloud(self.clock)
        self.db1 = self.fake.add_instance("db1", databases=("myDB",))
        full = self.fake.add_backup("full", self.db1)
        self.fake.add_backup("inc", self.db1, parent=full)

    def run_line(self, line, *, expect=0):
        result = run_openstack(["database", "backup", *shlex.split(line)], self.fake)
        self.assertEqual(expect, result.exit_code, result.stderr)
        return result

    def json(self, line, **kwargs):
        return json.loads(self.run_line(f"{line} -f json", **kwargs).stdout)

    def changes(self, result):
        return [
            request
            for request in result.requests
            if request.service == "trove" and request.method != "GET"
        ]

    def test_a_dry_run_shows_what_would_be_sent_and_sends_nothing(self):
        result = self.run_line("restore inc new --dry-run -f json")
        shown = json.loads(result.stdout)
        self.assertEqual([], self.changes(result))
        self.assertEqual(5, shown["size"])
        self.assertEqual("10", shown["flavor_id"])
        self.assertEqual(2, len(shown["chain"]))
        self.assertIs(False, shown["is_public"])
        self.assertNotIn("id", shown)

    def test_waiting_shows_the_instance_as_it_is_then(self):
        shown = self.json("restore inc new --wait")
        self.assertEqual("ACTIVE", shown["status"])
        self.assertEqual("HEALTHY", shown["operating_status"])

    def test_without_waiting_it_says_that_nothing_is_verified(self):
        result = self.run_line("restore inc new -f json")
        self.assertIn("accepted, not verified", result.stderr)
        shown = json.loads(result.stdout)
        self.assertIn(f"instance wait {shown['id']}", result.stderr)

    def test_a_time_out_exits_124_and_shows_the_instance(self):
        shown = self.json("restore inc new --wait --timeout 5", expect=124)
        self.assertEqual("BUILD", shown["status"])

    def test_nics_are_parsed_as_by_instance_create(self):
        shown = self.json(f"restore inc new --dry-run --nic net-id={NETWORK}")
        self.assertEqual([{"network_id": NETWORK}], shown["nics"])
        nic = f"subnet-id={NETWORK},ip-address=10.0.0.9"
        shown = self.json(f"restore inc new --dry-run --nic {nic}")
        self.assertEqual(
            [{"subnet_id": NETWORK, "ip_address": "10.0.0.9"}], shown["nics"]
        )
        self.assertEqual([], self.json("restore inc new --dry-run --nic none")["nics"])

    def test_what_makes_no_sense_is_a_usage_error(self):
        for line in (
            "restore inc new --nic net=1",
            "restore inc new --nic net-id=nonsense",
            "restore inc new --nic ip-address=10.0.0.9",
            "restore inc new --size 0",
            "restore inc new --size x",
            "restore inc new --is-public --not-public",
            "restore inc new --configuration c --no-configuration",
            "verify",
            "verify inc --query 'SELECT 1'",
            "verify inc --expect 1",
        ):
            self.assertEqual([], self.changes(self.run_line(line, expect=2)), line)

    def test_each_step_is_a_row_with_numbers_for_machines(self):
        rows = self.json("verify inc full --expect-database myDB")
        self.assertEqual(
            ["check", "restore", "recovery", "databases", "delete", "total"] * 2,
            [row["Step"] for row in rows],
        )
        self.assertEqual({"inc", "full"}, {row["Backup"] for row in rows})
        self.assertTrue(all(row["Backup ID"] for row in rows))
        self.assertIsInstance(rows[1]["Seconds"], float)

    def test_one_that_does_not_verify_exits_1_with_all_rows(self):
        result = self.run_line("verify full inc --expect-database no", expect=1)
        self.assertEqual(2, result.stdout.count("missing"))
        self.assertIn("2 of 2 failed", result.stderr)

    def test_an_orphaned_instance_is_named_and_only_removed_on_request(self):
        name = scratch_instance.name_for(self.db1.id, self.clock.now())
        left = self.fake.add_instance(name)
        result = self.run_line("verify full")
        self.assertIn(f"{name} ({left.id})", result.stderr)
        self.assertIn("backup verify --clean-up", result.stderr)
        self.assertFalse(left.deleted)
        result = self.run_line("verify --clean-up")
        self.assertIn(f"{name} ({left.id})", result.stderr)
        self.assertTrue(left.deleted)
        self.assertFalse(self.db1.deleted)

    def test_a_name_can_not_control_the_terminal(self):
        self.fake.add_backup("evil\x1b[2J", self.db1)
        result = self.run_line("verify 'evil\x1b[2J'")
        self.assertNotIn("\x1b", result.stdout + result.stderr)
