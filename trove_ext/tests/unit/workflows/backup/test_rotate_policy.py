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

"""The cron job by a policy file, also killed after each request."""

from functools import partial
from unittest import mock

import testtools

from trove_ext.exceptions import CheckError
from trove_ext.model.policy_file import PolicyFile, read_rule
from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import Killed, make_client
from trove_ext.tests.fake.state import BackupState
from trove_ext.trove.client import Cloud
from trove_ext.workflows.backup.rotate import error_of
from trove_ext.workflows.backup.rotate_policy import rotate_policy
from trove_ext.workflows.backup.rotate_start import How
from trove_ext.workflows.new_instance import Nic
from trove_ext.workflows.restore.rotation_check import check_of
from trove_ext.workflows.restore.settings import RestoreOptions

HOUR = 3600
NIC = Nic()
RULES = (
    {"match": {"instance": "old"}, "skip": True},
    {"match": {"instance": "db1"}, "every": "6h", "keep_last": 2, "chain_length": 1},
    {"match": {"instance": "alone"}, "every": "1d", "keep_last": 1, "chain_length": 1},
)
POLICY = PolicyFile(
    "b.yaml", tuple(read_rule(r, {}, n) for n, r in enumerate(RULES, 1))
)


def made():
    """A set of two and two instances; the rotation of one has three full backups."""
    fake = FakeCloud(FakeClock())
    db1 = fake.add_instance("db1")
    fake.add_instance("rep1", replica_of=db1)
    fake.add_instance("old")
    alone = fake.add_instance("alone")
    for number in range(3):
        fake.add_backup(f"alone-full-2026010{number}T000000Z", alone)
        fake.clock.sleep(12 * HOUR)
    return fake


class RotatePolicyTestCase(testtools.TestCase):
    """Runs by a policy file, which have no failure."""

    def setUp(self):
        super().setUp()
        self.fake = made()

    policy = POLICY

    def run_once(self, policy=None, **kwargs):
        cloud = Cloud(make_client(self.fake), clock=self.fake.clock)
        policy = policy or self.policy
        checks = partial(check_of, options=RestoreOptions(nic=NIC))
        rows = rotate_policy(
            cloud, policy, cloud.start(3600), check_of=checks, **kwargs
        )
        self.assertIsNone(error_of(rows), rows)
        return {row.found.name: row for row in rows}

    def state(self):
        """What a run leaves: the backups of each instance, without their times."""
        names = {each.id: each.name for each in self.fake.live_instances}
        return sorted(
            (names[backup.instance_id], backup.state.name, backup.parent_id is None)
            for backup in self.fake.live_backups
        )

    def posts(self):
        return len(list(self.fake.log.matching("POST", "/backups")))

    def kill_after(self, number):
        def die(_request):
            if len(self.fake.log) >= number:
                raise Killed(9)

        self.fake.after_request.append(die)
        try:
            self.run_once()
        except Killed:
            pass
        else:
            self.fail(f"not killed after request {number}")
        self.fake.after_request.clear()

    def each_kill(self):
        """Kill a run after each request and run again; yield the number of each."""
        self.run_once()
        wanted, requests = self.state(), len(self.fake.log)
        for number in range(1, requests + 1):
            self.fake = made()
            self.kill_after(number)
            self.run_once()
            self.assertEqual(wanted, self.state(), f"killed after request {number}")
            yield number

    def rules(self, *rules):
        return PolicyFile(
            "b.yaml",
            (
                *(
                    read_rule({"match": {"instance": "alone"}, **rule}, {}, number)
                    for number, rule in enumerate(rules, 1)
                ),
                read_rule({"skip": True}, {}, 9),
            ),
        )


class TestRotatePolicy(RotatePolicyTestCase):
    def test_what_is_due_is_done_and_of_the_rest_it_says_when(self):
        # The newest one of "alone" is 12 hours old, and one is due each day.
        rows = self.run_once()
        self.assertEqual({"alone", "db1"}, set(rows))
        self.assertIs(How.MADE, rows["db1"].how)
        self.assertIs(How.NOT_DUE, rows["alone"].how)
        self.assertRegex(rows["alone"].note, r"^due at [0-9-]+ [0-9:]+ UTC$")
        self.assertEqual(1, self.posts())

    def test_retention_is_applied_where_nothing_is_due_too(self):
        rows = self.run_once()
        self.assertEqual(2, rows["alone"].deleted)
        self.assertEqual(2, len(self.fake.live_backups))

    def test_a_second_run_has_nothing_to_do(self):
        self.run_once()
        before = self.state()
        self.fake.clock.sleep(HOUR)
        rows = self.run_once()
        self.assertEqual({How.NOT_DUE}, {row.how for row in rows.values()})
        self.assertEqual(before, self.state())
        self.assertEqual(1, self.posts())

    def test_each_is_due_by_its_own_rule(self):
        self.run_once()
        self.fake.clock.sleep(6 * HOUR)
        self.assertIs(How.MADE, self.run_once()["db1"].how)
        self.fake.clock.sleep(6 * HOUR)
        rows = self.run_once()
        self.assertEqual({How.MADE}, {row.how for row in rows.values()})

    def test_one_in_progress_is_adopted_and_not_taken_twice(self):
        db1 = self.fake.instance("db1")
        name = "db1-full-20260109T000000Z"
        running = self.fake.add_backup(name, db1, state=BackupState.BUILDING)

        def complete():
            running.state = BackupState.COMPLETED
            self.fake.store(running, 0.3)

        self.fake.clock.after(30, complete)
        self.assertIs(How.ADOPTED, self.run_once()["db1"].how)
        self.assertEqual(0, self.posts())

    def test_killed_after_any_request_and_run_again_it_ends_as_one_run_would(self):
        self.assertLess(1, len(list(self.each_kill())))

    def test_backups_of_all_rules_are_waited_for_together(self):
        self.fake.clock.sleep(24 * HOUR)
        before = self.fake.clock.monotonic()
        self.run_once()
        together = self.fake.clock.monotonic() - before
        self.fake = made()
        self.fake.clock.sleep(24 * HOUR)
        before = self.fake.clock.monotonic()
        for rule in POLICY.rules[1:]:
            self.run_once(PolicyFile("b.yaml", (rule,)))
        alone = self.fake.clock.monotonic() - before
        self.assertLess(together, 0.75 * alone)

    def test_incrementals_of_postgresql_are_taken_if_the_rule_says_so(self):
        version = self.fake.datastores["postgresql"].default_version_id
        alone = self.fake.instance("alone")
        alone.version_id = version
        rule = {"every": "1h", "incremental": True}
        self.run_once(self.rules({"every": "1h"}))
        self.fake.clock.sleep(HOUR)
        self.run_once(self.rules(rule))
        parents = [b.parent_id for b in self.fake.live_backups[-2:]]
        self.assertEqual([None, self.fake.live_backups[-2].id], parents)


class TestVerified(RotatePolicyTestCase):
    """Rules that verify the first backup of each week."""

    policy = PolicyFile(
        "b.yaml",
        tuple(
            read_rule(rule, {} if "skip" in rule else {"verify_every": "week"}, line)
            for line, rule in enumerate(RULES, 1)
        ),
    )

    def run_once(self, policy=None, **kwargs):
        rows = super().run_once(policy, **kwargs)
        self.notes = {name: row.note for name, row in rows.items()}
        return rows

    def restores(self):
        return sum(
            "restorePoint" in str(request.body)
            for request in self.fake.log.matching("POST", "/instances")
        )

    def test_only_what_was_taken_now_is_verified(self):
        rows = self.run_once()
        self.assertIn("verified: restored", self.notes["db1"])
        self.assertRegex(rows["alone"].note, r"^due at [0-9-]+ [0-9:]+ UTC$")
        self.assertEqual(1, self.restores())

    def test_the_first_backup_of_a_week_is_verified_and_no_other_one(self):
        verified = []
        for day in range(14):
            self.run_once()
            if "verified: restored" in self.notes["db1"]:
                verified.append(self.fake.clock.now())
            self.assertEqual(4, len(self.fake.live_instances), f"day {day}")
            self.fake.clock.sleep(24 * HOUR)
        weeks = [f"{moment:%G-%V}" for moment in verified]
        self.assertEqual(sorted(set(weeks)), weeks)
        self.assertGreaterEqual(len(weeks), 2)

    def test_a_run_within_half_an_hour_verifies_what_a_killed_one_may_not_have(self):
        self.run_once()
        self.run_once()
        self.assertIn("verified: restored", self.notes["db1"])
        self.assertRegex(self.notes["db1"], "^due at ")
        self.fake.clock.sleep(1800)
        self.run_once()
        self.assertNotIn("verified", self.notes["db1"])

    def test_a_backup_that_does_not_verify_is_a_failure_and_nothing_is_pruned(self):
        self.fake.clock.sleep(12 * HOUR)
        cloud = Cloud(make_client(self.fake), clock=self.fake.clock)
        self.fake.quotas["instances"] = len(self.fake.live_instances)
        checks = partial(check_of, options=RestoreOptions(nic=NIC))
        for _ in range(2):
            # The second run finds it, and it is still due.
            rows = rotate_policy(cloud, self.policy, cloud.start(3600), check_of=checks)
            bad = [row for row in rows if row.error]
            self.assertIn("db1", {row.found.name for row in bad})
            self.assertEqual({0}, {row.deleted for row in bad})
            self.assertIn("quota", str(bad[0].error))

    def test_killed_after_any_request_and_run_again_it_ends_as_one_run_would(self):
        for number in self.each_kill():
            self.assertIn("verified: restored", self.notes["db1"], number)

    def test_without_the_driver_nothing_is_done(self):
        rule = {"every": "1h", "verify_every": "week", "query": "x", "expect": 1}
        cloud = Cloud(make_client(self.fake), clock=self.fake.clock)
        checks = partial(check_of, options=RestoreOptions(nic=NIC))
        with mock.patch.dict("sys.modules", {"pymysql": None}):
            self.assertRaises(
                CheckError,
                rotate_policy,
                cloud,
                self.rules(rule),
                cloud.start(3600),
                check_of=checks,
            )
        self.assertEqual([], list(self.fake.log.changing))
