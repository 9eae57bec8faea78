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

"""When the next backup is due."""

from datetime import timedelta

import testtools

from trove_ext.model.backup_due import State, due
from trove_ext.model.backup_forest import BackupForest
from trove_ext.model.instance import Instance
from trove_ext.model.policy_file import read_rule
from trove_ext.model.selection import Group
from trove_ext.tests.unit.model import trees

NOW = trees.day(99)
HOUR = timedelta(hours=1)
NAME = "shop-full-20260101T000000Z"
RULE = read_rule({"every": "1d"}, {}, 1)


def instance(name, datastore="mysql"):
    return Instance(f"id-{name}", name, "ACTIVE", "HEALTHY", datastore=datastore)


class DueTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.shop = instance("shop")
        self.group = Group(self.shop, (self.shop,))

    def due(self, *backups, rule=RULE, group=None):
        return due(BackupForest.of(backups), group or self.group, rule, NOW)

    def taken(self, age, name=NAME, of=None, **fields):
        fields |= {"name": name, "instance_id": (of or self.shop).id}
        return trees.backup(f"{name}-{age}", created=NOW - age, **fields)


class TestDue(DueTestCase):
    def test_an_instance_without_a_backup_is_due(self):
        found = self.due()
        self.assertEqual((State.DUE, None, None), (found.state, found.last, found.at))

    def test_the_next_one_is_due_every_so_often_after_the_start_of_the_last(self):
        last = self.taken(10 * HOUR)
        found = self.due(last, self.taken(34 * HOUR))
        self.assertEqual((State.WAITING, last), (found.state, found.last))
        self.assertEqual(NOW + 14 * HOUR, found.at)

    def test_it_is_due_an_hour_early(self):
        self.assertIs(State.WAITING, self.due(self.taken(22.9 * HOUR)).state)
        self.assertIs(State.DUE, self.due(self.taken(23 * HOUR)).state)

    def test_only_good_backups_of_the_rotation_count(self):
        others = (
            self.taken(HOUR, "by-hand"),
            self.taken(HOUR, status="FAILED"),
            self.taken(-48 * HOUR),
            self.taken(HOUR, of=instance("other")),
        )
        self.assertIs(State.DUE, self.due(*others).state)

    def test_only_backups_of_the_storage_driver_count(self):
        rule = read_rule({"every": "1d", "storage_driver": "cinder"}, {}, 1)
        self.assertIs(State.DUE, self.due(self.taken(HOUR), rule=rule).state)

    def test_one_in_progress_is_not_taken_again(self):
        found = self.due(self.taken(HOUR, status="BUILDING"))
        self.assertIs(State.RUNNING, found.state)

    def test_a_backup_of_any_member_counts_for_a_set(self):
        replica = instance("rep")
        name = NAME.replace("shop", "rep")
        group = Group(self.shop, (self.shop, replica))
        found = self.due(self.taken(HOUR, name, of=replica), group=group)
        self.assertIs(State.WAITING, found.state)

    def test_skipped_and_unmatched_instances(self):
        skipped = read_rule({"skip": True}, {}, 1)
        self.assertIs(State.SKIPPED, self.due(rule=skipped).state)
        self.assertIs(State.NO_RULE, self.due(rule=None).state)

    def test_what_never_ends_is_due_at_the_end_of_the_calendar(self):
        rule = read_rule({"every": "9999y", "verify_every": "hour"}, {}, 1)
        first = self.taken(0.6 * HOUR)
        found = self.due(first, self.taken(0.1 * HOUR), rule=rule)
        self.assertIs(State.WAITING, found.state)
        self.assertEqual((9999, 9999), (found.at.year, found.verify_at.year))


class TestVerification(DueTestCase):
    """NOW is a Sunday, 2026-11-08 at noon (UTC)."""

    RULE = read_rule({"every": "1d", "verify_every": "week"}, {}, 1)

    def test_without_verify_every_nothing_is_verified(self):
        found = self.due(self.taken(HOUR))
        self.assertEqual((None, None), (found.first, found.verify_at))
        self.assertFalse(found.verifies_last)

    def test_the_first_backup_of_a_period_is_the_one(self):
        last = self.taken(10 * HOUR)
        found = self.due(last, self.taken(8 * 24 * HOUR), rule=self.RULE)
        self.assertTrue(found.verifies_last)
        self.assertEqual(last.created, found.verify_at)

    def test_another_one_is_not_and_the_next_is_the_first_of_the_next_period(self):
        first, last = self.taken(58 * HOUR), self.taken(10 * HOUR)
        found = self.due(first, last, self.taken(34 * HOUR), rule=self.RULE)
        self.assertFalse(found.verifies_last)
        self.assertEqual(first, found.first)
        self.assertEqual(last.created + 24 * HOUR, found.verify_at)

    def test_the_next_one_is_taken_when_it_is_due_and_not_when_a_period_begins(self):
        rule = read_rule({"every": "10h", "verify_every": "month"}, {}, 1)
        first, last = self.taken(30 * HOUR), self.taken(HOUR)
        found = self.due(first, last, rule=rule)
        self.assertEqual(12, found.verify_at.month)
        self.assertLess(found.verify_at - trees.day(122), 10 * HOUR)
        rest = found.verify_at - last.created
        self.assertEqual(timedelta(), rest % timedelta(hours=10))

    def test_a_backup_of_another_member_is_the_first_of_the_set(self):
        replica = instance("rep")
        name = NAME.replace("shop", "rep")
        group = Group(self.shop, (self.shop, replica))
        first = self.taken(34 * HOUR, name, of=replica)
        found = self.due(first, self.taken(10 * HOUR), rule=self.RULE, group=group)
        self.assertEqual(first, found.first)

    def test_an_instance_without_a_backup_has_no_time(self):
        found = self.due(rule=self.RULE)
        self.assertFalse(found.verifies_last)
        self.assertIsNone(found.verify_at)
