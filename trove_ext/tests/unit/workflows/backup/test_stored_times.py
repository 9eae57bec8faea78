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

"""Stored times in the future, and machines whose clock differs from Trove's."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from trove_ext.model.retention_policy import Policy
from trove_ext.model.rotation_naming import NamePattern
from trove_ext.tests.fake.clock import SkewedClock
from trove_ext.tests.fake.harness import make_client
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.trove.client import Cloud
from trove_ext.workflows.backup import chains, check, prune, rotate, rotate_job
from trove_ext.workflows.backup.rotate_start import How

DAY = timedelta(days=1)
MONTH = timedelta(days=30)
SKEWS = [-2 * 3600, -20, 0, 20, 2 * 3600]
OWN = "db1-full-20251231T000000Z"


class ClockTestCase(BackupTestCase):
    #: Seconds that the machine is ahead of the cloud.
    skew = 0.0

    def make_cloud(self, faults=None):
        local = SkewedClock(self.clock, timedelta(seconds=self.skew))
        client = make_client(self.fake, faults)
        return Cloud(client, clock=local, progress=self.progress)

    def rotate(self, **kwargs):
        cloud = self.make_cloud()
        kwargs.setdefault("min_age", timedelta())
        request = rotate_job.RotateRequest(("db1",), NamePattern(), **kwargs)
        (row,) = rotate.rotate(cloud, request, cloud.deadline(3600.0))
        return row

    def is_there(self, row):
        return not self.fake.backups[row.backup.id].deleted


@shows(Promise.RETENTION)
class TestDatedAhead(ClockTestCase):
    def setUp(self):
        super().setUp()
        self.ahead = self.add("ahead", -30 * 24)

    def test_a_rotation_never_deletes_what_it_has_just_made(self):
        for _night in range(5):
            row = self.rotate(chain_length=1, policy=Policy(keep_last=1))
            self.assertEqual((How.MADE, None), (row.how, row.error))
            self.assertTrue(self.is_there(row))
            self.clock.advance(86400)
        self.assertEqual({"ahead", row.backup.name}, self.names())

    def test_it_is_named_on_stderr(self):
        self.rotate(policy=Policy(keep_last=1))
        (warning,) = self.progress.warnings
        self.assertIn(f"{self.ahead.id}) of db1 is dated 30d ahead", warning)

    def test_nothing_builds_on_it(self):
        row = self.rotate(full_every=timedelta(days=7))
        self.assertIsNone(self.fake.backups[row.backup.id].parent_id)

    def test_a_full_one_is_due_if_the_age_of_the_last_is_not_known(self):
        self.add("child", 1, parent=self.ahead)
        row = self.rotate(full_every=timedelta(days=7))
        self.assertIn("dated 30d ahead", row.note)
        self.assertIsNone(self.fake.backups[row.backup.id].parent_id)

    def test_one_of_the_rotation_does_not_count_as_this_runs(self):
        self.ahead.name = OWN
        for min_age in (timedelta(), timedelta(hours=1)):
            self.assertIs(How.MADE, self.rotate(min_age=min_age).how)
            self.clock.advance(7200)

    def test_it_proves_no_freshness_to_a_check(self):
        (verdict,) = check.check(self.cloud, ["db1"], timedelta(hours=26))
        self.assertIn("dated 30d ahead of now", verdict.problem)
        self.assertIsNone(verdict.age)

    def test_beside_it_a_check_counts_the_newest_that_proves_something(self):
        self.add("good", 5)
        (verdict,) = check.check(self.cloud, ["db1"], timedelta(hours=26))
        self.assertEqual(("good", None), (verdict.backup.name, verdict.problem))
        (verdict,) = check.check(self.cloud, ["db1"], timedelta(hours=4))
        self.assertIn("dated 30d ahead", verdict.problem)

    def test_it_is_shown_as_ahead_and_not_as_the_newest_restorable(self):
        good = self.add("good", 1)
        self.ahead.parent_id = good.id
        (listed,) = chains.list_chains(self.cloud)
        self.assertEqual("good", listed.newest_restorable.name)
        members = chains.show_chain(self.cloud, "good")
        self.assertEqual(
            {"good": None, "ahead": "dated 30d ahead of now"},
            {member.backup.name: member.ahead for member in members},
        )

    def test_it_is_not_pruned_and_takes_no_place(self):
        self.chain("good", 1, 30)
        self.chain("old", 1, 300)
        plan = prune.plan_all(self.cloud, Policy(keep_last=1))
        prune.execute(self.cloud, plan, self.cloud.deadline(600.0))
        self.assertEqual({"ahead", "good-0"}, self.names())


@shows(Promise.RETENTION)
class TestSkewedMachine(ClockTestCase):
    def for_each(self):
        for header in (True, False):
            for skew in SKEWS:
                with self.subTest(skew=skew, header=header):
                    self.skew = skew
                    self.fresh()
                    self.fake.has_date_header = header
                    yield header, skew

    def test_min_age_0_takes_a_new_one(self):
        for _header, _skew in self.for_each():
            self.rotate()
            self.clock.advance(1)
            self.assertIs(How.MADE, self.rotate().how)

    def test_ages_are_troves_and_never_negative(self):
        for header, skew in self.for_each():
            self.add("good", 0)
            (verdict,) = check.check(self.cloud, ["db1"], timedelta(hours=26))
            if header or abs(skew) <= 60:
                self.assertIsNone(verdict.problem)
            if verdict.age is not None:
                self.assertGreaterEqual(verdict.age, timedelta())
            if header:
                self.assertGreater(timedelta(seconds=2), verdict.age)

    def test_a_recent_one_counts_as_this_runs(self):
        for header, skew in self.for_each():
            self.rotate()
            self.clock.advance(1800)
            if header or abs(skew) <= 60:
                row = self.rotate(min_age=timedelta(hours=1))
                self.assertIs(How.PRESENT, row.how)

    def test_names_have_troves_time(self):
        for header, _skew in self.for_each():
            row = self.rotate()
            if header:
                self.assertIn("-20260101T00000", row.backup.name)

    def test_the_last_nights_are_kept(self):
        for header, skew in self.for_each():
            made = []
            for _night in range(5):
                made.append(self.rotate(chain_length=1, policy=Policy(keep_last=3)))
                self.clock.advance(86400)
            self.assertTrue(all(map(self.is_there, made[-3:])))
            # Backups that seem to be ahead of now are kept as well.
            room = 3 if header or abs(skew) <= 60 else 4
            self.assertGreaterEqual(room, len(self.names()))


NAMES = st.sampled_from(["by-hand", OWN, "db1-incr-20251230T000000Z"])
STATES = st.sampled_from(
    [BackupState.COMPLETED] * 5 + [BackupState.FAILED, BackupState.RESTORED]
)
#: Days from the first night, of which ten are simulated.
TIMES = st.floats(-400, 400).map(lambda days: days * DAY)
TIMES_OUTSIDE = st.one_of(
    st.floats(-400, -0.01).map(lambda days: days * DAY),
    st.floats(11, 400).map(lambda days: days * DAY),
)


def _stored(times):
    """Backups by their name, state, parent's number, created and updated."""
    row = st.tuples(NAMES, STATES, st.integers(0, 12), times, times)
    return st.lists(row, max_size=7)


#: States of backups that can be restored; the second one is that of a registered backup.
GOOD = (BackupState.COMPLETED, BackupState.RESTORED)


class TestWhateverTheTimes(ClockTestCase):
    def store(self, rows):
        start = self.clock.now()
        members = []
        for name, state, parent, created, updated in rows:
            above = members[parent] if parent < len(members) else None
            backup = self.fake.add_backup(
                name, self.db1, state=state, parent=above, created=start + created
            )
            backup.updated = start + updated
            members.append(backup)

    @settings(max_examples=30, deadline=None)
    @given(
        rows=_stored(TIMES),
        skew=st.sampled_from(SKEWS),
        header=st.booleans(),
        length=st.sampled_from([None, 1, 3]),
        count=st.integers(1, 3),
    )
    def test_a_rotation_never_deletes_the_backup_that_it_made(
        self, rows, skew, header, length, count
    ):
        self.skew = skew
        self.fresh()
        self.fake.has_date_header = header
        self.store(rows)
        for _night in range(3):
            row = self.rotate(chain_length=length, policy=Policy(keep_last=count))
            self.assertEqual((How.MADE, None), (row.how, row.error))
            self.assertTrue(self.is_there(row))
            self.clock.advance(86400)

    @settings(max_examples=15, deadline=None)
    @given(
        rows=_stored(TIMES_OUTSIDE),
        skew=st.sampled_from(SKEWS),
        length=st.sampled_from([None, 1, 3]),
    )
    def test_keep_last_3_leaves_the_backups_of_the_last_three_nights(
        self, rows, skew, length
    ):
        self.skew = skew
        self.fresh()
        self.store(rows)
        made = []
        for _night in range(10):
            made.append(self.rotate(chain_length=length, policy=Policy(keep_last=3)))
            self.clock.advance(86400)
        for row in made[-3:]:
            self.assertIsNone(row.error)
            step = self.fake.backups[row.backup.id]
            while step is not None:
                self.assertFalse(step.deleted)
                self.assertIn(step.state, GOOD)
                step = self.fake.backups.get(step.parent_id)
