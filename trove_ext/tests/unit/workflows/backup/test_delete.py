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

"""The dependent backups of a delete are known before it is sent."""

from trove_ext.exceptions import (
    CheckError,
    LostAnswerError,
    PartialFailureError,
    WaitTimeoutError,
)
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.shown import shown
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.workflows.backup import delete


@shows(Promise.DELETE)
class TestPlan(BackupTestCase):
    def test_dependent_backups_are_deleted_with_it(self):
        _full, first, second = self.chain("a", 3, 10)
        self.add("other", 1)
        plan = delete.plan(self.cloud, [first.id])
        self.assertEqual([first.id, second.id], [backup.id for backup in plan.going])
        self.assertEqual([second.id], [backup.id for backup in plan.dependents])
        self.assertEqual((), plan.instances_left_without_backup)

    def test_one_named_beside_its_parent_is_not_sent_by_itself(self):
        full, first, _ = self.chain("a", 3, 10)
        plan = delete.plan(self.cloud, [first.id, full.id])
        self.assertEqual([full.id], [backup.id for backup in plan.tops])

    def test_an_instance_that_loses_its_last_restorable_backup_is_named(self):
        (full,) = self.chain("a", 1, 10)
        self.add("failed", 1, state=BackupState.FAILED)
        plan = delete.plan(self.cloud, [full.id])
        self.assertEqual((self.db1.id,), plan.instances_left_without_backup)

    def test_an_unknown_id_is_kept(self):
        unknown = "00000000-0000-4000-8000-000000000000"
        plan = delete.plan(self.cloud, [unknown])
        self.assertEqual((unknown,), plan.unknown)

    def test_a_dependent_backup_in_progress_is_refused_before_anything_is_sent(self):
        full, first, _ = self.chain("a", 3, 10)
        running = self.add("run", parent=first, state=BackupState.BUILDING)
        plan = delete.plan(self.cloud, [full.id])
        error = self.assertRaises(CheckError, delete.check, plan)
        self.assertIn(running.id, str(error))

    def test_one_that_has_been_running_for_long_is_refused_as_well(self):
        # Release 26 responds with 500 at any age, so the delete is not sent.
        stuck = self.add("stuck", 9 * 24, state=BackupState.BUILDING)
        plan = delete.plan(self.cloud, [stuck.id])
        error = self.assertRaises(CheckError, delete.check, plan)
        self.assertIn(f"backup wait {stuck.id}", shown(error))

    def test_a_backup_that_joined_since_is_noticed(self):
        full, first, _ = self.chain("a", 3, 10)
        plan = delete.plan(self.cloud, [full.id])
        delete.check_unchanged(self.cloud, plan)
        late = self.add("late", parent=first)
        error = self.assertRaises(CheckError, delete.check_unchanged, self.cloud, plan)
        self.assertIn(late.id, str(error))


@shows(Promise.DELETE)
class TestDelete(BackupTestCase):
    def run_delete(self, *backups, timeout=600.0, cloud=None):
        cloud = cloud or self.cloud
        plan = delete.plan(cloud, [backup.id for backup in backups])
        deadline = None if timeout is None else cloud.deadline(timeout)
        return delete.execute(cloud, plan, deadline)

    def test_one_request_deletes_a_tree_and_all_of_it_is_awaited(self):
        full, *_ = self.chain("a", 3, 10)
        self.add("stays", 1)
        rows, error = self.run_delete(full)
        self.assertIsNone(error)
        self.assertEqual(["deleted"] * 3, [row.result for row in rows])
        self.assertEqual({"stays"}, self.names())
        self.assertEqual(1, len(self.requests("DELETE")))

    def test_waiting_for_many_costs_one_list_per_poll(self):
        full, *_ = self.chain("a", 30, 100)
        before = len(self.fake.log)
        rows, _ = self.run_delete(full)
        lists = [
            request
            for request in self.requests("GET", before)
            if "backups/" not in request.path
        ]
        self.assertEqual(30, len(rows))
        self.assertGreater(10, len(lists))

    def test_without_waiting_it_is_only_accepted(self):
        full, _ = self.chain("a", 2, 10)
        rows, error = self.run_delete(full, timeout=None)
        self.assertEqual(
            (["accepted"] * 2, None), ([row.result for row in rows], error)
        )

    def test_a_refusal_of_one_does_not_stop_the_others(self):
        one, two = self.add("one"), self.add("two")
        db2 = self.fake.add_instance("db2")
        running = self.add("run", instance=db2, state=BackupState.BUILDING)
        self.fake.older_backup_delete = True
        rows, error = self.run_delete(one, running, two)
        self.assertEqual({"run"}, self.names())
        self.assertIsInstance(error, PartialFailureError)
        self.assertIn("1 of 3", str(error))
        results = {row.backup.name: row.result for row in rows}
        self.assertEqual(
            {"one": "deleted", "run": "refused", "two": "deleted"}, results
        )

    def test_a_time_out_names_the_command_that_continues(self):
        self.fake.timings.backup_delete = 500.0
        one = self.add("one")
        rows, error = self.run_delete(one, timeout=20.0)
        self.assertIsInstance(error, WaitTimeoutError)
        self.assertIn(f"backup wait {one.id} --for deleted", shown(error))
        self.assertEqual(["COMPLETED"], [row.result for row in rows])

    def lost(self, times):
        left = iter(range(times))
        return Fault(
            Kind.RESET_AFTER,
            only=lambda r: r.method == "DELETE" and next(left, None) is not None,
            lasting=True,
        )

    def test_after_a_lost_response_the_result_is_read(self):
        one = self.add("one")
        _rows, error = self.run_delete(one, cloud=self.make_cloud([self.lost(1)]))
        self.assertEqual((set(), None), (self.names(), error))
        # Trove does not show a delete in progress, so it is sent once more.
        self.assertIn("sending it again", self.progress.warnings[0])

    def test_after_two_lost_responses_the_result_is_unknown(self):
        one = self.add("one")
        rows, error = self.run_delete(one, cloud=self.make_cloud([self.lost(2)]))
        self.assertEqual(["unknown"], [row.result for row in rows])
        self.assertIsInstance(error, LostAnswerError)
