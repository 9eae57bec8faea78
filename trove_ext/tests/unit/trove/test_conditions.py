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

from datetime import timedelta

from trove_ext.model.status import Phase
from trove_ext.tests.fake.state import BackupState, Fault, Service, Task
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase
from trove_ext.trove import conditions, read

WEEK = timedelta(days=7)


class ConditionsTestCase(ReplicaTestCase):
    def poll(self, target):
        return target.poll()

    def store_old_fault(self, row, text="It broke last week."):
        row.fault = Fault(text, self.clock.now() - WEEK)

    def instance(self, row):
        return read.get_instance(self.cloud, row.id)

    def backup(self, row):
        return read.get_backup(self.cloud, row.id)


class TestFaults(ConditionsTestCase):
    def test_a_failure_is_not_explained_by_the_fault_read_before_the_action(self):
        self.store_old_fault(self.alone)
        target = conditions.settled(self.cloud, self.instance(self.alone))
        self.clock.sleep(10)
        self.fake.set_task(Task.BUILDING_ERROR_SERVER, self.alone)
        reading = self.poll(target)
        self.assertIs(Phase.FAILED, reading.phase)
        self.assertIn("Trove stored no reason for it", reading.reason)
        self.assertIn("It broke last week. (at ", reading.reason)

    def test_a_fault_stored_since_explains_the_failure(self):
        self.store_old_fault(self.alone)
        target = conditions.settled(self.cloud, self.instance(self.alone))
        self.fake.set_task(Task.BUILDING_ERROR_SERVER, self.alone)
        self.fake.blame(self.alone, "It broke now.")
        self.assertEqual("It broke now.", self.poll(target).reason)

    def test_an_instance_that_had_failed_already_has_the_fault_of_that_failure(self):
        self.fake.set_task(Task.BUILDING_ERROR_SERVER, self.alone)
        self.fake.blame(self.alone, "It broke then.")
        self.clock.sleep(3600)
        target = conditions.settled(self.cloud, self.instance(self.alone))
        self.assertEqual("It broke then.", self.poll(target).reason)

    def test_an_instance_that_had_failed_is_not_explained_by_an_older_fault(self):
        self.store_old_fault(self.alone)
        self.fake.set_task(Task.BUILDING_ERROR_SERVER, self.alone)
        target = conditions.settled(self.cloud, self.instance(self.alone))
        self.assertIn("the last fault is another one", self.poll(target).reason)

    def test_a_failed_backup_is_explained_by_a_fault_of_its_own_time_alone(self):
        row = self.fake.add_backup("nightly", self.alone, state=BackupState.FAILED)
        row.created = row.updated = self.clock.now()
        target = conditions.backup_completed(self.cloud, self.backup(row))
        for days in (-7, 7):
            moment = self.clock.now() + timedelta(days=days)
            self.alone.fault = Fault("Something else.", moment)
            self.assertIn("the last fault is another one", self.poll(target).reason)
        self.alone.fault = Fault("The disk is full.", row.updated)
        self.assertEqual("The disk is full.", self.poll(target).reason)


class TestDatabaseDown(ConditionsTestCase):
    def test_a_wait_reports_that_the_database_is_down_and_ends_early(self):
        self.fake.kill_database(self.alone)
        start = self.clock.monotonic()
        result = self.run_line("instance wait alone --timeout 3600")
        self.assertEqual(1, result.exit_code)
        self.assertIn("its database does not run", result.stderr)
        self.assertEqual(
            1, result.stderr.count(f"instance restart {self.alone.id} --wait")
        )
        self.assertIn("has been down for 3 minutes", result.stderr)
        elapsed = self.clock.monotonic() - start
        self.assertLess(elapsed, 2 * conditions.DOWN_AFTER)

    def test_a_wait_continues_if_the_database_is_started_meanwhile(self):
        self.fake.kill_database(self.alone)
        self.clock.after(60.0, lambda: self.start(self.alone))
        result = self.succeed("instance wait alone")
        self.assertIn("its database does not run", result.stderr)

    def test_a_database_that_is_seen_down_once_is_not_mentioned(self):
        self.fake.kill_database(self.alone)
        self.clock.after(0.5, lambda: self.start(self.alone))
        result = self.succeed("instance wait alone")
        self.assertNotIn("does not run", result.stderr)

    def test_a_restart_that_does_not_start_the_database_ends_early(self):
        self.fake.beat = lambda row: setattr(row, "service", Service.SHUTDOWN)
        result = self.run_line("instance restart alone --wait")
        self.assertEqual(1, result.exit_code)
        self.assertIn("has been down for 3 minutes", result.stderr)

    def test_a_backup_of_an_instance_whose_database_is_down_ends_early(self):
        self.fake.timings.backup = 7200.0
        self.clock.after(10.0, lambda: self.fake.kill_database(self.alone))
        result = self.run_line("backup create alone b1 --wait --timeout 3600")
        self.assertEqual(1, result.exit_code)
        self.assertIn("its database does not run", result.stderr)
        self.assertIn("is BUILDING: its database has been down", result.stderr)

    def start(self, row):
        row.database_running = True
        self.fake.beat(row)


class TestArchiver(ConditionsTestCase):
    def running(self):
        version = self.fake.datastores["postgresql"].default_version_id
        self.alone.version_id = version
        full = self.fake.add_backup("full", self.alone)
        state = BackupState.BUILDING
        return self.fake.add_backup("inc", self.alone, parent=full, state=state)

    def test_an_incremental_of_postgresql_that_hangs_is_explained_once(self):
        target = conditions.backup_completed(self.cloud, self.backup(self.running()))
        self.poll(target)
        self.assertEqual([], self.progress.warnings)
        self.clock.sleep(301)
        self.poll(target)
        self.poll(target)
        (said,) = self.progress.warnings
        self.assertRegex(said, "inc .* is still BUILDING.*archiver")

    def test_the_fault_of_a_full_one_is_explained(self):
        row = self.running()
        row.state = BackupState.FAILED
        text = "Failed to get backup metadata for backup x"
        self.alone.fault = Fault(text, self.clock.now())
        row.updated = self.clock.now()
        reading = self.poll(conditions.backup_completed(self.cloud, self.backup(row)))
        self.assertIn("archiver is stuck", reading.reason)
