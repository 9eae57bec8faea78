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

"""Incrementals of PostgreSQL that miss rows are doubtful, and their children too."""

import testtools

from trove_ext.model import engine
from trove_ext.model.backup_forest import BackupForest
from trove_ext.tests.unit.model import trees


class TestGaps(testtools.TestCase):
    def doubtful(self, drawing, engine_of=engine.of):
        """The IDs of the doubtful ones in a drawing of PostgreSQL's backups."""
        backups = [
            trees.backup(
                **{f: getattr(drawn, f) for f in FIELDS if f != "id"},
                backup_id=drawn.id,
                datastore="postgresql",
            )
            for drawn in trees.draw(drawing)
        ]
        forest = BackupForest.of(backups, engine_of)
        return [made.id for made in backups if forest.doubt(made.id)]

    def test_a_chain_of_backups_taken_one_after_the_other_has_none(self):
        self.assertEqual([], self.doubtful("a\n+- b\n   +- c\nd\n+- e"))

    def test_the_second_of_two_branches_and_all_below_it(self):
        self.assertEqual(["c", "d"], self.doubtful("a\n+- b\n+- c\n   +- d"))

    def test_one_on_an_older_full_backup(self):
        drawing = "a @0\n+- c @2\nb @1"
        self.assertEqual(["c"], self.doubtful(drawing))

    def test_a_failed_backup_in_between_counts(self):
        self.assertEqual(["c"], self.doubtful("a @0\n+- c @2\nb @1 FAILED"))

    def test_one_that_began_while_it_ran_counts(self):
        self.assertEqual(["b", "c"], self.doubtful("a\n+- b @1 BUILDING\n+- c @1"))

    def test_backups_of_other_instances_do_not_count(self):
        self.assertEqual([], self.doubtful("a @0\n+- c @2\nb @1 instance_id=db2"))

    def test_a_volume_snapshot_needs_no_parent(self):
        drawing = "a @0\n+- c @2 storage_driver=cinder\nb @1"
        self.assertEqual([], self.doubtful(drawing))

    def test_other_engines_have_none(self):
        branches = "a\n+- b\n+- c"
        self.assertEqual([], self.doubtful(branches, lambda _: engine.MYSQL))
        plain = BackupForest.of(trees.draw(branches))
        self.assertEqual([None, None, None], [plain.doubt(x) for x in "abc"])

    def test_says_which_backup_made_the_gap(self):
        backups = trees.draw("a\n+- b\n+- c")
        forest = BackupForest.of(backups, lambda _: engine.POSTGRESQL)
        self.assertIn("name-of-b (b) was taken since", forest.doubt("c"))


FIELDS = (
    "id",
    "instance_id",
    "status",
    "parent_id",
    "created",
    "updated",
    "storage_driver",
)
