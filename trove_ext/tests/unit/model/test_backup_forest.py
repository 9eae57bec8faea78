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

import time
from datetime import timedelta

import hypothesis
import testtools

from trove_ext.model.backup_forest import BackupForest, ChainState
from trove_ext.tests.unit.model import strategies, trees
from trove_ext.tests.unit.model.trees import ids

#: Later than any day in a drawing.
LATER = trees.day(9999)


def forest(drawing):
    return BackupForest.of(trees.draw(drawing))


class TestForest(testtools.TestCase):
    def test_knows_the_place_of_each_backup(self):
        trees_ = forest("""
            a
            +- b
            |  +- c
            |  `- d
            `- e
            f
        """)
        self.assertEqual(["a", "f"], ids(trees_.roots))
        self.assertEqual(["a", "b", "c", "d", "e", "f"], ids(trees_))
        self.assertEqual(["a", "b", "d"], ids(trees_.path("d")))
        self.assertEqual(["b", "e"], ids(trees_.children("a")))
        self.assertEqual("a", trees_.root("d").id)
        self.assertEqual([0, 2], [trees_.depth("f"), trees_.depth("d")])

    def test_lists_descendants_leaves_first(self):
        below = forest("""
            a
            +- b
            |  +- c
            `- d
        """).descendants("a")
        self.assertEqual(["d", "c", "b"], ids(below))

    def test_does_not_depend_on_the_order_of_the_list(self):
        drawn = trees.draw("""
            a
            +- b
            |  +- c
            d
        """)
        self.assertEqual(ids(BackupForest.of(drawn)), ids(BackupForest.of(drawn[::-1])))

    def test_counts_a_backup_that_is_listed_twice_once_as_changed_last(self):
        before = trees.backup("a", status="BUILDING")
        after = trees.backup("a", updated=trees.day(1))
        for listed in ([before, after], [after, before]):
            self.assertEqual([after], list(BackupForest.of(listed)))

    def test_knows_a_parent_that_is_gone(self):
        orphaned = forest("""
            a parent_id=lost
            +- b
        """)
        self.assertEqual(["a"], ids(orphaned.orphans))
        self.assertEqual((), orphaned.roots)
        self.assertEqual("parent lost is gone", orphaned.why_not("a"))
        self.assertEqual("ancestor lost is gone", orphaned.why_not("b"))

    def test_ends_in_a_cycle_and_names_its_members(self):
        round_ = forest("""
            a parent_id=c
            +- b
            |  +- c
            |  `- d
            x parent_id=x
        """)
        self.assertEqual([["a", "b", "c"], ["x"]], [ids(c) for c in round_.cycles])
        self.assertEqual(["a", "b", "c", "d", "x"], ids(round_))
        self.assertEqual(["b", "c", "a"], ids(round_.path("a")))
        self.assertEqual("in a cycle of 3 parents", round_.why_not("a"))
        self.assertIn("ancestor name-of-a (a) is in a cycle", round_.why_not("d"))
        self.assertEqual(["d", "a", "c"], ids(round_.descendants("b")))

    def test_lists_the_backups_of_an_instance_newest_first(self):
        mixed = forest("""
            a
            +- b instance_id=db2
            |  +- c
            d @0.5
        """)
        self.assertEqual(["c", "d", "a"], ids(mixed.of_instance("db1")))


class TestChain(testtools.TestCase):
    def test_is_the_whole_tree_under_a_full_backup(self):
        grove = forest("""
            a size=2
            +- b size=3
            |  +- c FAILED size=
            +- d size=2.5
            e
        """)
        chain = grove.chain("c")
        self.assertEqual(["a", "b", "c", "d"], ids(chain.members))
        self.assertEqual(
            ("a", "a", "d", 4),
            (
                chain.root.id,
                chain.oldest.id,
                chain.newest_restorable(LATER).id,
                chain.count,
            ),
        )
        self.assertEqual(2.5, chain.volume_used_gb(LATER))
        self.assertEqual(["a", "e"], [chain.root.id for chain in grove.chains()])

    def test_has_its_state_in_one_word(self):
        drawings = {
            ChainState.RESTORABLE: "a\n+- b",
            ChainState.RUNNING: "a\n+- b NEW",
            ChainState.PARTLY: "a\n+- b FAILED",
            ChainState.BROKEN: "a parent_id=lost\n+- b",
        }
        states = [forest(drawing).chain("a").state for drawing in drawings.values()]
        self.assertEqual(list(drawings), states)

    def test_has_no_restorable_member_where_none_is(self):
        chain = forest("a FAILED").chain("a")
        self.assertIsNone(chain.newest_restorable(LATER))
        self.assertIsNone(chain.volume_used_gb(LATER))

    def test_one_dated_ahead_of_now_is_not_its_newest_restorable(self):
        chain = forest("""
            a size=2
            +- b size=3
            |  +- c size=1
        """).chain("a")
        now = chain.members[1].created
        self.assertEqual("b", chain.newest_restorable(now).id)
        self.assertEqual(3, chain.volume_used_gb(now))

    def test_all_dated_ahead_of_now_need_the_largest_of_their_volumes(self):
        chain = forest("""
            a size=2
            +- b size=3
            |  +- c size=1
        """).chain("a")
        long_ago = chain.oldest.created - timedelta(days=1)
        self.assertIsNone(chain.newest_restorable(long_ago))
        self.assertEqual(3, chain.volume_used_gb(long_ago))

    def test_lists_orphans_and_cycles_after_complete_chains(self):
        chains = forest("""
            x parent_id=y
            +- y
            o parent_id=lost
            a
        """).chains()
        self.assertEqual(["a", "o", "x"], [chain.root.id for chain in chains])


class TestAnyForest(testtools.TestCase):
    @hypothesis.given(strategies.forests())
    def test_places_each_backup_once_below_its_parent(self, backups):
        grove = BackupForest.of(backups)
        order = ids(grove)
        self.assertEqual(sorted(ids(backups)), sorted(order))
        in_cycle = {member.id for cycle in grove.cycles for member in cycle}
        for backup in grove:
            parent = grove.get(backup.parent_id)
            if parent and backup.id not in in_cycle:
                self.assertLess(order.index(parent.id), order.index(backup.id))
                self.assertEqual(grove.depth(parent.id) + 1, grove.depth(backup.id))
                self.assertEqual(grove.root(parent.id), grove.root(backup.id))

    @hypothesis.given(strategies.forests())
    def test_what_is_restorable_has_a_completed_path_to_a_full_one(self, backups):
        grove = BackupForest.of(backups)
        for backup in grove:
            path = grove.restore_path(backup.id)
            full = path[0].parent_id is None or path[0].is_volume_snapshot
            whole = full and all(b.is_completed for b in path)
            self.assertEqual(whole, grove.is_restorable(backup.id))
            self.assertEqual(whole, grove.why_not(backup.id) is None)

    @hypothesis.given(strategies.forests())
    def test_descendants_are_what_has_the_backup_on_its_path(self, backups):
        grove = BackupForest.of(backups)
        for backup in grove:
            below = {b.id for b in grove if backup in grove.path(b.id)} - {backup.id}
            self.assertEqual(below, set(ids(grove.descendants(backup.id))))

    @hypothesis.given(strategies.forests())
    def test_each_backup_is_in_one_chain(self, backups):
        chains = BackupForest.of(backups).chains()
        members = [member.id for chain in chains for member in chain.members]
        self.assertEqual(sorted(ids(backups)), sorted(members))


class TestManyBackups(testtools.TestCase):
    COUNT = 100_000
    #: Processor time, so a busy machine does not matter; about one second on a fast
    #: one. What is quadratic takes minutes.
    SECONDS = 8

    def _many(self, parent_of):
        return [
            trees.backup(f"b{n}", parent_id=parent_of(n), created=trees.day(n / 1000))
            for n in range(self.COUNT)
        ]

    def _plant(self, parent_of):
        backups = self._many(parent_of)
        started = time.process_time()
        grove = BackupForest.of(backups)
        chains = grove.chains()
        self.assertLess(time.process_time() - started, self.SECONDS)
        return grove, chains

    def test_many_small_chains_take_about_a_second(self):
        _, chains = self._plant(lambda n: f"b{n - 1}" if n % 7 else None)
        self.assertEqual(-(-self.COUNT // 7), len(chains))

    def test_a_chain_of_any_depth_takes_linear_time(self):
        grove, chains = self._plant(lambda n: f"b{n - 1}" if n else None)
        last = f"b{self.COUNT - 1}"
        self.assertEqual(self.COUNT, chains[0].count)
        self.assertEqual(self.COUNT, len(grove.path(last)))
        self.assertEqual(self.COUNT - 1, len(grove.descendants("b0")))

    def test_a_cycle_of_any_length_takes_linear_time(self):
        grove, _ = self._plant(lambda n: f"b{(n - 1) % self.COUNT}")
        self.assertEqual([self.COUNT], [len(cycle) for cycle in grove.cycles])

    def test_all_may_be_children_of_one_parent(self):
        grove, _ = self._plant(lambda n: "b0" if n else None)
        self.assertEqual(self.COUNT - 1, len(grove.children("b0")))
