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

"""``database backup policy show``, and files that no command accepts."""

import json
import pathlib

import fixtures
import testtools

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.sweep.scenarios import base

RULES = """\
rules:
  - match: {instance: alone}
    every: 1h
  - match: {instance: db1}
    skip: true
"""


class PolicyTestCase(testtools.TestCase):
    """A cloud with a set of three and a separate instance, and a policy file."""

    def setUp(self):
        super().setUp()
        self.fake = FakeCloud(FakeClock())
        base(self.fake)
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def file(self, text):
        path = self.folder / "backups.yaml"
        path.write_text(text)
        return str(path)

    def run_command(self, *argv):
        return run_openstack(["database", "backup", *argv], self.fake)


class TestShow(PolicyTestCase):
    def show(self, text):
        result = self.run_command("policy", "show", self.file(text), "-f", "json")
        self.assertEqual(0, result.exit_code, result.stderr)
        rows = {row["Instance"]: row for row in json.loads(result.stdout)}
        return rows, result

    def test_each_instance_has_its_rule_and_its_state(self):
        extra = self.fake.add_instance("extra")
        rows, result = self.show(RULES)
        states = {
            name: (row["Rule"], row["State"], row["Every"])
            for name, row in rows.items()
        }
        wanted = {
            "alone": (2, "due", 3600),
            "db1": (4, "skipped", None),
            "extra": (None, "no rule", None),
        }
        self.assertEqual(wanted, states)
        self.assertIn("backups.yaml matches extra (", result.stderr)
        self.assertEqual(extra.id, rows["extra"]["Instance ID"])

    def test_the_next_one_is_due_after_the_last_one_of_the_rotation(self):
        alone = self.fake.instance("alone")
        self.fake.add_backup("alone-full-20260101T000000Z", alone)
        now = self.fake.clock.now()
        self.fake.clock.sleep(600)
        row = self.show(RULES)[0]["alone"]
        self.assertEqual("not due", row["State"])
        self.assertEqual("alone-full-20260101T000000Z", row["Last Backup"])
        due = now.replace(hour=now.hour + 1, microsecond=0)
        self.assertEqual(due.isoformat().replace("+00:00", "Z")[:19], row["Due"][:19])

    def test_a_verification_is_due_with_the_first_backup_of_a_period(self):
        alone = self.fake.instance("alone")
        rules = RULES.replace("every: 1h", "every: 1h\n    verify_every: day")
        row = self.show(rules)[0]["alone"]
        self.assertEqual(("day", None), (row["Verify Every"], row["Verification Due"]))
        self.fake.add_backup("alone-full-20260101T000000Z", alone)
        row = self.show(rules)[0]["alone"]
        self.assertEqual(row["Created"], row["Verification Due"])
        self.fake.clock.sleep(3600)
        self.fake.add_backup("alone-full-20260102T000000Z", alone)
        row = self.show(rules)[0]["alone"]
        self.assertLess(row["Created"][:10], row["Verification Due"][:10])
        row = self.show(RULES)[0]["alone"]
        self.assertEqual((None, None), (row["Verify Every"], row["Verification Due"]))

    def test_it_reads_the_project_in_two_requests(self):
        _, result = self.show(RULES)
        self.assertEqual(
            ["instances/detail", "backups"],
            [r.path.split("/", 3)[3] for r in result.requests.to_trove()],
        )


class TestBadFile(PolicyTestCase):
    """A wrong file is refused as a whole, before anything is sent."""

    COMMANDS = (
        ("policy", "show"),
        ("rotate", "--policy"),
        ("check", "--policy"),
        ("check", "--nagios", "--policy"),
        ("prune", "--yes", "--policy"),
        ("verify", "--policy"),
    )

    def test_nothing_is_sent_to_any_service(self):
        bad = self.file("rules:\n  - every: 7x\n    keep_daily: many\n")
        for command in self.COMMANDS:
            result = self.run_command(*command, bad)
            code = 3 if "--nagios" in command else 2
            self.assertEqual(code, result.exit_code, result.stderr)
            self.assertEqual([], list(result.requests), command)
            shown = result.stdout if "--nagios" in command else result.stderr
            self.assertIn(f"{bad}:2:5: every: '7x'", shown)
            if "--nagios" not in command:
                self.assertIn(f"{bad}:3:5: keep_daily: 'many'", shown)

    def test_what_the_rules_decide_can_not_be_given_too(self):
        path = self.file(RULES)
        for argv, named in (
            (("rotate", "db1"), "<instance>"),
            (("rotate", "--all", "--exclude", "x"), "--all, --exclude"),
            (
                ("rotate", "--full-every", "7d", "--name", "{time}"),
                "--full-every, --name",
            ),
            (("rotate", "--keep-last", "3"), "--keep-"),
            (("rotate", "--min-age", "0"), "--min-age"),
            (("rotate", "--verify-each", "week"), "--verify-each"),
            (("check", "db1", "--max-age", "1h"), "<instance>, --critical"),
            (("prune", "--all", "--yes"), "--all"),
        ):
            result = self.run_command(*argv, "--policy", path)
            self.assertEqual(2, result.exit_code, result.stderr)
            self.assertEqual([], list(result.requests), argv)
            self.assertIn(f"leave out {named}", result.stderr)


class TestRotate(PolicyTestCase):
    RULES = """
defaults: {every: 1h, keep_last: 3}
rules:
  - match: {instance: alone}
    verify_every: week
  - match: {instance: db1}
    incremental: true
"""

    def rotate(self, rules, *argv):
        argv = ("rotate", "--policy", self.file(rules), "--nic", "none", *argv)
        return self.run_command(*argv)

    def test_the_network_of_verifications_can_be_given(self):
        result = self.rotate(self.RULES, "-f", "json")
        self.assertEqual(0, result.exit_code, result.stderr)
        notes = {row["Instance"]: row["Note"] for row in json.loads(result.stdout)}
        self.assertIn("verified: restored", notes["alone"])
        self.assertNotIn("verified", notes["db1"])

    def test_it_needs_verifications(self):
        result = self.rotate(self.RULES.replace("verify_every: week", "keep_last: 1"))
        self.assertEqual((2, 0), (result.exit_code, len(result.requests)))
        self.assertIn("--nic needs verify_every in a rule", result.stderr)

    def test_a_chain_without_limit_is_a_warning_also_with_incrementals(self):
        result = self.rotate(self.RULES)
        shown = " ".join(result.stderr.split())
        self.assertIn(":4: without full_every or chain_length one chain", shown)
        self.assertIn("nothing of it (on PostgreSQL", shown)
        self.assertIn("nothing of it.", shown)


class TestCheck(PolicyTestCase):
    RULES = """
rules:
  - match: {instance: alone}
    every: 1h
    max_age: 2h
  - match: {instance: rep*}
    skip: true
"""

    def check(self, *argv):
        path = self.file(self.RULES)
        result = self.run_command("check", "--policy", path, "-f", "json", *argv)
        rows = json.loads(result.stdout)
        return {row["Instance"]: (row["Result"], row["Problem"]) for row in rows}

    def test_each_instance_has_the_limit_of_its_rule_and_needs_a_rule(self):
        found = self.check()
        self.assertEqual({"alone", "db1"}, set(found))
        self.assertEqual(("ok", None), found["alone"])
        self.assertEqual("failed", found["db1"][0])
        self.assertIn("no rule of", found["db1"][1])
        self.fake.clock.sleep(3 * 3600)
        self.assertIn("2h is the limit", self.check()["alone"][1])

    def test_as_a_plugin_each_has_its_own_limit(self):
        path = self.file(self.RULES)
        result = self.run_command("check", "--policy", path, "--nagios")
        self.assertEqual(2, result.exit_code)
        self.assertRegex(result.stdout, r"'?alone_age'?=[\d.]+s;;7200;0")

    def test_a_warning_that_is_later_than_the_limit_has_no_effect(self):
        self.fake.clock.sleep(5400)
        self.assertEqual("warning", self.check("--warning", "1h")["alone"][0])
        self.assertEqual("ok", self.check("--warning", "3h")["alone"][0])


class TestPrune(PolicyTestCase):
    RULES = """
rules:
  - match: {instance: alone}
    every: 1h
    keep_last: 1
  - every: 1d
"""

    def setUp(self):
        super().setUp()
        alone = self.fake.instance("alone")
        for number in range(3):
            self.fake.clock.sleep(60)
            self.fake.add_backup(f"alone-full-2026010{number}T000000Z", alone)

    def names(self):
        return sorted(backup.name for backup in self.fake.live_backups)

    def test_the_rotation_is_pruned_by_its_rule_and_nothing_else(self):
        path = self.file(self.RULES)
        plan = self.run_command("prune", "--policy", path, "--dry-run", "-f", "json")
        self.assertEqual(0, plan.exit_code, plan.stderr)
        going = [r["Name"] for r in json.loads(plan.stdout) if r["Action"] == "delete"]
        done = self.run_command("prune", "--policy", path, "--yes")
        self.assertEqual(0, done.exit_code, done.stderr)
        self.assertEqual(2, len(going))
        kept = ["alone-full-20260102T000000Z", "full", "inc1", "inc2", "other"]
        self.assertEqual(kept, self.names())
