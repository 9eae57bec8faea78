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
"""``backup rotate --dry-run``: the plan is what the run does then."""

import json
import pathlib

import fixtures

from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.osc.v1.base import ChainTestCase


@shows(Promise.RETENTION)
class TestDryRun(ChainTestCase):
    def rotated(self, words):
        result = self.run_line(f"backup rotate {words} -f json")
        self.assertEqual(0, result.exit_code, result.stderr)
        columns = ("Instance", "Type", "Kept", "Deleted")
        rows = json.loads(result.stdout)
        return result, rows, [tuple(row[name] for name in columns) for row in rows]

    def test_it_plans_what_the_run_does_then(self):
        shop = self.fake.add_instance("shop")
        self.fake.add_instance("rep", replica_of=shop)
        policy = pathlib.Path(self.useFixture(fixtures.TempDir()).path) / "p.yaml"
        policy.write_text(
            "rules:\n- every: 1d\n  chain_length: 2\n  keep_last: 1\n", "utf-8"
        )
        for words in (
            "db1",
            "db1 --min-age 0 --keep-last 2",
            "--all --min-age 0 --chain-length 1 --keep-last 1",
            "db1 shop --min-age 0 --full-every 1d --keep-daily 2",
            f"--policy {policy}",
            f"--policy {policy}",
        ):
            with self.subTest(words):
                result, rows, planned = self.rotated(f"{words} --dry-run")
                self.assertEqual([], result.requests.changing)
                self.assertEqual([], [row for row in made(rows) if row["ID"]])
                self.assertEqual(planned, self.rotated(words)[2])

    def test_the_name_and_the_reason_of_each_backup_are_shown(self):
        _, (row,), _ = self.rotated("db1 --min-age 0 --name n-{type}-{time} --dry-run")
        self.assertEqual("planned", row["Result"])
        self.assertRegex(row["Backup"], "^n-incr-")
        self.assertEqual("on two", row["Note"])

    def test_what_is_there_already_is_shown_as_it_is(self):
        self.run_line("backup rotate db1")
        _, (row,), _ = self.rotated("db1 --dry-run")
        self.assertEqual(("present", "COMPLETED"), (row["Result"], row["Status"]))

    def test_nothing_is_probed_or_written(self):
        shop = self.fake.add_instance("shop")
        self.fake.add_instance("rep", replica_of=shop)
        file = pathlib.Path(self.useFixture(fixtures.TempDir()).path) / "r.prom"
        words = f"--all --prefer replica --prometheus {file} --dry-run"
        result, rows, _ = self.rotated(words)
        self.assertEqual([], result.requests.changing)
        self.assertIn(
            "if a probe proves", {row["Instance"]: row for row in rows}["shop"]["Note"]
        )
        self.assertFalse(file.exists())

    def test_an_instance_that_can_not_be_backed_up_is_an_error(self):
        self.add("theirs", state=BackupState.BUILDING)
        result = self.run_line("backup rotate db1 --dry-run -f json")
        self.assertEqual(75, result.exit_code)


def made(rows):
    return [row for row in rows if row["Result"] == "planned"]
