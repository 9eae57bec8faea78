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

"""``backup rotate`` as a command."""

import json
import pathlib

import fixtures
from prometheus_client.parser import text_string_to_metric_families

from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.unit.osc.v1.base import ChainTestCase


class TestRotate(ChainTestCase):
    def test_rotate_has_a_row_for_each_and_an_exit_code_for_busy(self):
        self.add("theirs", state=BackupState.BUILDING)
        result = self.run_line("backup rotate db1 -f json")
        (row,) = json.loads(result.stdout)
        self.assertEqual((75, "busy"), (result.exit_code, row["Result"]))
        self.assertIn("theirs", result.stderr)

    def test_rotate_prunes_with_the_same_options(self):
        line = "backup rotate db1 --chain-length 1 --keep-last 1 -f json"
        (row,) = json.loads(self.run_line(line).stdout)
        self.assertEqual(("made", 1, 3), (row["Result"], row["Kept"], row["Deleted"]))
        self.assertEqual(1, len(self.names()))

    def test_rotate_refuses_a_pattern_without_time(self):
        for pattern in ("nightly", "{instance}-{time:now}", "{time:%%}"):
            result = self.run_line(f"backup rotate db1 --name {pattern}")
            self.assertEqual(2, result.exit_code)
            self.assertIn("all would have one name", result.stderr)

    def test_rotate_always_takes_a_new_one_with_min_age_0(self):
        line = "backup rotate db1 --min-age 0 -f json"
        results = [json.loads(self.run_line(line).stdout)[0] for _ in range(2)]
        self.assertEqual(["made", "made"], [row["Result"] for row in results])

    def test_rotate_warns_if_retention_can_delete_nothing(self):
        line = "backup rotate db1 --keep-last 3"
        self.assertIn("grows without limit", self.run_line(line).stderr)
        quiet = self.run_line(f"{line} --chain-length 7 --min-age 0").stderr
        self.assertNotIn("grows without limit", quiet)


class TestAll(ChainTestCase):
    def test_a_row_for_each_set_says_which_member_it_is_and_why(self):
        shop = self.fake.add_instance("shop")
        self.fake.add_instance("rep", replica_of=shop)
        result = self.run_line("backup rotate --all --prefer replica -f json")
        self.assertEqual(0, result.exit_code, result.stderr)
        rows = {row["Instance"]: row for row in json.loads(result.stdout)}
        self.assertEqual({"db1", "rep"}, set(rows))
        self.assertRegex(
            rows["rep"]["Note"], r"^replica of shop, proved in .* s; full:"
        )

    def test_a_set_that_fails_says_so_with_the_member(self):
        shop = self.fake.add_instance("shop")
        self.fake.add_instance("rep", replica_of=shop)
        self.fake.fail_backup("shop", message="The disk is full.")
        result = self.run_line("backup rotate --all --exclude db1 -f json")
        (row,) = json.loads(result.stdout)
        self.assertEqual((1, "failed"), (result.exit_code, row["Result"]))
        self.assertRegex(row["Note"], "^source of 1 replicas?; .*The disk is full")

    def test_names_and_all_exclude_each_other(self):
        for words in ("", "db1 --all", "db1 --exclude x", "db1 --datastore mysql"):
            result = self.run_line(f"backup rotate {words}")
            self.assertEqual((2, []), (result.exit_code, result.requests.to_trove()))

    def test_a_role_is_preferred_with_all_only(self):
        result = self.run_line("backup rotate db1 --prefer replica")
        self.assertEqual((2, []), (result.exit_code, result.requests.to_trove()))
        self.assertIn("replica sets of --all", result.stderr)


class TestMetrics(ChainTestCase):
    """Read back by Prometheus' own client."""

    def setUp(self):
        super().setUp()
        self.file = pathlib.Path(self.useFixture(fixtures.TempDir()).path) / "r.prom"

    def metrics(self, words):
        """Rotate; return the values of each metric by the name of the instance."""
        line = f"backup rotate {words} --prometheus {self.file}"
        self.result = self.run_line(line)
        return {
            family.name.removeprefix("trove_backup_rotate_"): {
                sample.labels.get("name", ""): sample.value for sample in family.samples
            }
            for family in text_string_to_metric_families(self.file.read_text("utf-8"))
        }

    def test_a_run_reports_what_it_did(self):
        self.fake.timings.backup = 20.0
        found = self.metrics("db1 --keep-last 1 --chain-length 1")
        self.assertEqual((0, ""), (self.result.exit_code, self.warnings()))
        now = self.fake.clock.now().timestamp()
        last = found.pop("last_success_timestamp_seconds")
        self.assertAlmostEqual(now, last["db1"], delta=5)
        self.assertAlmostEqual(now, found.pop("timestamp_seconds")[""], delta=5)
        self.assertAlmostEqual(20.0, found.pop("duration_seconds")["db1"], delta=2)
        self.assertEqual(
            {"success": {"db1": 1}, "made": {"db1": 1}}
            | {"deleted": {"db1": 3}, "kept": {"db1": 1}},
            found,
        )

    def test_a_failure_keeps_the_time_of_the_last_success(self):
        first = self.metrics("db1 --min-age 0")
        self.fake.clock.sleep(86400)
        self.fake.fail_backup("db1")
        second = self.metrics("db1 --min-age 0")
        self.assertEqual(1, self.result.exit_code)
        for name in ("last_success_timestamp_seconds", "duration_seconds"):
            self.assertEqual(first[name], second[name])
        self.assertEqual({"db1": 0}, second["success"])
        self.assertGreater(
            second["timestamp_seconds"][""], first["timestamp_seconds"][""]
        )

    def test_a_run_of_others_keeps_the_values_of_this_one(self):
        self.fake.add_instance("db2")
        self.metrics("db1")
        found = self.metrics("db2")
        self.assertEqual({"db1": 1, "db2": 1}, found["success"])

    def test_with_all_a_deleted_instance_disappears(self):
        gone = self.fake.add_instance("db2")
        self.metrics("db1 db2")
        gone.deleted = True
        self.assertEqual({"db1": 1}, self.metrics("--all")["success"])

    def test_a_set_has_the_labels_of_its_source(self):
        self.fake.add_instance("rep", replica_of=self.db1)
        self.metrics("--all --prefer replica")
        (line,) = [
            each
            for each in self.file.read_text("utf-8").splitlines()
            if each.startswith("trove_backup_rotate_success")
        ]
        self.assertIn(f'id="{self.db1.id}",name="db1"', line)

    def test_a_file_that_can_not_be_written_is_a_warning(self):
        self.file = self.file.parent / "nowhere" / "r.prom"
        self.assertRaises(FileNotFoundError, self.metrics, "db1")
        self.assertEqual(0, self.result.exit_code)
        self.assertIn("Can't write", self.warnings())

    def warnings(self):
        lines = self.result.stderr.splitlines()
        return "\n".join(
            line for line in lines if "WARNING" in line and "limit" not in line
        )
