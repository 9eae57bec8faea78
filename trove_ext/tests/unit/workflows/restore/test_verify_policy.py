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

"""Which backups a policy file verifies."""

from datetime import timedelta

import testtools

from trove_ext.model.policy_file import PolicyFile, read_rule
from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import make_client
from trove_ext.trove.client import Cloud
from trove_ext.workflows.restore.verify_policy import due_verifications

RULES = (
    {"match": {"instance": "old"}, "skip": True},
    {"match": {"instance": "test"}},
    {"verify_every": "day", "query": "SELECT 1", "expect": 1},
)


class Notes:
    def __init__(self):
        self.texts = []

    def note(self, text, *_follow_ups):
        self.texts.append(text)

    warn = note


class TestDueVerifications(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.fake = FakeCloud(FakeClock())
        now = self.fake.clock.now()
        tomorrow = now.replace(hour=12, minute=0, second=0) + timedelta(days=1)
        self.fake.clock.sleep((tomorrow - now).total_seconds())
        self.shop = self.fake.add_instance("shop")
        for name in ("old", "test"):
            self.add(self.fake.add_instance(name), 1)
        self.policy = PolicyFile(
            "b.yaml",
            tuple(
                read_rule(rule, {"every": "1h"}, line)
                for line, rule in enumerate(RULES, 1)
            ),
        )

    def add(self, instance, hours, name="{0}-full-20260101T00000{1}Z"):
        created = self.fake.clock.now() - timedelta(hours=hours)
        name = name.format(instance.name, hours % 10)
        return self.fake.add_backup(name, instance, created=created)

    def found(self):
        self.notes = Notes()
        cloud = Cloud(
            make_client(self.fake), clock=self.fake.clock, progress=self.notes
        )
        return due_verifications(cloud, self.policy)

    def test_the_first_backup_of_its_day_is_verified_as_its_rule_says(self):
        self.add(self.shop, 20)
        first = self.add(self.shop, 3)
        (newest,) = self.found().now
        self.assertEqual(
            (self.shop.id, first.id), (newest.instance_id, newest.backup.id)
        )
        self.assertEqual((("SELECT 1", "1"),), newest.verification.queries)

    def test_it_stays_due_until_the_next_backup_is_taken(self):
        first = self.add(self.shop, 3)
        self.found()
        self.assertEqual(first.id, self.found().now[0].backup.id)
        last = self.add(self.shop, 1)
        found = self.found()
        self.assertEqual([], found.now)
        self.assertEqual({self.shop.id}, found.later)
        (note,) = [text for text in self.notes.texts if "left out" in text]
        for part in (first.id, last.id, "first backup of the day", "00:00"):
            self.assertIn(part, note)

    def test_an_instance_without_a_good_backup_is_a_finding(self):
        self.add(self.shop, 3, "by-hand")
        (newest,) = self.found().now
        self.assertIsNone(newest.backup)
        self.assertIn("no restorable backup", newest.problem)

    def test_others_are_not_verified(self):
        found = self.found()
        names = {newest.name for newest in found.now}
        self.assertEqual(({"shop"}, frozenset()), (names, found.later))
