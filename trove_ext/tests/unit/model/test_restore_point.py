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

"""The restore point before a time: by the data in it, in any time zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import testtools
from hypothesis import assume, given
from hypothesis import strategies as st

from trove_ext.model.backup_forest import BackupForest
from trove_ext.model.restore_point import (
    Wanted,
    choose,
    data_time,
    parse_moment,
)
from trove_ext.tests.unit.model import strategies, trees

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
#: Clocks are put back from 3 to 2 o'clock in Berlin then.
CHANGE = datetime(2026, 10, 25, 1, tzinfo=UTC)
#: In the forests some backups are later than this.
NOW = CHANGE + timedelta(hours=9)


def at(hours, **fields):
    """A backup that was begun at this hour around the change, and took a while."""
    created = CHANGE + timedelta(hours=hours)
    fields.setdefault("updated", created + timedelta(minutes=20))
    return trees.backup(f"at{hours}", created=created, **fields)


def chosen(backups, before=None, *, full=False, now=NOW):
    return choose(BackupForest.of(backups), backups, Wanted(before, full), now)


def name(found):
    return found.backup and found.backup.id


@st.composite
def projects(draw):
    """Any forest around the change, with the times at which backups ended."""
    made = []
    for backup in draw(strategies.forests()):
        created = CHANGE + timedelta(minutes=draw(st.integers(-900, 900)))
        took = timedelta(minutes=draw(st.integers(0, 90)))
        made.append(_replace(backup, created=created, updated=created + took))
    return made


def _replace(backup, **fields):
    names = backup.__slots__
    return type(backup)(**{**{name: getattr(backup, name) for name in names}, **fields})


@st.composite
def wall_times(draw):
    """A time as somebody in one of two zones writes it, near the change."""
    zone = draw(st.sampled_from([BERLIN, NEW_YORK, UTC]))
    start = datetime(2026, 10, 25, 2, tzinfo=UTC)
    wall = start + timedelta(minutes=draw(st.integers(-900, 900)))
    return wall.replace(tzinfo=zone, fold=draw(st.sampled_from([0, 1])))


def _expected(backups, before, *, full):
    """The backup to choose, found step by step in whole seconds of UTC."""
    forest = BackupForest.of(backups)
    best = None
    for backup in backups:
        is_snapshot = backup.storage_driver == "cinder"
        ended = backup.created if is_snapshot else backup.updated
        usable = backup.status == "COMPLETED" and (
            forest.why_not(backup.id) is None and forest.doubt(backup.id) is None
        )
        from_the_future = max(backup.created, ended) > NOW + timedelta(minutes=1)
        too_late = ended.timestamp() > before.timestamp()
        only_changes = full and backup.parent_id and not is_snapshot
        if not usable or from_the_future or too_late or only_changes:
            continue
        if best is None or (backup.created, backup.id) > (best.created, best.id):
            best = backup
    return best


class ChoiceTest(testtools.TestCase):
    @given(projects(), wall_times(), st.booleans())
    def test_it_is_the_newest_restore_point_with_no_newer_data(
        self, backups, wall, full
    ):
        before = parse_moment(wall.isoformat())
        self.assertEqual(wall.timestamp(), before.timestamp())
        found = chosen(backups, before, full=full)
        self.assertEqual(_expected(backups, before, full=full), found.backup)

    @given(projects(), wall_times(), st.booleans())
    def test_an_equal_moment_in_another_zone_chooses_the_same(
        self, backups, wall, full
    ):
        found = {
            name(chosen(backups, wall.astimezone(zone), full=full))
            for zone in (UTC, BERLIN, NEW_YORK)
        }
        self.assertEqual(1, len(found))

    @given(projects(), wall_times())
    def test_nearer_ones_are_unusable_and_newer(self, backups, wall):
        found = chosen(backups, wall)
        assume(found.backup)
        forest = BackupForest.of(backups)
        for backup in found.nearer:
            self.assertGreater(backup.age_key, found.backup.age_key)
            self.assertTrue(
                backup.status != "COMPLETED"
                or forest.why_not(backup.id)
                or forest.doubt(backup.id)
                or max(backup.created, data_time(backup)) > NOW
            )

    def test_the_end_of_a_backup_counts_and_the_start_of_a_volume_snapshot(self):
        older = at(0)
        for driver, expected in (("swift", "at0"), ("cinder", "at1")):
            running = at(1, storage_driver=driver)
            before = running.created + timedelta(minutes=5)
            found = chosen([older, running], before)
            self.assertEqual(expected, name(found), driver)

    def test_the_hour_that_is_there_twice_is_two_hours(self):
        backups = [at(-1, updated=CHANGE), at(0, updated=CHANGE + timedelta(hours=1))]
        for text, expected in (
            ("2026-10-25T02:59:59+02:00", None),
            ("2026-10-25T03:00+02:00", "at-1"),
            ("2026-10-25T02:00+01:00", "at-1"),
            ("2026-10-25T02:59:59+01:00", "at-1"),
            ("2026-10-25T03:00+01:00", "at0"),
            ("2026-10-24T22:00-04:00", "at0"),
        ):
            found = chosen(backups, parse_moment(text))
            self.assertEqual(expected, name(found), text)

    def test_one_from_the_future_is_not_chosen_and_is_named(self):
        future = at(500)
        found = chosen([at(0), future])
        self.assertEqual("at0", name(found))
        self.assertEqual((future,), found.nearer)

    def test_a_failed_one_is_passed_over_and_named(self):
        failed = at(2, status="FAILED")
        found = chosen([at(0), at(1), failed], NOW)
        self.assertEqual(("at1", (failed,)), (name(found), found.nearer))

    def test_one_that_is_not_wanted_is_not_named_as_unusable(self):
        full, incremental = at(0), at(1, parent_id="at0")
        found = chosen([full, incremental], full=True)
        self.assertEqual(("at0", ()), (name(found), found.nearer))

    def test_a_record_that_changed_later_is_not_newer_than_a_later_backup(self):
        touched = at(0, updated=CHANGE + timedelta(hours=5))
        self.assertEqual("at1", name(chosen([touched, at(1)], NOW)))

    def test_without_one_the_oldest_is_named(self):
        found = chosen([at(0), at(1)], CHANGE - timedelta(days=1))
        self.assertIsNone(found.backup)
        self.assertEqual("at0", found.oldest.id)


class ParsingTest(testtools.TestCase):
    def test_forms_of_iso_8601_are_read(self):
        for text in (
            "2026-11-24T10:00+02:00",
            "2026-11-24 10:00+02:00",
            "2026-11-24T08:00Z",
            "20261124T100000+0200",
            "2026-11-24T03:00:00.5-05:00",
        ):
            moment = parse_moment(text).astimezone(UTC)
            self.assertEqual((24, 8), (moment.day, moment.hour), text)

    def test_what_is_no_moment_is_refused_with_the_form(self):
        for text in (
            *("", "yesterday", "10:00", "2026-11-24", "2026-11-24T10:00"),
            *("2026-13-01T00:00Z", "1h", "0001-01-01T00:00+14:00"),
        ):
            error = self.assertRaises(ValueError, parse_moment, text)
            self.assertIn("2026-11-24T08:00Z", str(error), text)

    def test_without_a_zone_it_says_so(self):
        error = self.assertRaises(ValueError, parse_moment, "2026-11-24T10:00")
        self.assertIn("has no time zone", str(error))
