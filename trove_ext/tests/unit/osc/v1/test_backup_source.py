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

"""``--instance`` and ``--before`` as they are typed."""

import json
import shlex
from datetime import timedelta

import testtools

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import run_openstack


class TestCommands(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.fake = FakeCloud(FakeClock())
        self.shop = self.fake.add_instance("shop")
        self.full = self.add("full", 30)
        self.add("inc", 20, parent=self.full)

    def add(self, name, hours, **kwargs):
        created = self.now() - timedelta(hours=hours)
        return self.fake.add_backup(name, self.shop, created=created, **kwargs)

    def now(self):
        return self.fake.clock.now()

    def run_line(self, line, *, expect=0):
        result = run_openstack(["database", "backup", *shlex.split(line)], self.fake)
        self.assertEqual(expect, result.exit_code, f"{line}: {result.stderr}")
        return result

    def restored(self, line):
        result = self.run_line(f"restore {line} --dry-run -f json")
        self.assertIn("Chosen: ", result.stderr)
        return json.loads(result.stdout)["backup_name"]

    def test_a_restore_by_instance_uses_the_newest(self):
        for line, expected in (
            ("--instance shop new", "inc"),
            ("new --instance shop", "inc"),
            ("latest new --instance shop", "inc"),
            ("latest --instance shop new", "inc"),
            ("latest-full --size 9 new --instance shop", "full"),
        ):
            self.assertEqual(expected, self.restored(line), line)

    def test_a_restore_before_a_time_uses_the_newest_until_then(self):
        before = (self.now() - timedelta(hours=25)).isoformat()
        self.assertEqual("full", self.restored(f"--instance shop --before {before} n"))

    def test_options_may_stand_between_backup_and_name(self):
        result = self.run_line("restore inc --dry-run new -f json")
        self.assertEqual("inc", json.loads(result.stdout)["backup_name"])

    def test_the_time_of_the_data_is_in_the_result(self):
        result = self.run_line("restore inc new --dry-run -f json")
        expected = (self.now() - timedelta(hours=20)).isoformat(timespec="seconds")
        self.assertEqual(expected, json.loads(result.stdout)["data_as_of"])

    def test_verify_and_chain_show_take_it_too(self):
        for line in ("", "latest", "latest-full", "latest latest-full"):
            result = self.run_line(f"verify {line} --instance shop --nic none -f json")
            names = [row["Backup"] for row in json.loads(result.stdout)]
            wanted = {"full" if word[6:] else "inc" for word in line.split() or [""]}
            self.assertEqual(wanted, set(names), line)
        result = self.run_line("chain show --instance shop -f json")
        names = [row["Name"] for row in json.loads(result.stdout)]
        self.assertEqual(["full", "inc"], names)

    def test_an_incremental_can_be_taken_on_the_newest_full_one(self):
        line = "create shop new --incremental --parent latest-full -f json"
        result = self.run_line(line)
        self.assertEqual(self.full.id, json.loads(result.stdout)["parent_id"])

    def test_what_names_no_backup_or_two_is_a_usage_error(self):
        for line in (
            "restore new",
            "restore new --before 2026-11-24T10:00Z",
            "restore b new --before 2026-11-24T10:00Z",
            "restore full new --instance shop --before 2026-11-24T10:00Z",
            "restore new --instance shop --before 2026-11-24T10:00",
            "restore new --instance shop --before 7d",
            "verify full --instance shop --before 2026-11-24T10:00Z",
            "chain show",
        ):
            result = self.run_line(line, expect=2)
            self.assertEqual([], [r for r in result.requests if r.method != "GET"][1:])

    def test_an_instance_without_backups_exits_1(self):
        self.fake.add_instance("bare")
        result = self.run_line("restore new --instance bare", expect=1)
        self.assertIn("No backup of bare can be chosen", result.stderr)
