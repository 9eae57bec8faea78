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

import dataclasses
from datetime import UTC, datetime, timedelta

import hypothesis
import hypothesis.strategies as st
import testtools

from trove_ext.model.backup_forest import BackupForest
from trove_ext.model.instance import Instance
from trove_ext.model.retention_policy import PERIODS
from trove_ext.model.rotation import (
    choose_parent,
    first_of_period,
    full_is_due,
    next_period,
    own_backups,
)
from trove_ext.model.rotation_naming import NamePattern
from trove_ext.tests.unit.model import strategies, trees


def forest(drawing):
    return BackupForest.of(trees.draw(drawing))


#: Two members of a set.
MEMBERS = [Instance(name, name, "ACTIVE", "HEALTHY") for name in ("db1", "db2")]
#: Later than any day in a drawing.
NOW = trees.day(9999)


class TestChooseParent(testtools.TestCase):
    def _chosen(self, drawing, **wanted):
        chosen = choose_parent(forest(drawing), "db1", now=NOW, **wanted)
        return chosen and chosen.id

    def test_takes_the_newest_by_creation_whatever_was_updated_last(self):
        backups = trees.draw("a\n+- b\n+- c")
        touched = trees.backup("a", updated=trees.day(99))
        grove = BackupForest.of([touched, *backups[1:]])
        self.assertEqual("c", choose_parent(grove, "db1", now=NOW).id)

    def test_of_two_with_the_same_time_the_choice_is_always_the_same(self):
        self.assertEqual("b", self._chosen("a @1\nb @1"))
        self.assertEqual("b", self._chosen("b @1\na @1"))

    def test_leaves_out_what_is_not_whole(self):
        self.assertEqual(
            "a",
            self._chosen("""
                a
                +- b FAILED
                |  +- c
                +- d BUILDING
                e parent_id=lost
                f RESTORED
            """),
        )

    def test_leaves_out_other_instances_and_their_dependent_backups(self):
        self.assertEqual("a", self._chosen("a\nb instance_id=db2\n+- c"))

    def test_never_takes_a_replication_snapshot_nor_its_dependent_backups(self):
        grove = BackupForest.of(
            [
                trees.backup("a"),
                trees.backup(
                    "s",
                    name="Replication snapshot for r1",
                    parent_id="a",
                    created=trees.day(1),
                ),
                trees.backup("c", parent_id="s", created=trees.day(2)),
            ]
        )
        self.assertEqual("a", choose_parent(grove, "db1", now=NOW).id)

    def test_takes_only_the_version_that_is_asked_for(self):
        drawing = "a\nb datastore_version_id=v2 datastore_version=8.0"
        self.assertEqual("a", self._chosen(drawing, datastore_version_id="v1"))
        self.assertEqual("a", self._chosen(drawing, datastore_version="5.7.29"))
        self.assertEqual("b", self._chosen(drawing, datastore_version="8.0"))
        self.assertIsNone(self._chosen(drawing, datastore_version="9"))

    def test_leaves_out_a_chain_that_changes_version_on_the_way(self):
        drawing = "a\n+- b datastore_version_id=v2"
        self.assertIsNone(self._chosen(drawing, datastore_version_id="v2"))

    def test_takes_only_the_storage_driver_that_is_asked_for(self):
        drawing = "a storage_driver=swift\nb storage_driver=cinder"
        self.assertEqual("a", self._chosen(drawing, storage_driver="swift"))
        self.assertEqual("b", self._chosen(drawing, storage_driver="cinder"))
        self.assertEqual("b", self._chosen(drawing))

    def test_takes_no_chain_that_changes_the_storage_driver_on_the_way(self):
        drawing = "a storage_driver=cinder\n+- b storage_driver=swift"
        self.assertIsNone(self._chosen(drawing, storage_driver="swift"))

    def test_takes_no_chain_of_another_instance_behind_a_parent_of_none(self):
        instance = {"a": "db2", "b": None, "c": "db1"}
        grove = BackupForest.of(
            dataclasses.replace(backup, instance_id=instance[backup.id])
            for backup in forest("a\n+- b\n   +- c")
        )
        self.assertIsNone(choose_parent(grove, "db1", now=NOW))

    @hypothesis.given(strategies.forests())
    def test_is_always_safe_to_build_on(self, backups):
        grove = BackupForest.of(backups)
        chosen = choose_parent(grove, "db1", now=NOW, datastore_version_id="v1")
        for step in grove.restore_path(chosen.id) if chosen else ():
            self.assertTrue(step.is_completed)
            self.assertFalse(step.is_replication_snapshot)
            self.assertIn(step.instance_id, {"db1", None})
            self.assertEqual("v1", step.datastore_version_id)


class TestFullIsDue(testtools.TestCase):
    CHAIN = """
        a
        +- b
        |  +- c
        +- d @1.5
    """

    def _due(self, now=3, drawing=CHAIN, **limits):
        return full_is_due(forest(drawing), "db1", now=trees.day(now), **limits)

    def test_without_a_backup_to_build_on(self):
        self.assertIn("no backup to build on", self._due(drawing="a FAILED"))

    def test_not_without_a_reason(self):
        self.assertIsNone(self._due(now=9999))

    def test_when_a_restore_would_read_too_many(self):
        self.assertIsNone(self._due(chain_length=4))
        self.assertIn("3 long", self._due(chain_length=3))

    def test_counts_the_path_and_not_the_other_branches(self):
        branched = "a\n+- b\n+- c\n+- d"
        self.assertIsNone(self._due(drawing=branched, chain_length=3))

    def test_a_volume_snapshot_does_not_count_in_the_chain(self):
        nights = """
            a storage_driver=cinder
            +- b storage_driver=cinder
            |  +- c storage_driver=cinder
        """
        self.assertIsNone(self._due(drawing=nights, chain_length=2))
        self.assertIn("1 long", self._due(drawing=nights, chain_length=1))

    def test_when_there_is_none_of_the_storage_driver_that_is_asked_for(self):
        snapshot = "a storage_driver=cinder"
        self.assertIn(
            "no backup to build on",
            self._due(drawing=snapshot, storage_driver="swift"),
        )

    def test_when_the_full_backup_is_old_whatever_its_incrementals_are(self):
        week = timedelta(days=7)
        self.assertIsNone(self._due(now=6.9, full_every=week))
        self.assertIn("7d old", self._due(now=7, full_every=week))

    def test_a_cron_job_that_starts_seconds_early_is_not_a_day_late(self):
        early = 7 - 2 / 86400
        self.assertIsNotNone(self._due(now=early, full_every=timedelta(days=7)))

    def test_the_slack_of_a_short_interval_is_short(self):
        hour = timedelta(hours=1)
        self.assertIsNone(self._due(now=0.9 / 24, drawing="a", full_every=hour))
        self.assertIsNotNone(self._due(now=0.96 / 24, drawing="a", full_every=hour))


class TestFirstOfPeriod(testtools.TestCase):
    """The drawings begin on Saturday, 2026-08-01, at noon (UTC)."""

    def _first(self, drawing, period):
        grove = forest(drawing)
        own = list(own_backups(grove, MEMBERS, NamePattern("night-{time:%d}")))
        firsts = (b for b in own if first_of_period(grove, b, own, period) is b)
        return sorted(backup.id for backup in firsts)

    def nights(self, drawing):
        return "\n".join(f"{line} name=night-01" for line in drawing.splitlines())

    def test_weeks_begin_on_monday(self):
        nights = self.nights("a @0\nb @1\nc @2\nd @3\ne @8\nf @9")
        self.assertEqual(["a", "c", "f"], self._first(nights, "week"))
        self.assertEqual(list("abcdef"), self._first(nights, "day"))
        self.assertEqual(["a"], self._first(nights, "month"))

    def test_what_can_not_be_restored_does_not_count(self):
        nights = self.nights("a @2 FAILED\nb @3\nc @4")
        self.assertEqual(["a", "b"], self._first(nights, "week"))

    def test_other_names_and_instances_do_not_count(self):
        drawing = self.nights("b @3 instance_id=db9\nc @4")
        self.assertEqual(["c"], self._first(f"a @2\n{drawing}", "week"))

    def test_all_members_of_a_set_have_one_first(self):
        nights = self.nights("a @2 instance_id=db2\nb @3\nc @8")
        self.assertEqual(["a"], self._first(nights, "week"))

    @hypothesis.given(
        st.datetimes(datetime(1999, 1, 1), datetime(2101, 1, 1)),  # noqa: DTZ001
        st.sampled_from(sorted(PERIODS)),
    )
    def test_the_next_period_is_the_first_moment_of_another_one(self, moment, period):
        moment = moment.replace(tzinfo=UTC)
        bucket = PERIODS[period]
        after = next_period(moment, period)
        before = after - timedelta(microseconds=1)
        self.assertEqual(moment.strftime(bucket), before.strftime(bucket))
        self.assertNotEqual(moment.strftime(bucket), after.strftime(bucket))
        self.assertGreater(after, moment)
