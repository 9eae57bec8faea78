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


"""A race: two concurrent rotations, both of which Trove has accepted."""

from datetime import timedelta

from trove_ext.model.backup_forest import BackupForest
from trove_ext.model.retention_policy import Policy
from trove_ext.model.rotation_naming import NamePattern
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.trove import read
from trove_ext.workflows.backup import rotate, rotate_job, rotate_race
from trove_ext.workflows.backup.rotate_start import How

KEEP_ONE = Policy(keep_last=1)


@shows(Promise.ROTATE)
class TestTwin(BackupTestCase):
    def rotate(self, policy=None, **kwargs):
        cloud = self.make_cloud()
        request = rotate_job.RotateRequest(
            ("db1",), NamePattern(), policy=policy, **kwargs
        )
        (row,) = rotate.rotate(cloud, request, cloud.deadline(3600))
        return row

    def race(self, name="db1-full-20251231T235959Z", seconds=-1, **kwargs):
        """Make Trove accept another run's backup this many seconds later or earlier."""

        def after(request):
            if request.method == "POST" and request.service == "trove":
                self.fake.after_request.clear()
                created = self.clock.now() + timedelta(seconds=seconds)
                twin = self.fake.add_backup(name, self.db1, created=created, **kwargs)
                twin.updated = created + timedelta(seconds=20)
                self.twin = twin

        self.fake.after_request.append(after)

    def test_the_younger_one_is_deleted_by_the_run_that_took_it(self):
        self.race()
        row = self.rotate()
        self.assertEqual({self.twin.name}, self.names())
        self.assertEqual((How.ADOPTED, None), (row.how, row.error))
        self.assertEqual(self.twin.id, row.backup.id)
        self.assertIn("at the same moment", row.note)

    def test_the_run_that_deletes_its_duplicate_prunes_and_counts_one(self):
        parent = self.add("old", 30)
        self.race(name="db1-incr-20251231T235959Z", parent=parent)
        row = self.rotate(Policy(keep_last=2))
        self.assertEqual((None, False), (row.error, row.shared))
        self.assertEqual({"old", self.twin.name}, self.names())
        self.assertEqual(2, len(row.pruned))

    def test_the_older_one_is_kept_and_the_other_run_prunes(self):
        old = self.add("old", 30)
        self.race(name="db1-incr-20260101T000001Z", seconds=1, parent=old)
        row = self.rotate(KEEP_ONE)
        self.assertEqual((How.MADE, True, ()), (row.how, row.shared, row.pruned))
        self.assertEqual(3, len(self.names()))

    def twins_of_a_killed_run(self):
        """Add two of the same moment, whose runs were killed."""
        for name, seconds in (("a", 30), ("b", 29)):
            created = self.clock.now() - timedelta(seconds=seconds)
            twin = self.fake.add_backup(
                f"db1-full-2025123{name == 'b':d}T235959Z", self.db1, created=created
            )
            twin.updated = created + timedelta(seconds=20)

    def test_if_the_run_of_the_duplicate_was_killed_the_next_run_deletes_it(self):
        for number in range(3):
            self.add(f"old-{number}", 30 + number)
        self.twins_of_a_killed_run()
        row = self.rotate(Policy(keep_last=2))
        self.assertEqual((How.ADOPTED, False), (row.how, row.shared))
        self.assertEqual({"db1-full-20251230T235959Z", "old-0"}, self.names())

    def test_if_neither_backup_of_killed_runs_can_be_deleted_the_next_run_prunes(self):
        self.add("old", 30)
        self.twins_of_a_killed_run()
        younger = max(self.fake.live_backups, key=lambda backup: backup.created)
        self.add("child", 0, parent=younger)
        row = self.rotate(Policy(keep_last=2))
        self.assertEqual((How.PRESENT, False, None), (row.how, row.shared, row.error))
        self.assertEqual({younger.name, "child"}, self.names())

    def test_of_postgresql_both_stay_for_the_sake_of_the_next_incremental(self):
        self.db1.version_id = self.fake.datastores["postgresql"].default_version_id
        self.race()
        row = self.rotate()
        self.assertEqual((How.MADE, False, None), (row.how, row.shared, row.error))
        self.assertEqual({self.twin.name, row.backup.name}, self.names())

    def test_no_run_deletes_its_backup_for_one_that_failed(self):
        self.race(state=BackupState.FAILED)
        row = self.rotate()
        self.assertEqual((How.MADE, False), (row.how, row.shared))
        self.assertIn(row.backup.name, self.names())

    def test_another_users_or_one_on_another_parent_is_no_duplicate(self):
        other = self.add("other", 40)
        for kwargs in ({"name": "theirs"}, {"parent": other}):
            self.race(**kwargs)
            row = self.rotate()
            self.assertEqual((How.MADE, False), (row.how, row.shared))
            self.assertIn(row.backup.name, self.names())
            self.clock.sleep(7200)

    def test_one_after_the_other_are_no_duplicates(self):
        # One ends in the same second in which the next begins.
        options = {"min_age": timedelta(0), "chain_length": 1}
        first = self.rotate(**options)
        row = self.rotate(**options)
        self.assertEqual((How.MADE, 2), (row.how, len(self.names())), row.note)
        self.fake.backups[first.backup.id].updated = row.backup.created
        forest = BackupForest.of(read.list_backups(self.cloud))
        instance = read.get_instance(self.cloud, self.db1.id)
        found = rotate_race.concurrent(forest, NamePattern(), instance, row.backup)
        self.assertEqual((), found)

    def test_one_that_has_a_child_already_stays(self):
        self.race()

        def child(request):
            # An incremental that another user takes in between.
            if request.method == "GET" and self.twin is not None:
                mine = [b for b in self.fake.live_backups if b is not self.twin]
                done = [b for b in mine if b.state is BackupState.COMPLETED]
                if len(mine) == len(done) == 1:
                    self.add("child", parent=done[0])

        self.twin = None
        self.fake.before_request.append(child)
        row = self.rotate()
        self.assertEqual(How.MADE, row.how)
        self.assertEqual(3, len(self.names()))
