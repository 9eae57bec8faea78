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

"""The backup that is meant: by name, or by its instance and a time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from trove_ext.exceptions import AmbiguousNameError, CheckError, NotFoundError
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.workflows.restore.source import (
    LATEST,
    LATEST_FULL,
    Source,
    find_source,
    id_of,
)


class SourceTestCase(BackupTestCase):
    def find(self, backup=None, instance="db1", **fields):
        return find_source(self.cloud, Source(backup, instance, **fields))[1].name

    def ago(self, **span):
        return self.clock.now() - timedelta(**span)


class TestByInstance(SourceTestCase):
    def test_the_newest_that_can_be_restored_is_found_and_described(self):
        self.chain("c", 3, 10)
        self.assertEqual("c-2", self.find())
        self.assertEqual("c-2", self.find(LATEST))
        note = self.progress.notes[0]
        self.assertRegex(
            note, r"^Chosen: c-2 \(.*\) with the data as of .*, \d+h.* ago"
        )
        self.assertIn("This is no point-in-time recovery", note)

    def test_the_newest_full_one_is_found(self):
        self.chain("c", 3, 10)
        self.assertEqual("c-0", self.find(LATEST_FULL))

    def test_of_another_instance_none_is_found(self):
        self.add("db1-old", 9)
        self.add("db2-new", 1, instance=self.fake.add_instance("db2"))
        self.assertEqual("db1-old", self.find())

    def test_of_a_deleted_instance_it_is_found_by_the_id(self):
        self.add("b1", 9)
        self.db1.deleted = True
        self.assertEqual("b1", self.find(instance=self.db1.id))
        self.assertRaises(NotFoundError, self.find)

    def test_a_failed_one_that_is_nearer_is_named(self):
        self.add("good", 9)
        self.add("bad", 5, state=BackupState.FAILED)
        self.assertEqual("good", self.find())
        self.assertRegex(self.progress.notes[1], r"newer bad .* can't be used: FAILED")

    def test_one_from_the_future_is_never_chosen(self):
        self.add("good", 9)
        self.add("future", -700)
        self.assertEqual("good", self.find())
        self.assertIn("ahead of now", self.progress.notes[1])

    def test_two_instances_of_that_name_are_both_listed(self):
        self.fake.add_instance("db1")
        self.assertRaises(AmbiguousNameError, self.find)


class TestBefore(SourceTestCase):
    def test_the_distance_is_in_the_zone_that_was_given(self):
        self.add("b1", 9)
        self.add("b2", 3)
        # Across the change, which makes this a day with 25 hours.
        self.clock.advance(
            (datetime(2026, 10, 25, 12, tzinfo=UTC) - self.clock.now()).total_seconds()
        )
        self.add("night", 12, instance=self.db1)
        before = self.ago(hours=3).astimezone(ZoneInfo("Europe/Berlin"))
        self.assertEqual("night", self.find(before=before))
        note = self.progress.notes[0]
        self.assertIn("data as of 2026-10-25T02:00:00+02:00, 9h before", note)
        self.assertIn("before 2026-10-25T10:00:00+01:00", note)

    def test_one_that_ended_after_it_is_not_chosen(self):
        self.add("b1", 9)
        self.add("b2", 3)
        self.assertEqual("b1", self.find(before=self.ago(hours=4)))

    def test_without_one_the_oldest_is_named_and_nothing_chosen(self):
        self.add("b1", 9)
        error = self.assertRaises(CheckError, self.find, before=self.ago(hours=10))
        self.assertRegex(error.problems[0], r"or earlier; the oldest is b1 \(")

    def test_without_any_that_can_be_restored_it_says_why(self):
        self.add("b1", 9, state=BackupState.FAILED)
        error = self.assertRaises(CheckError, self.find)
        self.assertRegex(str(error), r"no restorable backup\n  - b1 .*: FAILED")
        error = self.assertRaises(CheckError, self.find, LATEST_FULL)
        self.assertIn("it has no restorable full backup", error.problems)


class TestByName(SourceTestCase):
    def test_with_an_instance_only_its_backups_are_searched(self):
        other = self.fake.add_instance("db2")
        wanted = self.add("same", 9)
        self.add("same", 1, instance=other)
        self.assertRaises(AmbiguousNameError, find_source, self.cloud, "same")
        self.assertEqual(wanted.id, id_of(self.cloud, Source("same", "db1")))
        self.assertEqual(wanted.id, id_of(self.cloud, Source(wanted.id, "db1")))

    def test_one_of_another_instance_is_not_found(self):
        self.add("b1", 9)
        self.add("other", 1, instance=self.fake.add_instance("db2"))
        error = self.assertRaises(NotFoundError, self.find, "other")
        self.assertIn("No backup with a name or ID of 'other' exists among", str(error))

    def test_without_an_instance_the_words_are_names(self):
        self.add("latest", 9)
        self.assertEqual("latest", self.find(LATEST, instance=None))
        self.assertRaises(NotFoundError, self.find, LATEST_FULL, instance=None)
