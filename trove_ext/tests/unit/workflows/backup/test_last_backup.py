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

"""A last backup before what can't be undone: without a good one nothing is done."""

import testtools

from trove_ext.exceptions import BusyError, CheckError, ResourceFailedError
from trove_ext.model.rotation_naming import NamePattern
from trove_ext.tests.fake.faults import Kind, every_fault
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.sweep import sweep
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.trove import read
from trove_ext.workflows.backup import last_backup

PATTERN = NamePattern("{instance}-before-delete-{time}")


class LastBackupTestCase(BackupTestCase):
    def check(self, *instances, pattern=PATTERN):
        rows = [read.get_instance(self.cloud, each.id) for each in instances]
        return last_backup.check(self.cloud, rows, pattern)

    def take(self, *instances):
        planned = self.check(*instances)
        return last_backup.take(self.cloud, planned, self.cloud.deadline(600))

    def sent(self):
        return [request.path for request in self.fake.log.changing]


class TestTake(LastBackupTestCase):
    def test_it_is_full_complete_and_of_the_pattern(self):
        self.add("older", 60)
        (made,) = self.take(self.db1)
        self.assertEqual("COMPLETED", made.status)
        self.assertIsNone(made.parent_id)
        self.assertRegex(made.name, r"^db1-before-delete-\d{8}T\d{6}Z$")

    def test_several_are_taken_side_by_side(self):
        other = self.fake.add_instance("db2")
        started = self.clock.monotonic()
        self.take(self.db1)
        alone = self.clock.monotonic() - started
        started = self.clock.monotonic()
        made = self.take(self.db1, other)
        self.assertEqual({self.db1.id, other.id}, {b.instance_id for b in made})
        self.assertLess(self.clock.monotonic() - started, 1.5 * alone)

    def test_a_failed_one_says_why_and_that_nothing_was_done(self):
        self.fake.fail_backup(message="No space left in Swift.")
        exc = self.assertRaises(ResourceFailedError, self.take, self.db1)
        self.assertIn("No space left in Swift.", str(exc))
        self.assertIn(f"Nothing was done to db1 ({self.db1.id})", str(exc))

    def test_one_that_is_deleted_before_it_is_read_again_does_not_count(self):
        planned = self.check(self.db1)

        def rival(request):
            done = [b for b in self.fake.live_backups if b.name == planned[0].name]
            if request.method == "GET" and request.path.endswith("/backups") and done:
                done[0].deleted = done[0].state is BackupState.COMPLETED

        self.fake.before_request.append(rival)
        exc = self.assertRaises(
            ResourceFailedError,
            last_backup.take,
            self.cloud,
            planned,
            self.cloud.deadline(600),
        )
        self.assertIn("it is gone", str(exc))


class TestCheck(LastBackupTestCase):
    def test_a_replica_of_postgresql_is_refused(self):
        source = self.fake.add_instance("pg", datastore="postgresql")
        replica = self.fake.add_instance(
            "pg2", datastore="postgresql", replica_of=source
        )
        exc = self.assertRaises(CheckError, self.check, replica)
        self.assertIn("Back up the source instead", str(exc))

    def test_a_replica_of_mysql_is_backed_up(self):
        replica = self.fake.add_instance("rep", replica_of=self.db1)
        self.assertEqual(1, len(self.check(replica)))

    def test_all_that_is_wrong_is_reported_at_once(self):
        self.fake.quotas["backups"] = 1
        self.fake.kill_database(self.db1)
        other = self.fake.add_instance("n" * 255)
        exc = self.assertRaises(CheckError, self.check, self.db1, other)
        self.assertEqual(3, len(exc.problems), exc.problems)
        self.assertEqual([], self.sent())

    def test_if_an_operation_is_in_progress_it_is_busy(self):
        self.add("running", 1, state=BackupState.BUILDING)
        self.assertRaises(BusyError, self.check, self.db1)
        self.assertEqual([], self.sent())


class TestEachRequest(testtools.TestCase):
    """The backup is made to fail at each request: the instance is there."""

    def test_no_instance_is_deleted_without_a_good_backup(self):
        (scenario,) = [
            each
            for each in sweep.SCENARIOS
            if each.name == "instance delete after a backup"
        ]
        requests = sweep.expect(scenario).requests
        kinds = {Kind.HTTP_500, Kind.RESET_AFTER, Kind.FORBIDDEN}
        outcomes = set()
        for at in range(1, requests + 1):
            for fault in every_fault(at):
                if fault.kind not in kinds or sweep.locks_itself_out(fault):
                    continue
                cloud, _result, _before = sweep.run(scenario, [fault])
                gone = "alone" not in [i.name for i in cloud.live_instances]
                good = [
                    backup.name
                    for backup in cloud.live_backups
                    if "-before-" in backup.name
                    and backup.state is BackupState.COMPLETED
                    and backup.parent_id is None
                ]
                self.assertTrue(good or not gone, str(fault))
                outcomes.add(gone)
        self.assertEqual({True, False}, outcomes)
