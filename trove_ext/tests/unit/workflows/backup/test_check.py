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

"""A check reports for each instance whether its newest good backup is recent enough."""

from datetime import timedelta

from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.workflows.backup import check

DAY = timedelta(hours=26)


@shows(Promise.FRESH)
class TestCheck(BackupTestCase):
    def check(self, *names, max_age=DAY):
        return check.check(self.cloud, names or ("db1",), max_age)

    def test_a_recent_chain_is_ok(self):
        self.chain("a", 3, 20)
        (verdict,) = self.check()
        self.assertIsNone(verdict.problem)
        self.assertEqual(("a-2", 3), (verdict.backup.name, verdict.chain_length))

    def test_an_old_one_is_not(self):
        self.chain("a", 1, 30)
        (verdict,) = self.check()
        self.assertIn("1d6h old, 1d2h is the limit", verdict.problem)

    def test_a_young_one_whose_chain_is_broken_does_not_count(self):
        self.add("good", 40)
        lost = self.add("lost", 5)
        self.add("child", 1, parent=lost)
        lost.deleted = True
        (verdict,) = self.check()
        self.assertEqual("good", verdict.backup.name)
        self.assertIn("is gone", verdict.problem)

    def test_a_young_one_that_failed_does_not_count(self):
        self.add("failed", 1, state=BackupState.FAILED)
        (verdict,) = self.check()
        self.assertIn("no restorable backup", verdict.problem)
        self.assertIn("FAILED", verdict.problem)

    def test_a_replication_snapshot_does_not_count(self):
        self.add("Replication snapshot for x", 1)
        (verdict,) = self.check()
        self.assertIn("no restorable backup", verdict.problem)

    def test_an_unknown_instance_is_a_line_too(self):
        self.add("good", 1)
        good, bad = self.check("db1", "nobody")
        self.assertIsNone(good.problem)
        self.assertIn("nobody", bad.problem)

    def test_many_instances_cost_one_list_of_backups_and_one_of_names(self):
        for number in range(10):
            self.fake.add_instance(f"other{number}")
        self.check(*(instance.name for instance in self.fake.live_instances))
        self.assertEqual(2, len(self.requests("GET")))

    def test_of_one_instance_its_own_backups_are_read_and_no_others(self):
        other = self.fake.add_instance("other")
        self.add("theirs", 1, instance=other)
        self.check()
        _names, backups = self.requests("GET")
        self.assertEqual(self.db1.id, backups.query["instance_id"])

    def test_a_deleted_instance_is_checked_by_its_backups(self):
        self.add("good", 1)
        self.db1.deleted = True
        (verdict,) = self.check(self.db1.id)
        self.assertEqual((None, "good"), (verdict.problem, verdict.backup.name))

    def test_the_id_of_a_deleted_instance_wins_over_a_name_that_looks_the_same(self):
        self.add("good", 1)
        self.db1.deleted = True
        self.fake.add_instance(self.db1.id)
        self.fake.add_instance("third")
        for names in ([self.db1.id], [self.db1.id, "third"]):
            self.assertEqual(self.db1.id, self.check(*names)[0].instance_id)

    def test_a_deleted_instance_costs_no_list_of_names(self):
        self.add("good", 1)
        self.db1.deleted = True
        self.check(self.db1.id)
        asked = [request.path.rsplit("/", 1)[-1] for request in self.requests("GET")]
        self.assertEqual([self.db1.id, "backups"], asked)

    def test_an_id_that_never_existed_is_a_line(self):
        (verdict,) = self.check(self.fake.new_id())
        self.assertIn("No instance", verdict.problem)

    def test_one_named_by_name_and_id_is_one_line(self):
        self.assertEqual(1, len(self.check("db1", self.db1.id)))
