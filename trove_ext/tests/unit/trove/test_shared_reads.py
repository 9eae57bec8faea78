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

"""The requests of a wait for several: one page where that is cheaper."""

from trove_ext.tests.fake.state import Task
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.trove import conditions, read
from trove_ext.trove.shared_reads import ROOM

#: Virtual seconds that a backup takes.
LONG = 100.0


class SharedReadsTestCase(BackupTestCase):
    def instances(self, count):
        """Add instances; return them, db1 first."""
        more = [self.fake.add_instance(f"db{n}") for n in range(2, count + 1)]
        return [self.db1, *more]

    def wait(self, targets):
        """Wait for targets; return their outcomes and the paths of the requests."""
        before = len(self.fake.log)
        outcomes = self.cloud.wait(targets, self.cloud.deadline(3600.0))
        return outcomes, [each.path for each in self.requests("GET", before)]

    def lists(self, paths, noun):
        return [path for path in paths if path.endswith(f"/{noun}")]


class TestBackups(SharedReadsTestCase):
    def running(self, count):
        """Start a backup of each of several instances; return what to wait for."""
        for instance in self.instances(count):
            manager = self.cloud.client.backups
            manager.create(f"of-{instance.name}", instance.id)
        backups = read.list_backups(self.cloud)
        return [conditions.backup_completed(self.cloud, each) for each in backups]

    def test_twenty_cost_one_request_a_round(self):
        targets = self.running(20)
        outcomes, paths = self.wait(targets)
        self.assertTrue(all(outcome.ok for outcome in outcomes))
        self.assertEqual(len(self.lists(paths, "backups")), len(paths))
        self.assertEqual(len(self.clock.sleeps) + 1, len(paths), paths)

    def test_twenty_are_seen_as_soon_as_one_is(self):
        self.fake.timings.backup = 20.0
        self.wait(self.running(1))
        alone, self.clock.sleeps = self.clock.sleeps, []
        self.wait(self.running(20))
        self.assertEqual(alone, self.clock.sleeps)

    def test_the_page_is_short(self):
        targets = self.running(3)
        for number in range(200):
            self.add(f"old-{number}", hours=100)
        before = len(self.fake.log)
        self.wait(targets)
        limits = [each.query["limit"] for each in self.requests("GET", before)]
        self.assertEqual({str(6 + ROOM)}, set(limits))

    def test_one_is_read_by_itself(self):
        (target,) = self.running(1)
        _, paths = self.wait([target])
        self.assertEqual([], self.lists(paths, "backups"))

    def test_one_that_is_not_on_the_page_is_read_by_itself(self):
        self.fake.timings.backup = LONG
        targets = self.running(2)
        self.clock.sleep(1)
        for number in range(4 + ROOM):
            self.add(f"other-{number}")
        outcomes, paths = self.wait(targets)
        self.assertTrue(all(outcome.ok for outcome in outcomes))
        self.assertIn("/backups/", "".join(paths))

    def test_one_that_is_deleted_meanwhile_is_a_failure(self):
        targets = self.running(3)
        self.clock.after(0.5, lambda: setattr(self.fake.live_backups[0], "deleted", 1))
        outcomes, _ = self.wait(targets)
        states = sorted(outcome.state for outcome in outcomes)
        self.assertEqual(["COMPLETED", "COMPLETED", "deleted"], states)

    def test_the_page_becomes_longer_for_those_that_have_not_changed_lately(self):
        for instance in self.instances(9):
            self.add(f"of-{instance.name}", 300, instance=instance)
        backups = read.list_backups(self.cloud)
        for number in range(200):
            self.add(f"newer-{number}", 1)
        for each in backups:
            row = self.fake.backups[each.id]
            self.clock.after(60.0, lambda row=row: setattr(row, "deleted", True))
        targets = [conditions.backup_gone(self.cloud, each) for each in backups]
        outcomes, paths = self.wait(targets)
        self.assertTrue(all(outcome.ok for outcome in outcomes))
        rounds = len(self.lists(paths, "backups"))
        # Two rounds with a page that is too short, and the last reads.
        self.assertEqual(rounds + 3 * 9, len(paths))

    def test_the_instances_of_many_share_pages(self):
        self.fake.timings.backup = LONG
        _, paths = self.wait(self.running(15))
        looks = self.lists(paths, "instances/detail")
        # Read every 30 s, to see whether a database is down.
        self.assertTrue(2 <= len(looks) <= 4, looks)
        self.assertEqual(len(paths), len(looks) + len(self.lists(paths, "backups")))

    def test_a_list_that_is_refused_is_not_asked_for_again(self):
        targets = self.running(3)
        self.fake.forbidden = {"backup:index"}
        outcomes, paths = self.wait(targets)
        self.assertTrue(all(outcome.ok for outcome in outcomes))
        self.assertEqual(1, len(self.lists(paths, "backups")))


class TestInstances(SharedReadsTestCase):
    def building(self, count, others=0):
        """Have several be restarted; return what to wait for."""
        rows = self.instances(count)
        for number in range(others):
            self.fake.add_instance(f"other-{number}")
        targets = [
            conditions.settled(self.cloud, read.get_instance(self.cloud, row.id))
            for row in rows
        ]
        for row in rows:
            self.fake.set_task(Task.REBOOTING, row)
            self.clock.after(20.0, lambda row=row: self.fake.set_task(Task.NONE, row))
        return targets

    def test_twenty_of_one_page_cost_one_request_a_round(self):
        outcomes, paths = self.wait(self.building(20))
        self.assertTrue(all(outcome.ok for outcome in outcomes))
        self.assertEqual(len(self.clock.sleeps) + 1, len(paths), paths)

    def test_pages_never_cost_more_than_single_reads(self):
        for count, others in ((2, 0), (3, 200), (12, 100), (25, 10)):
            self.fresh()
            targets = self.building(count, others)
            before = len(self.fake.log)
            self.cloud.shared.begin(targets)
            for target in targets:
                target.poll()
            self.assertLessEqual(len(self.requests("GET", before)), count)

    def test_pages_that_save_nothing_are_given_up(self):
        targets = self.building(2, others=400)
        first, *_, last = sorted(self.fake.live_instances, key=lambda row: row.id)
        targets = [
            conditions.settled(self.cloud, read.get_instance(self.cloud, row.id))
            for row in (first, last)
        ]
        for row in (first, last):
            self.fake.set_task(Task.REBOOTING, row)
            self.clock.after(20.0, lambda row=row: self.fake.set_task(Task.NONE, row))
        _, paths = self.wait(targets)
        self.assertEqual(2, len(self.lists(paths, "instances/detail")))

    def test_a_failure_on_a_page_is_read_again_by_itself(self):
        targets = self.building(2)
        self.fake.set_task(Task.BUILDING_ERROR_SERVER, self.db1)
        outcomes, paths = self.wait(targets)
        self.assertEqual([False, True], [outcome.ok for outcome in outcomes])
        self.assertIn(f"/instances/{self.db1.id}", "".join(paths))

    def test_what_is_deleted_reads_as_gone(self):
        rows = self.instances(3)
        targets = [
            conditions.instance_gone(self.cloud, read.get_instance(self.cloud, row.id))
            for row in rows
        ]
        for row in rows:
            self.clock.after(5.0, lambda row=row: setattr(row, "deleted", True))
        outcomes, _ = self.wait(targets)
        self.assertTrue(all(outcome.ok for outcome in outcomes))
