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

"""``database backup verify`` as it is typed."""

import json
import pathlib
from datetime import timedelta

import fixtures
import testtools
from prometheus_client.parser import text_string_to_metric_families

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.fake.state import BackupState


class TestTimeout(testtools.TestCase):
    def test_each_backup_has_the_whole_time(self):
        cloud = FakeCloud(FakeClock())
        db1 = cloud.add_instance("db1")
        for name in ("b1", "b2"):
            cloud.add_backup(name, db1)
        begun = cloud.clock.monotonic()

        def is_at_the_check_of_the_second(request):
            return "/backups/" in request.path and 60 < request.at - begun < 79

        argv = ["database", "backup", "verify", "b1", "b2"]
        result = run_openstack(
            [*argv, "--nic", "none", "--timeout", "80"],
            cloud,
            faults=[
                Fault(Kind.HTTP_503, only=is_at_the_check_of_the_second, lasting=True)
            ],
        )
        self.assertEqual(0, result.exit_code, result.stderr)
        self.assertIn("503", result.requests.text())


class VerifyTestCase(testtools.TestCase):
    """The replica set shop, backed up at its replica, blog, and new without a backup."""

    def setUp(self):
        super().setUp()
        self.cloud = FakeCloud(FakeClock(limit=400 * 86400.0))
        self.shop = self.cloud.add_instance("shop")
        replica = self.cloud.add_instance("rep", replica_of=self.shop)
        self.blog = self.cloud.add_instance("blog")
        self.add("shop-old", self.shop, 50)
        self.add("rep-new", replica, 20)
        self.add("blog-good", self.blog, 30)
        self.add("blog-failed", self.blog, 10, state=BackupState.FAILED)

    def add(self, name, instance, hours, **kwargs):
        created = self.cloud.clock.now() - timedelta(hours=hours)
        self.cloud.add_backup(name, instance, created=created, **kwargs)

    def verify(self, *words):
        argv = ["database", "backup", "verify", *words, "--nic", "none"]
        return run_openstack([*argv, "-f", "json"], self.cloud)

    def totals(self, result):
        rows = json.loads(result.stdout)
        return [(r["Backup"], r["Result"]) for r in rows if r["Step"] == "total"]


class TestAll(VerifyTestCase):
    def test_the_newest_restorable_backup_of_each_set_is_verified(self):
        result = self.verify("--all")
        self.assertEqual(0, result.exit_code, result.stderr)
        self.assertEqual(
            [("blog-good", "restored"), ("rep-new", "restored")], self.totals(result)
        )
        names = {instance.name for instance in self.cloud.live_instances}
        self.assertEqual({"shop", "rep", "blog"}, names)

    def test_an_instance_without_a_backup_is_a_failure(self):
        new = self.cloud.add_instance("new")
        result = self.verify("--all")
        self.assertEqual(1, result.exit_code)
        self.assertIn((None, "FAILED"), self.totals(result))
        self.assertIn(f"Instance new ({new.id}): there is no restorable", result.stderr)

    def test_it_is_narrowed_down_as_the_others(self):
        result = self.verify("--all", "--exclude", "shop")
        self.assertEqual([("blog-good", "restored")], self.totals(result))
        result = self.verify("--all", "--datastore", "postgresql")
        self.assertEqual(1, result.exit_code)
        self.assertIn("There is no instance to check", result.stderr)

    def test_backups_and_all_exclude_each_other(self):
        for words in (
            ["--all", "rep-new"],
            ["--all", "--instance", "blog"],
            ["rep-new", "--exclude", "x"],
            ["rep-new", "--datastore", "mysql"],
            [],
        ):
            result = self.verify(*words)
            self.assertEqual((2, []), (result.exit_code, result.requests.to_trove()))


class TestPolicy(VerifyTestCase):
    RULES = """
rules:
  - match: {instance: shop}
    every: 12h
    name: rep-new{time:%Y}
    verify_every: week
  - match: {instance: blog}
    every: 1h
    verify_every: day
  - skip: true
"""

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        rep = self.cloud.instance("rep")
        self.add("rep-full-20260101T000000Z", rep, 3)
        self.add("blog-full-20260101T000000Z", self.blog, 0)

    def policy(self, rules=None):
        """Write a file; without the name that no backup of shop has, by default."""
        rules = rules or self.RULES.replace("    name: rep-new{time:%Y}\n", "")
        path = self.folder / f"{len(rules)}.yaml"
        path.write_text(rules)
        return ("--policy", str(path))

    def test_the_first_backup_of_a_period_is_verified_that_of_any_member(self):
        self.add("shop-full-20260101T000000Z", self.shop, 24 * 8)
        result = self.verify(*self.policy())
        self.assertEqual(0, result.exit_code, result.stderr)
        wanted = [
            ("blog-full-20260101T000000Z", "restored"),
            ("rep-full-20260101T000000Z", "restored"),
        ]
        self.assertEqual(wanted, self.totals(result))

    def test_what_is_not_due_is_left_out_and_a_run_without_work_is_a_success(self):
        rules = "rules: [{match: {instance: blog}, every: 1h, verify_every: year}]"
        self.cloud.clock.sleep(60)
        self.add("blog-full-20260102T000000Z", self.blog, 0)
        result = self.verify(*self.policy(rules))
        self.assertEqual((0, []), (result.exit_code, json.loads(result.stdout)))
        self.assertIn("first backup of the year, which is blog-full-", result.stderr)
        self.assertIn("No rule of", result.stderr)

    def test_an_instance_without_a_backup_is_a_failure(self):
        result = self.verify(*self.policy(self.RULES))
        self.assertEqual(1, result.exit_code)
        self.assertIn("shop", result.stderr)
        self.assertIn("no restorable backup of the rotation", result.stderr)

    def test_what_can_not_be_done_is_refused_before_anything_is_sent(self):
        rules = "rules: [{every: 1h}]"
        for words, text in (
            (self.policy(rules), "has verify_every"),
            ((*self.policy(), "b"), "leave out <backup>"),
            ((*self.policy(), "--instance", "shop"), "leave out --instance"),
            ((*self.policy(), "--all"), "leave out --all"),
            ((*self.policy(), "--query", "x"), "leave out --query"),
            (("--policy", "/nowhere"), "Can't read /nowhere"),
        ):
            result = self.verify(*words)
            self.assertEqual((2, 0), (result.exit_code, len(result.requests)), words)
            self.assertIn(text, result.stderr)

    def test_the_metrics_of_what_is_not_due_stay(self):
        path = self.folder / "v.prom"
        self.verify(*self.policy(), "--prometheus", str(path))
        before = path.read_text("utf-8")
        self.cloud.clock.sleep(60)
        self.add("blog-full-20260102T000000Z", self.blog, 0)
        self.verify(*self.policy(), "--prometheus", str(path))
        found = path.read_text("utf-8")
        self.assertEqual(self.success(before, "blog"), self.success(found, "blog"))
        self.assertNotEqual(self.success(before, "shop"), self.success(found, "shop"))

    def success(self, text, name):
        return [
            sample.value
            for family in text_string_to_metric_families(text)
            if family.name == "trove_backup_verify_last_success_timestamp_seconds"
            for sample in family.samples
            if sample.labels["name"] == name
        ]


class TestMetrics(VerifyTestCase):
    def setUp(self):
        super().setUp()
        self.file = pathlib.Path(self.useFixture(fixtures.TempDir()).path) / "v.prom"

    def metrics(self, *words):
        """Verify; return the values of each metric by the name of the instance."""
        self.result = self.verify(*words, "--prometheus", str(self.file))
        return {
            family.name.removeprefix("trove_backup_verify_"): {
                sample.labels.get("name", ""): sample.value for sample in family.samples
            }
            for family in text_string_to_metric_families(self.file.read_text("utf-8"))
        }

    def test_a_set_has_the_labels_of_its_source(self):
        found = self.metrics("--all")
        self.assertEqual({"shop": 1, "blog": 1}, found["success"])
        self.assertIn(f'id="{self.shop.id}",name="shop"', self.file.read_text("utf-8"))
        newest = self.cloud.clock.now() - timedelta(hours=20)
        self.assertAlmostEqual(
            newest.timestamp(), found["backup_timestamp_seconds"]["shop"], delta=900
        )
        self.assertLess(0, found["duration_seconds"]["shop"])

    def test_an_instance_without_a_backup_has_no_success_and_no_time(self):
        self.cloud.add_instance("new")
        found = self.metrics("--all")
        self.assertEqual(0, found["success"]["new"])
        self.assertNotIn("new", found["last_success_timestamp_seconds"])

    def test_the_last_success_of_each_instance_is_carried_over(self):
        first = self.metrics("--all")["last_success_timestamp_seconds"]
        self.cloud.clock.sleep(86400)
        self.cloud.fail_restore()
        second = self.metrics("blog-good")
        self.assertEqual(1, self.result.exit_code)
        self.assertEqual(first, second["last_success_timestamp_seconds"])
        self.assertEqual({"shop": 1, "blog": 0}, second["success"])

    def test_a_backup_that_is_not_there_is_of_no_instance(self):
        found = self.metrics("nobody")
        self.assertEqual(["timestamp_seconds"], list(found))
