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

"""Chains are read in one request."""

from trove_ext.exceptions import (
    AmbiguousNameError,
    NotFoundError,
    UnreachableError,
)
from trove_ext.model.backup_forest import ChainState
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.workflows.backup import chains


@shows(Promise.CHAINS)
class TestListChains(BackupTestCase):
    def test_all_chains_cost_one_request(self):
        for number in range(45):
            self.chain(f"c{number}", 3, 100)
        found = chains.list_chains(self.cloud)
        self.assertEqual([3] * 45, [entry.chain.count for entry in found])
        self.assertEqual(1, len(self.requests("GET")))

    def test_names_cost_one_more_request_for_each_twenty_instances(self):
        for number in range(40):
            self.fake.add_instance(f"other{number}")
        self.add("b1")
        (found,) = chains.list_chains(self.cloud, with_names=True)
        self.assertEqual("db1", found.instance_name)
        self.assertEqual(1 + 3, len(self.requests("GET")))

    def test_a_filter_by_name_and_names_read_the_instances_once(self):
        self.add("b1")
        chains.list_chains(self.cloud, instance="db1", with_names=True)
        self.assertEqual(1 + 1, len(self.requests("GET")))

    def test_an_instance_shows_only_its_chains(self):
        db2 = self.fake.add_instance("db2")
        self.chain("a", 2, 10)
        self.chain("b", 1, 10, instance=db2)
        (found,) = chains.list_chains(self.cloud, instance="db2")
        self.assertEqual("b-0", found.chain.root.name)

    def test_of_one_instance_its_own_backups_are_read_and_no_others(self):
        db2 = self.fake.add_instance("db2")
        self.chain("a", 2, 10)
        self.chain("b", 1, 10, instance=db2)
        chains.list_chains(self.cloud, instance=self.db1.id)
        (get,) = self.requests("GET")
        self.assertEqual(self.db1.id, get.query["instance_id"])

    def test_a_deleted_instance_is_found_by_the_id_in_its_backups(self):
        self.add("b1")
        self.db1.deleted = True
        (found,) = chains.list_chains(self.cloud, instance=self.db1.id, with_names=True)
        self.assertIsNone(found.instance_name)

    def test_an_unknown_instance_is_an_error(self):
        self.assertRaises(
            NotFoundError, chains.list_chains, self.cloud, instance="nobody"
        )

    def test_the_state_of_a_chain(self):
        full = self.add("full", 3)
        self.add("inc", 2, parent=full, state=BackupState.FAILED)
        (found,) = chains.list_chains(self.cloud)
        self.assertIs(ChainState.PARTLY, found.chain.state)

    def test_from_a_server_too_slow_for_one_page_small_ones_are_requested(self):
        for number in range(150):
            self.chain(f"c{number}", 3, 100)
        found = chains.list_chains(self.slow_cloud(Kind.HANG))
        self.assertEqual([3] * 150, [entry.chain.count for entry in found])
        self.assertEqual(1 + 3, len(self.requests("GET")))
        self.assertIn("200 at a time", self.progress.notes[0])

    def slow_cloud(self, kind):
        def large(request):
            return request.query.get("limit") == "100000"

        return self.make_cloud([Fault(kind, only=large, lasting=True)])

    def test_so_are_they_if_a_load_balancer_does_not_wait_for_the_page(self):
        self.chain("a", 3, 100)
        (found,) = chains.list_chains(self.slow_cloud(Kind.HTTP_504))
        self.assertEqual(3, found.chain.count)
        self.assertIn("200 at a time", self.progress.notes[0])

    def test_after_a_server_was_too_slow_no_large_page_is_requested_again(self):
        self.chain("a", 3, 100)
        cloud = self.slow_cloud(Kind.HANG)
        chains.list_chains(cloud)
        before = len(self.fake.log)
        chains.list_chains(cloud)
        self.assertEqual(1, len(self.requests("GET", before)))
        self.assertEqual(1, len(self.progress.notes))

    def test_a_rate_limit_is_followed_by_the_requested_pause(self):
        self.chain("a", 3, 100)

        def first(request):
            return request.path.endswith("/backups") and self.clock.monotonic() < 60

        limit = Fault(Kind.RATE_LIMIT, only=first, lasting=True, retry_after=110)
        (found,) = chains.list_chains(self.make_cloud([limit]))
        self.assertEqual(3, found.chain.count)
        self.assertEqual(2, len(self.requests("GET")))

    def test_from_an_unreachable_server_no_small_pages_are_requested(self):
        dead = Fault(Kind.REFUSED, only=lambda r: r.service == "trove", lasting=True)
        cloud = self.make_cloud([dead])
        self.assertRaises(UnreachableError, chains.list_chains, cloud)
        self.assertEqual([], self.progress.notes)


@shows(Promise.CHAINS)
class TestAbove(BackupTestCase):
    """The ancestors of a backup, which decide whether it can be restored."""

    def setUp(self):
        super().setUp()
        self.other = self.fake.add_instance("other")
        self.members = self.chain("a", 3, 10)
        for number in range(5):
            self.add(f"theirs-{number}", 5, instance=self.other)

    def test_of_an_instance_its_own_backups_are_read_and_no_others(self):
        forest = chains.forest_above(self.cloud, self.db1.id)
        self.assertEqual({"a-0", "a-1", "a-2"}, {backup.name for backup in forest})
        (get,) = self.requests("GET")
        self.assertEqual(self.db1.id, get.query["instance_id"])

    def test_a_parent_of_another_instance_is_read_too_with_its_own(self):
        full = self.add("full", 20, instance=self.other)
        parent = self.add("parent", 15, instance=self.other, parent=full)
        child = self.add("child", 1, parent=parent)
        forest = chains.forest_above(self.cloud, self.db1.id)
        path = [backup.name for backup in forest.path(child.id)]
        self.assertEqual(["full", "parent", "child"], path)
        self.assertIn("another instance", forest.doubt(child.id))

    def test_a_missing_parent_is_requested_once_and_reported(self):
        self.members[0].deleted = True
        self.add("second", 1, parent=self.members[0])
        forest = chains.forest_above(self.cloud, self.db1.id)
        self.assertIn("is gone", forest.why_not(self.members[2].id))
        self.assertEqual(2, len(self.requests("GET")))

    def test_a_backup_by_its_id_is_read_with_those_of_its_instance_alone(self):
        forest, found = chains.find_with_ancestors(self.cloud, self.members[2].id)
        self.assertEqual("a-2", found.name)
        self.assertEqual(3, len(forest.path(found.id)))
        _one, siblings = self.requests("GET")
        self.assertEqual(self.db1.id, siblings.query["instance_id"])

    def test_a_full_backup_by_its_id_is_read_alone(self):
        forest, found = chains.find_with_ancestors(self.cloud, self.members[0].id)
        self.assertTrue(forest.is_restorable(found.id))
        self.assertEqual(1, len(self.requests("GET")))

    def test_a_backup_whose_name_looks_like_an_id_is_found(self):
        name = self.fake.new_id()
        made = self.add(name, 1)
        _forest, found = chains.find_with_ancestors(self.cloud, name)
        self.assertEqual(made.id, found.id)


@shows(Promise.CHAINS)
class TestShowChain(BackupTestCase):
    def test_any_member_shows_the_whole_tree_in_one_request(self):
        members = self.chain("a", 3, 10)
        self.add("branch", 1, parent=members[0])
        found = chains.show_chain(self.cloud, "a-2")
        self.assertEqual(
            [("a-0", 0), ("a-1", 1), ("a-2", 2), ("branch", 1)],
            [(entry.backup.name, entry.depth) for entry in found],
        )
        self.assertEqual(1, len(self.requests("GET")))

    def test_the_reason_why_a_backup_can_not_be_restored_is_shown(self):
        full = self.add("full", 3)
        failed = self.add("bad", 2, parent=full, state=BackupState.FAILED)
        self.add("child", 1, parent=failed)
        found = {
            entry.backup.name: entry for entry in chains.show_chain(self.cloud, "full")
        }
        self.assertIsNone(found["full"].why_not)
        self.assertEqual("FAILED", found["bad"].why_not)
        self.assertIn(failed.id, found["child"].why_not)

    def test_an_ambiguous_name_lists_both_with_instance_and_time(self):
        one, two = self.add("twin", 2), self.add("twin", 1)
        error = self.assertRaises(
            AmbiguousNameError, chains.show_chain, self.cloud, "twin"
        )
        for backup in (one, two):
            self.assertIn(backup.id, str(error))
            self.assertIn(backup.created.isoformat(timespec="seconds"), str(error))
        self.assertIn(self.db1.id, str(error))

    def test_an_unknown_name_and_an_unknown_id_are_errors(self):
        unknown = "00000000-0000-4000-8000-000000000000"
        for name in ("nobody", unknown):
            self.assertRaises(NotFoundError, chains.show_chain, self.cloud, name)
