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

import time
from datetime import timedelta

import hypothesis
import testtools
from hypothesis import strategies as st

from trove_ext.model.backup_forest import BackupForest
from trove_ext.model.retention import Rotation, chain_signature, plan
from trove_ext.model.retention_policy import Policy
from trove_ext.model.rotation_naming import NamePattern
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.model import strategies, trees
from trove_ext.tests.unit.model.trees import ids

NOW = trees.day(400)


WEEK = timedelta(days=7)


def planned(
    drawing,
    *backups,
    now=NOW,
    instance_ids=None,
    project_id=None,
    made=(),
    rotation=None,
    **policy,
):
    listed = [*trees.draw(drawing), *backups]
    return plan(
        listed,
        Policy(**policy),
        now,
        instance_ids=instance_ids,
        project_id=project_id,
        made=made,
        rotation=rotation,
    )


def kept(drawing, *backups, **facts):
    """The IDs that are kept, oldest first."""
    return sorted(ids(planned(drawing, *backups, **facts).kept))


def reasons(drawing, *backups, **facts):
    rows = planned(drawing, *backups, **facts).rows
    return {row.backup.id: row.reasons for row in rows}


@shows(Promise.RETENTION)
class TestRules(testtools.TestCase):
    def test_keep_last_keeps_the_newest_restore_points(self):
        self.assertEqual(["b", "d"], kept("a\nb\nc FAILED\nd", keep_last=2))

    def test_keep_within_reaches_back_from_the_newest_restore_point(self):
        drawing = "a @0\nb @1\nc @8"
        self.assertEqual(["b", "c"], kept(drawing, keep_within=WEEK))

    def test_a_backup_dated_in_the_future_displaces_no_other(self):
        drawing = "a @0\nb @1\nc @900"
        policy = {"keep_within": timedelta(days=3)}
        self.assertEqual(["a", "b", "c"], kept(drawing, now=trees.day(4), **policy))

    def test_a_backup_dated_in_the_future_takes_no_place_in_any_rule(self):
        drawing = "a @0\nb @1\nc @2\nd @900\ne @901"
        for rule in ("last", "hourly", "daily", "weekly", "monthly", "chains"):
            with self.subTest(rule):
                policy = {f"keep_{rule}": 1}
                found = kept(drawing, now=trees.day(4), **policy)
                self.assertEqual(["c", "d", "e"], found)

    def test_of_each_bucket_the_newest_is_kept(self):
        drawings = {
            "keep_hourly": ("a @0\nb @0.02\nc @0.03\nd @0.1", ["c", "d"]),
            "keep_daily": ("a @0\nb @1\nc @1.2\nd @5", ["c", "d"]),
            "keep_weekly": ("a @0\nb @2\nc @3\nd @9", ["c", "d"]),
            "keep_monthly": ("a @0\nb @1\nc @30\nd @31", ["c", "d"]),
            "keep_yearly": ("a @0\nb @140\nc @152\nd @153", ["c", "d"]),
        }
        for name, (drawing, expected) in drawings.items():
            self.assertEqual(expected, kept(drawing, **{name: 2}), name)

    def test_days_are_those_of_utc(self):
        # EPOCH is noon: half a day later begins the next day.
        self.assertEqual(["a", "b"], kept("a @0.49\nb @0.5", keep_daily=2))
        self.assertEqual(["b"], kept("a @0.5\nb @1.49", keep_daily=2))

    def test_weeks_are_iso_weeks_also_at_new_year(self):
        # 2026-12-31 is a Thursday and 2027-01-01 a Friday of one week.
        self.assertEqual(["b"], kept("a @152\nb @153", keep_weekly=2))
        self.assertEqual(["a", "b"], kept("a @152\nb @153", keep_yearly=2))

    def test_keep_chains_keeps_every_point_of_the_newest_chains(self):
        drawing = """
            a
            +- b
            c
            +- d
            e
        """
        self.assertEqual(["c", "d", "e"], kept(drawing, keep_chains=2))

    def test_a_chain_without_a_restore_point_takes_no_place(self):
        self.assertEqual(["a"], kept("a\nb FAILED", keep_chains=1))
        self.assertEqual(["a", "c"], kept("a\nb FAILED\nc BUILDING", keep_chains=1))

    def test_one_backup_may_be_kept_for_several_reasons(self):
        found = reasons("a", keep_last=3, keep_daily=2, keep_chains=1)
        self.assertEqual(
            ("last 1 of 3", "daily 2026-08-01", "chain 1 of 1"), found["a"]
        )

    def test_each_instance_is_evaluated_by_itself(self):
        drawing = "a\nb\nc instance_id=db2\nd instance_id=db2"
        self.assertEqual(["b", "d"], kept(drawing, keep_last=1))


@shows(Promise.RETENTION)
class TestAlwaysKept(testtools.TestCase):
    def test_the_path_to_what_is_kept(self):
        drawing = """
            a
            +- b
            |  +- c
            +- x @0.5
        """
        found = reasons(drawing, keep_last=1)
        self.assertEqual(("needed by name-of-c",), found["a"])
        self.assertEqual(("needed by name-of-c",), found["b"])
        self.assertEqual(("no rule keeps it",), found["x"])

    def test_the_newest_restore_point_of_an_instance_whatever_its_age(self):
        drawing = "a @0\nb @300 FAILED\nc @301 BUILDING"
        self.assertEqual(["a", "c"], kept(drawing, keep_within=WEEK))

    def test_the_newest_restore_point_also_beside_a_protected_one(self):
        drawing = "a name=release-1\nb"
        found = kept(drawing, keep_within=WEEK, keep_names=("release-*",))
        self.assertEqual(["a", "b"], found)

    def test_a_restore_point_dated_in_the_future(self):
        found = reasons("a @9", keep_within=WEEK, now=trees.day(1))
        self.assertEqual(("dated 8d ahead of now, so no rule counts it",), found["a"])

    def test_a_restore_point_that_is_ahead_by_the_tolerance_counts_as_now(self):
        moment = timedelta(minutes=1) / timedelta(days=1)
        found = kept(f"a @0\nb @{1 + moment}", keep_last=1, now=trees.day(1))
        self.assertEqual(["b"], found)

    def test_what_this_run_has_made_whatever_its_time(self):
        for day in (0, 1, 900):
            drawing = f"a @1\nb @{day}\nc @2"
            plan = planned(drawing, keep_last=1, now=trees.day(3), made=["b"])
            self.assertIn("b", ids(plan.kept))
            self.assertNotIn("b", ids(plan.deletions))

    def test_the_newest_restore_point_where_only_doubtful_ones_are_younger(self):
        drawing = "a @0\nb @1\n+- c @300 datastore_version_id=v2"
        self.assertEqual(["b", "c"], kept(drawing, keep_last=1))

    def test_a_backup_in_progress_and_its_ancestors(self):
        drawing = """
            a
            +- b
            |  +- c SAVING
            d
        """
        found = reasons(drawing, keep_last=1)
        self.assertEqual(("still SAVING",), found["c"])
        self.assertEqual(("needed by name-of-c",), found["a"])

    def test_a_state_that_is_not_known_here(self):
        self.assertEqual(["a", "b"], kept("a MOVING\nb", keep_last=1))

    def test_a_replication_snapshot_and_its_ancestors(self):
        snapshot = trees.backup(
            "s",
            name="Replication snapshot for r1",
            parent_id="a",
            created=trees.day(9),
        )
        found = reasons("a\nb", snapshot, keep_last=1)
        (reason,) = found["s"]
        self.assertIn("Trove deletes itself", reason)
        self.assertEqual(("needed by Replication snapshot for r1",), found["a"])
        self.assertEqual(("last 1 of 1",), found["b"])

    def test_dependent_backups_of_a_replication_snapshot_displace_no_other(self):
        snapshot = trees.backup("s", name="Replication snapshot for r1")
        child = trees.backup("t", parent_id="s", created=trees.day(9))
        self.assertEqual(["b", "s", "t"], kept("a\nb", snapshot, child, keep_last=1))

    def test_a_doubtful_restore_point_is_deleted_in_the_end(self):
        drawing = """
            a
            +- b datastore_version_id=v2
            c
        """
        self.assertEqual(["c"], kept(drawing, keep_last=1))

    def test_a_protected_name_in_any_state(self):
        drawing = """
            a name=release-1
            b name=release-2 FAILED
            c name=Release-3
            d
        """
        found = kept(drawing, keep_last=1, keep_names=("nothing", "release-*"))
        self.assertEqual(["a", "b", "d"], found)

    def test_a_backup_of_another_project(self):
        drawing = "a project_id=p2\nb project_id=p1\nc project_id=\nd"
        found = reasons(drawing, keep_last=1, project_id="p1")
        self.assertEqual(("of project p2",), found["a"])
        self.assertEqual(("no rule keeps it",), found["b"])
        self.assertEqual(("no rule keeps it",), found["c"])

    def test_a_backup_of_another_project_takes_no_place(self):
        drawing = "a project_id=p1\nb project_id=p2"
        self.assertEqual(["a", "b"], kept(drawing, keep_last=1, project_id="p1"))

    def test_what_was_registered_from_another_region(self):
        self.assertEqual(["a", "b"], kept("a RESTORED instance_id=\nb", keep_last=1))

    def test_what_cannot_be_restored_is_left_to_the_user(self):
        drawing = """
            a parent_id=lost
            +- b
            c FAILED
            +- d
            e
        """
        found = reasons(drawing, keep_last=1)
        self.assertIn("decides on it: parent lost is gone", found["a"][0])
        self.assertIn("decides on it: ancestor lost is gone", found["b"][0])
        self.assertIn("decides on it: parent name-of-c (c) is FAILED", found["d"][0])
        self.assertEqual(("needed by name-of-d",), found["c"])

    def test_each_member_of_a_cycle(self):
        drawing = """
            a parent_id=b
            +- b
            c
        """
        self.assertEqual(["a", "b", "c"], kept(drawing, keep_last=1))

    def test_each_member_of_a_cycle_that_failed(self):
        # Trove's delete would follow the children of a backup endlessly.
        drawing = """
            a FAILED parent_id=b
            +- b FAILED
               +- d FAILED
            c
        """
        self.assertEqual(["a", "b", "c"], kept(drawing, keep_last=1))

    def test_instances_that_were_not_asked_for_and_what_they_need(self):
        drawing = """
            a
            +- b instance_id=db2
            c
        """
        made = planned(drawing, keep_last=1, instance_ids=["db1"])
        self.assertEqual(["c", "a"], ids(row.backup for row in made.rows))
        self.assertEqual((), made.deletions)


class TestFailed(testtools.TestCase):
    def test_is_deleted_because_it_counts_in_the_quota(self):
        drawing = "a\nb FAILED\nc DELETE_FAILED\nd"
        self.assertEqual(["a", "d"], kept(drawing, keep_last=2))
        self.assertEqual(("FAILED",), reasons(drawing, keep_last=2)["b"])

    def test_is_deleted_even_if_it_is_the_newest_beside_a_restore_point(self):
        found = reasons("a\nb FAILED\nc FAILED", keep_last=1)
        self.assertEqual([("FAILED",)] * 2, [found["b"], found["c"]])

    def test_the_newest_is_kept_while_there_is_nothing_restorable(self):
        found = reasons("a FAILED\nb FAILED", keep_last=1)
        self.assertEqual(("FAILED",), found["a"])
        self.assertEqual(("FAILED, and nothing restorable is there",), found["b"])

    def test_is_kept_if_it_has_a_dependent_backup_in_progress(self):
        drawing = "a\n+- b FAILED\n   +- c BUILDING"
        self.assertEqual(["a", "b", "c"], kept(drawing, keep_last=1))


class TestPlan(testtools.TestCase):
    DRAWING = """
        a
        +- b
        |  +- c
        +- d
        e
        +- f
        g
    """

    def test_deletes_leaves_first(self):
        made = planned(self.DRAWING, keep_last=1)
        self.assertEqual(["f", "e", "d", "c", "b", "a"], ids(made.deletions))

    def test_has_a_row_a_backup_by_instance_newest_first(self):
        made = planned("b\nd\na instance_id=db0\nc instance_id=db2", keep_last=1)
        self.assertEqual(["a", "d", "b", "c"], ids(row.backup for row in made.rows))
        self.assertEqual(["d", "b"], [r.backup.id for r in made.of_instance("db1")])

    def test_is_empty_for_no_backups(self):
        made = planned("", keep_last=1)
        self.assertEqual(((), ()), (made.rows, made.deletions))

    def test_takes_a_hundred_thousand_backups(self):
        backups = [
            trees.backup(
                f"b{n}",
                parent_id=f"b{n - 1}" if n % 50_000 else None,
                created=trees.day(n / 1000),
            )
            for n in range(100_000)
        ]
        forest = BackupForest.of(backups)
        started = time.process_time()
        made = plan(forest, Policy(keep_daily=7, keep_chains=1), NOW)
        # About a second of processor time; a quadratic algorithm takes minutes.
        self.assertLess(time.process_time() - started, 8)
        self.assertEqual(50_000, len(made.deletions))


class TestChainSignature(testtools.TestCase):
    DRAWING = """
        a
        +- b
        |  +- c
        d
    """

    def setUp(self):
        super().setUp()
        self.planned = BackupForest.of(trees.draw(self.DRAWING))
        self.before = chain_signature(self.planned, "b")

    def _now(self, drawing, **kwargs):
        return chain_signature(BackupForest.of(trees.draw(drawing)), "b", **kwargs)

    def test_is_the_same_where_nothing_has_changed_in_that_chain(self):
        self.assertEqual(self.before, self._now(self.DRAWING))
        self.assertEqual(self.before, self._now(self.DRAWING + "e FAILED"))

    def test_differs_where_a_child_has_been_added(self):
        self.assertNotEqual(
            self.before, self._now(self.DRAWING.replace("c", "c\n        |     +- x"))
        )

    def test_differs_where_a_member_is_gone_or_in_another_state(self):
        self.assertNotEqual(self.before, self._now("a\n+- b"))
        self.assertNotEqual(
            self.before, self._now(self.DRAWING.replace("c", "c FAILED"))
        )

    def test_is_empty_where_the_backup_itself_is_gone(self):
        self.assertEqual(frozenset(), self._now("a"))

    def test_leaves_out_what_the_plan_has_deleted_itself(self):
        expected = chain_signature(self.planned, "b", gone={"c"})
        self.assertEqual(expected, self._now("a\n+- b"))


@shows(Promise.RETENTION)
class TestAnyPlan(testtools.TestCase):
    @hypothesis.given(strategies.forests(), strategies.policies())
    def test_what_a_kept_backup_builds_on_is_kept(self, backups, policy):
        forest = BackupForest.of(backups)
        stays = set(ids(plan(forest, policy, NOW).kept))
        for backup_id in stays:
            self.assertLessEqual(set(ids(forest.path(backup_id))), stays)

    @hypothesis.given(strategies.forests(), strategies.policies())
    def test_an_instance_never_loses_its_last_restorable_chain(self, backups, policy):
        forest = BackupForest.of(backups)
        after = BackupForest.of(plan(forest, policy, NOW).kept)
        for sound in (True, False):
            self.assertEqual(
                newest_points(forest, sound=sound), newest_points(after, sound=sound)
            )

    @hypothesis.given(strategies.forests(), strategies.policies())
    def test_planning_twice_gives_the_same(self, backups, policy):
        first = plan(backups, policy, NOW)
        self.assertEqual(first, plan(backups[::-1], policy, NOW))

    @hypothesis.given(strategies.forests(), strategies.policies())
    def test_after_applying_a_plan_there_is_nothing_left_to_delete(
        self, backups, policy
    ):
        first = plan(backups, policy, NOW, project_id="p1")
        again = plan(first.kept, policy, NOW, project_id="p1")
        self.assertEqual((), again.deletions)

    @hypothesis.given(strategies.forests(), strategies.policies(), st.integers(0, 25))
    def test_a_plan_that_was_interrupted_anywhere_can_be_completed(
        self, backups, policy, count
    ):
        first = plan(backups, policy, NOW)
        gone = set(ids(first.deletions[:count]))
        again = plan([b for b in backups if b.id not in gone], policy, NOW)
        self.assertEqual(first.kept, again.kept)
        self.assertEqual(first.deletions[count:], again.deletions)

    @hypothesis.given(strategies.forests(), strategies.stricter_pairs())
    def test_a_stricter_policy_never_keeps_more(self, backups, policies):
        loose, strict = (set(ids(plan(backups, p, NOW).kept)) for p in policies)
        self.assertLessEqual(strict, loose)

    @hypothesis.given(strategies.forests(), strategies.policies())
    def test_every_backup_is_kept_or_deleted_and_the_plan_says_why(
        self, backups, policy
    ):
        made = plan(backups, policy, NOW)
        self.assertEqual(sorted(ids(backups)), sorted(ids(r.backup for r in made.rows)))
        self.assertEqual(
            sorted(ids(r.backup for r in made.rows if not r.keep)),
            sorted(ids(made.deletions)),
        )
        for row in made.rows:
            self.assertTrue(all(row.reasons), row)
            self.assertNotEqual((), row.reasons)

    @hypothesis.given(strategies.forests(), strategies.policies())
    def test_nothing_is_deleted_before_its_dependent_backups(self, backups, policy):
        forest = BackupForest.of(backups)
        gone = set()
        for backup in plan(forest, policy, NOW).deletions:
            self.assertLessEqual(set(ids(forest.descendants(backup.id))), gone)
            gone.add(backup.id)

    @hypothesis.given(strategies.forests(), strategies.policies())
    def test_never_deletes_protected_backups(self, backups, policy):
        made = plan(backups, policy, NOW, instance_ids=["db1"], project_id="p1")
        for backup in made.deletions:
            self.assertEqual("db1", backup.instance_id)
            self.assertIn(backup.project_id, {"p1", None})
            self.assertIn(backup.status, {"COMPLETED", "FAILED", "DELETE_FAILED"})
            self.assertFalse(backup.is_completed and backup.is_replication_snapshot)
            self.assertFalse(
                policy.keep_names and backup.name == "release-1", "protected name"
            )


def newest_points(forest, *, sound):
    """The newest restore point of each instance, with or without the doubtful ones."""
    newest = {}
    for backup in sorted(forest, key=lambda backup: backup.age_key):
        if (
            backup.status == "COMPLETED"
            and backup.instance_id
            and not backup.is_replication_snapshot
            and forest.is_restorable(backup.id)
            and not (sound and forest.doubt(backup.id))
        ):
            newest[backup.instance_id] = backup.id
    return newest


class TestRotation(testtools.TestCase):
    """The backups of one rotation, of all members of a set, are evaluated together."""

    ROTATION = Rotation(
        {"db1": "one", "db2": "two"}, NamePattern("{instance}-{time:%j}")
    )
    DRAWING = """
        a @1 name=one-001
        b @2 name=two-002 instance_id=db2
        c @3 name=one-003
    """

    def kept(self, drawing, **policy):
        return kept(drawing, rotation=self.ROTATION, **policy)

    def test_of_all_members_the_newest_is_kept(self):
        self.assertEqual(["c"], self.kept(self.DRAWING, keep_last=1))
        self.assertEqual(["b", "c"], self.kept(self.DRAWING, keep_last=2))

    def test_what_is_not_of_it_is_kept_and_takes_no_place(self):
        others = """
            d @4 name=by-hand
            e @5 name=one-005 instance_id=db2
            f @6 name=one-006 instance_id=db3
            g @7 name=by-hand FAILED
        """
        found = self.kept(self.DRAWING + others, keep_last=1)
        self.assertEqual(["c", "d", "e", "g"], found)

    def test_a_failed_one_of_it_is_deleted(self):
        failed = "d @4 name=two-004 instance_id=db2 FAILED"
        self.assertEqual(["c"], self.kept(f"{self.DRAWING}\n{failed}", keep_last=1))

    def test_ancestors_of_others_are_kept(self):
        drawing = """
            a @1 name=one-001
            +- b @2 name=by-hand
            c @3 name=one-003
        """
        self.assertEqual(["a", "b", "c"], self.kept(drawing, keep_last=1))
