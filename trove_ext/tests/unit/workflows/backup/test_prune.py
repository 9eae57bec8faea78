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

"""A policy is carried out leaf by leaf, and only while everything is as planned."""

from trove_ext.exceptions import (
    CheckError,
    LoginError,
    PartialFailureError,
    UnreachableError,
    WaitTimeoutError,
)
from trove_ext.model.retention_policy import Policy
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.shown import shown
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.workflows.backup import prune

KEEP_ONE_CHAIN = Policy(keep_chains=1)


@shows(Promise.RETENTION, Promise.DELETE)
class TestPrune(BackupTestCase):
    def setUp(self):
        super().setUp()
        self.old = self.chain("old", 3, 100)
        self.new = self.chain("new", 2, 10)

    def on_delete(self, number, call):
        """Do something after this many deletes were carried out."""
        seen = iter(range(1, 1000))

        def after(request):
            if request.method == "DELETE" and next(seen) == number:
                call()

        self.fake.after_request.append(after)

    def prune(self, policy=KEEP_ONE_CHAIN, timeout=600.0, cloud=None):
        cloud = cloud or self.cloud
        plan = prune.plan_named(cloud, ["db1"], policy)
        rows, error = prune.execute(cloud, plan, cloud.deadline(timeout))
        return {row.backup.name: row.result for row in rows}, error

    def test_what_the_policy_does_not_keep_is_deleted_leaves_first(self):
        results, error = self.prune()
        self.assertIsNone(error)
        self.assertEqual({"new-0", "new-1"}, self.names())
        order = [request.path.rsplit("/", 1)[1] for request in self.requests("DELETE")]
        self.assertEqual([backup.id for backup in reversed(self.old)], order)
        self.assertEqual("deleted", results["old-0"])
        self.assertEqual("kept", results["new-0"])

    def test_each_is_deleted_before_the_delete_of_its_parent_is_sent(self):
        gone = []

        def before(request):
            if request.method == "DELETE":
                gone.append(len([backup for backup in self.old if backup.deleted]))

        self.fake.before_request.append(before)
        self.prune()
        self.assertEqual([0, 1, 2], gone)

    def test_a_chain_is_read_again_before_each_delete(self):
        before = len(self.fake.log)
        self.prune()
        methods = [
            "DELETE" if request.method == "DELETE" else "list"
            for request in self.fake.log[before:]
            if request.method == "DELETE" or request.path.endswith("/backups")
        ]
        for place, method in enumerate(methods):
            if method == "DELETE":
                self.assertEqual("list", methods[place - 1])

    def test_a_chain_with_a_new_dependent_backup_is_skipped(self):
        late = []
        self.on_delete(1, lambda: late.append(self.add("late", 0, parent=self.old[1])))
        results, error = self.prune()
        self.assertEqual({"old-0", "old-1", "late", "new-0", "new-1"}, self.names())
        self.assertIsInstance(error, PartialFailureError)
        self.assertIn("changed", results["old-1"])
        self.assertEqual("left alone", results["old-0"])

    def test_if_a_kept_backup_is_gone_the_rest_is_kept(self):
        # Another user deletes the chain on which the plan relied.
        def vanish():
            for backup in self.new:
                backup.deleted = True

        self.on_delete(1, vanish)
        results, error = self.prune()
        self.assertEqual({"old-0", "old-1"}, self.names())
        self.assertIn("keeps it now", results["old-1"])
        self.assertIsInstance(error, PartialFailureError)

    def test_one_skipped_chain_does_not_stop_another(self):
        self.chain("third", 2, 50)
        self.on_delete(1, lambda: self.add("late", 0, parent=self.old[0]))
        _, error = self.prune()
        self.assertIsInstance(error, PartialFailureError)
        left = {name for name in self.names() if name.startswith("third")}
        self.assertEqual(set(), left)

    def test_one_that_is_gone_already_counts_as_deleted(self):
        def before(request):
            if request.method == "DELETE" and self.old[2].id in request.path:
                self.old[2].deleted = True

        self.fake.before_request.append(before)
        results, error = self.prune()
        self.assertEqual(("deleted", None), (results["old-2"], error))

    def test_what_another_prune_has_deleted_meanwhile_counts_as_deleted(self):
        def vanish():
            self.old[1].deleted = True

        self.on_delete(1, vanish)
        results, error = self.prune()
        self.assertIsNone(error)
        self.assertEqual({"new-0", "new-1"}, self.names())
        self.assertEqual({"deleted"}, {results[backup.name] for backup in self.old})
        self.assertEqual(2, len(self.requests("DELETE")))

    def test_a_list_that_lacks_a_backup_does_not_prove_its_delete(self):
        def lacks(request):
            return request.method == "GET" and request.path.endswith("/backups")

        def after(request):
            if lacks(request) and self.requests("DELETE"):
                self.fake.after_request.clear()
                self.old[1].instance_id = self.fake.new_id()

        self.fake.after_request.append(after)
        results, error = self.prune()
        self.assertIsInstance(error, PartialFailureError)
        self.assertIn("changed", results["old-1"])
        self.assertFalse(self.old[1].deleted)

    def test_reads_are_retried_until_the_time_out(self):
        start = []

        def dark(_request):
            if self.requests("DELETE") and not start:
                start.append(self.clock.monotonic())
            return bool(start) and self.clock.monotonic() - start[0] < 300

        cloud = self.make_cloud([Fault(Kind.HTTP_503, only=dark, lasting=True)])
        _, error = self.prune(cloud=cloud, timeout=3600.0)
        self.assertIsNone(error)
        self.assertEqual({"new-0", "new-1"}, self.names())

    def test_a_backup_in_progress_and_its_ancestors_are_kept(self):
        self.add("run", parent=self.old[1], state=BackupState.BUILDING)
        self.prune()
        self.assertEqual({"old-0", "old-1", "run", "new-0", "new-1"}, self.names())

    def test_protected_names_keep_their_ancestors(self):
        self.prune(Policy(keep_chains=1, keep_names=("old-1",)))
        self.assertEqual({"old-0", "old-1", "new-0", "new-1"}, self.names())

    def test_other_instances_are_not_touched(self):
        db2 = self.fake.add_instance("db2")
        self.chain("other", 3, 200, instance=db2)
        self.chain("more", 1, 20, instance=db2)
        self.prune()
        self.assertEqual(6, len(self.names()))

    def test_all_evaluates_each_instance_by_itself_the_deleted_ones_too(self):
        db2 = self.fake.add_instance("db2")
        self.chain("other", 2, 200, instance=db2)
        self.chain("more", 1, 20, instance=db2)
        db2.deleted = True
        plan = prune.plan_all(self.cloud, KEEP_ONE_CHAIN)
        prune.execute(self.cloud, plan, self.cloud.deadline(600))
        self.assertEqual({"new-0", "new-1", "more-0"}, self.names())

    def test_a_second_run_deletes_nothing(self):
        self.prune()
        before = len(self.fake.log)
        self.prune()
        self.assertEqual([], self.requests("DELETE", before))

    def test_unknown_instances_are_all_named_before_anything_is_deleted(self):
        error = self.assertRaises(
            CheckError,
            prune.plan_named,
            self.cloud,
            ["db1", "nobody", "no-such"],
            KEEP_ONE_CHAIN,
        )
        self.assertEqual(2, len(error.problems))

    def test_a_time_out_keeps_the_rest_and_reports_it(self):
        self.fake.timings.backup_delete = 100.0
        results, error = self.prune(timeout=30.0)
        self.assertIsInstance(error, WaitTimeoutError)
        self.assertEqual("left alone", results["old-1"])

    def test_a_cloud_that_no_longer_responds_ends_it_with_rows(self):
        def dark(request):
            return len(self.requests("DELETE")) > 0

        cloud = self.make_cloud([Fault(Kind.REFUSED, only=dark, lasting=True)])
        plan = prune.plan_named(cloud, ["db1"], KEEP_ONE_CHAIN)
        rows, error = prune.execute(cloud, plan, cloud.deadline(600))
        self.assertIsInstance(error, (UnreachableError, LoginError))
        self.assertEqual(5, len(rows))

    def test_a_refused_delete_keeps_its_chain(self):
        self.fake.policy_forbid("backup:delete")
        results, error = self.prune()
        self.assertIn("policy", results["old-2"])
        self.assertEqual(1, len(self.requests("DELETE")))
        self.assertIsInstance(error, PartialFailureError)


class TestNotSeen(BackupTestCase):
    def test_a_delete_whose_result_can_not_be_read_keeps_the_rows_and_names_a_command(
        self,
    ):
        self.chain("old", 2, 300)
        self.chain("new", 1, 30)
        dark = Fault(
            Kind.HTTP_503,
            only=lambda request: (
                request.method == "GET" and bool(self.requests("DELETE"))
            ),
            lasting=True,
        )
        cloud = self.make_cloud([dark])
        plan = prune.plan_named(cloud, ["db1"], Policy(keep_last=1))
        rows, error = prune.execute(cloud, plan, cloud.deadline(300.0))
        results = {row.backup.name: row.result for row in rows}
        self.assertEqual("kept", results["new-0"])
        self.assertEqual("accepted", results["old-1"])
        self.assertEqual("left alone", results["old-0"])
        self.assertIn("backup chain list", shown(error))
        self.assertEqual(1, len(self.requests("DELETE")))
