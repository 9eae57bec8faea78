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


class TestDue(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.shop = instance("shop")
        self.group = Group(self.shop, (self.shop,))

    def due(self, *backups, rule=RULE, group=None):
        return due(BackupForest.of(backups), group or self.group, rule, NOW)

    def taken(self, age, name=NAME, of=None, **fields):
        fields |= {"name": name, "instance_id": (of or self.shop).id}
        return trees.backup(f"{name}-{age}", created=NOW - age, **fields)

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
