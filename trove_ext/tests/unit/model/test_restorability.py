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

"""Whether a backup can be restored, and why not."""

import testtools

from trove_ext.model.backup_forest import BackupForest
from trove_ext.tests.unit.model import trees
from trove_ext.tests.unit.model.trees import ids


def forest(drawing):
    return BackupForest.of(trees.draw(drawing))


class TestReasons(testtools.TestCase):
    def test_says_why_a_backup_cannot_be_restored(self):
        broken = forest("""
            a
            +- b FAILED
            |  +- c
            |     +- d
            +- e BUILDING
            |  +- f
            +- g MOVING
            h RESTORED
        """)
        self.assertEqual(
            {
                "a": None,
                "b": "FAILED",
                "c": "parent name-of-b (b) is FAILED",
                "d": "ancestor name-of-b (b) is FAILED",
                "e": "still BUILDING",
                "f": "parent name-of-e (e) is still BUILDING",
                "g": "MOVING",
                "h": None,
            },
            {backup.id: broken.why_not(backup.id) for backup in broken},
        )

    def test_is_in_doubt_below_another_instance_or_version(self):
        doubtful = forest("""
            a
            +- b instance_id=db2
            |  +- c instance_id=db2
            +- d datastore_version_id=v2
            +- e
        """)
        doubts = {backup.id: doubtful.doubt(backup.id) for backup in doubtful}
        self.assertEqual(
            "name-of-b (b) is of another instance than parent name-of-a (a)",
            doubts["b"],
        )
        self.assertEqual(doubts["b"], doubts["c"])
        self.assertEqual(
            "name-of-d (d) has another datastore version than parent name-of-a (a)",
            doubts["d"],
        )
        self.assertEqual([None, None], [doubts["a"], doubts["e"]])
        self.assertTrue(doubtful.is_restorable("b"))

    def test_doubts_a_replication_snapshot_and_all_below_it(self):
        snapshot = trees.backup("s", name="Replication snapshot for r1")
        child = trees.backup("c", parent_id="s", created=trees.day(1))
        doubtful = BackupForest.of([snapshot, child])
        self.assertIn("snapshot Replication snapshot for r1 (s)", doubtful.doubt("s"))
        self.assertIn("snapshot Replication snapshot for r1 (s)", doubtful.doubt("c"))


class TestVolumeSnapshot(testtools.TestCase):
    """A snapshot contains the whole volume, whatever its parent is."""

    def test_is_restorable_without_its_ancestors(self):
        grove = forest("""
            a parent_id=lost storage_driver=cinder
            b FAILED
            +- c storage_driver=cinder
            x parent_id=y storage_driver=cinder
            +- y storage_driver=cinder
        """)
        self.assertEqual([None] * 4, [grove.why_not(key) for key in "acxy"])
        self.assertEqual([None] * 4, [grove.doubt(key) for key in "acxy"])

    def test_is_not_restorable_if_it_is_not_completed_itself(self):
        grove = forest("""
            a
            +- b FAILED storage_driver=cinder
        """)
        self.assertEqual("FAILED", grove.why_not("b"))

    def test_a_restore_reads_nothing_else(self):
        grove = forest("""
            a storage_driver=swift
            +- b storage_driver=swift
            |  +- c storage_driver=cinder
            +- d storage_driver=swift
        """)
        self.assertEqual(["c"], ids(grove.restore_path("c")))
        self.assertEqual(["a", "b", "c"], ids(grove.path("c")))
        self.assertEqual(["a", "d"], ids(grove.restore_path("d")))

    def test_is_deleted_with_its_ancestors_nevertheless(self):
        grove = forest("""
            a
            +- b storage_driver=cinder
        """)
        self.assertEqual(["b"], ids(grove.descendants("a")))

    def test_is_in_doubt_below_a_replication_snapshot(self):
        parent = trees.backup("s", name="Replication snapshot for r1")
        child = trees.backup("c", parent_id="s", storage_driver="cinder")
        self.assertIn("deletes", BackupForest.of([parent, child]).doubt("c"))

    def test_fits_its_parent_of_another_instance(self):
        grove = forest("""
            a instance_id=db2
            +- b storage_driver=cinder
        """)
        self.assertIsNone(grove.doubt("b"))

    def test_an_object_on_it_is_in_doubt(self):
        grove = forest("""
            a storage_driver=cinder
            +- b storage_driver=swift
            |  +- c storage_driver=swift
        """)
        for key in "bc":
            self.assertIn("stored in swift, its parent", grove.doubt(key))

    def test_a_chain_names_each_driver_of_its_members_once(self):
        grove = forest("""
            a storage_driver=swift
            +- b storage_driver=cinder
            +- c storage_driver=swift
            d FAILED
        """)
        self.assertEqual(("cinder", "swift"), grove.chain("a").storage_drivers)
        self.assertEqual((), grove.chain("d").storage_drivers)
