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


"""The member of a replica set that is backed up."""

from datetime import timedelta

import testtools

from trove_ext.model.backup_forest import BackupForest
from trove_ext.model.instance import Instance
from trove_ext.model.rotation_naming import NamePattern
from trove_ext.model.selection import Group
from trove_ext.model.set_member import begun_with, replica_to_back_up
from trove_ext.tests.unit.model import trees

PATTERN = NamePattern("{instance}-{time:%j}")
HOUR = timedelta(hours=1)
SOURCE = Instance("i-s", "s", "ACTIVE", "HEALTHY", replicas=("i-a", "i-b"))
A, B = (
    Instance(f"i-{name}", name, "ACTIVE", "HEALTHY", replica_of="i-s")
    for name in ("a", "b")
)
GROUP = Group(SOURCE, (SOURCE, A, B))


def backup(name, day=0, **fields):
    """A backup of the member that its name begins with, of this day."""
    moment = trees.day(day)
    owner = f"i-{name[0]}"
    fields = {"instance_id": owner, "created": moment, "updated": moment, **fields}
    return trees.backup(f"id-{name}", name=name, **fields)


class TestBegunWith(testtools.TestCase):
    def begun(self, *backups, **kwargs):
        forest = BackupForest.of(backups)
        kwargs |= {"now": trees.day(10), "min_age": HOUR}
        member = begun_with(GROUP, forest, PATTERN, **kwargs)
        return member and member.name

    def test_a_backup_in_progress_is_gone_on_with(self):
        self.assertEqual("b", self.begun(backup("b-001", status="BUILDING")))

    def test_a_young_one_counts_and_an_old_one_does_not(self):
        self.assertEqual("a", self.begun(backup("a-001", 9.99)))
        self.assertIsNone(self.begun(backup("a-001", 9)))

    def test_others_than_those_of_the_rotation_do_not_count(self):
        self.assertIsNone(self.begun(backup("a-by-hand", 9.99)))
        self.assertIsNone(self.begun(backup("a-001", 9.99, instance_id="i-b")))

    def test_one_that_can_not_be_restored_does_not_count(self):
        self.assertIsNone(self.begun(backup("a-001", 9.99, status="FAILED")))
        self.assertIsNone(self.begun(backup("a-001", 9.99, parent_id="lost")))

    def test_one_of_another_storage_driver_does_not_count(self):
        young = backup("a-001", 9.99)
        self.assertIsNone(self.begun(young, storage_driver="cinder"))


class TestReplica(testtools.TestCase):
    def chosen(self, *backups, proved=("i-a", "i-b")):
        forest = BackupForest.of(backups)
        member = replica_to_back_up(GROUP, forest, PATTERN, proved)
        return member and member.name

    def test_none_is_proved(self):
        self.assertIsNone(self.chosen(backup("a-001"), proved=()))

    def test_the_first_by_name_begins(self):
        self.assertEqual("a", self.chosen())

    def test_the_one_with_the_newest_backup_goes_on(self):
        old, new = backup("a-001", 1), backup("b-002", 2)
        self.assertEqual("b", self.chosen(old, new))

    def test_it_loses_its_place_if_it_is_not_proved(self):
        old, new = backup("a-001", 1), backup("b-002", 2)
        self.assertEqual("a", self.chosen(old, new, proved=("i-a",)))

    def test_failed_backups_and_others_give_no_place(self):
        failed = backup("b-002", 2, status="FAILED")
        other = backup("b-by-hand", 3)
        self.assertEqual("a", self.chosen(backup("a-001", 1), failed, other))
