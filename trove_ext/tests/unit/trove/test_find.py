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

"""One rule for every name or ID that a user gives."""

from trove_ext.exceptions import AmbiguousNameError, NotFoundError
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.trove import catalog, find

UNKNOWN = "0ffee5af-e2ae-41f7-899b-6bbc4e0b526e"


class FindTest(BackupTestCase):
    def paths(self):
        return [request.path.split("/", 3)[-1] for request in self.fake.log.to_trove()]

    def test_an_id_costs_one_request(self):
        self.fake.log.clear()
        self.assertEqual("db1", find.instance(self.cloud, self.db1.id).name)
        self.assertEqual(1, len(self.fake.log.to_trove()))

    def test_one_list_serves_all_names(self):
        for number in range(3):
            self.fake.add_instance(f"more{number}")
        self.fake.log.clear()
        finder = find.instances(self.cloud)
        found, problems = finder.each(["db1", "more1", "nosuch", "more2", "db1"])
        self.assertEqual(["db1", "more1", "more2"], [thing.name for thing in found])
        self.assertEqual(1, len(problems))
        self.assertEqual(1, len(self.fake.log.to_trove()))

    def test_a_list_that_was_read_is_not_read_again(self):
        backup = self.fake.add_backup("b1", self.db1)
        listed = [find.backup(self.cloud, "b1")]
        self.fake.log.clear()
        finder = find.backups(self.cloud, listed=listed)
        self.assertEqual(backup.id, finder.find("b1").id)
        self.assertEqual(backup.id, finder.find(backup.id).id)
        self.assertEqual([], self.fake.log.to_trove())

    def test_an_id_takes_precedence_over_an_equal_name(self):
        decoy = self.fake.add_instance(self.db1.id)
        for finder in (
            find.instances(self.cloud),
            find.instances(
                self.cloud,
                listed=[
                    find.instance(self.cloud, decoy.id),
                    find.instance(self.cloud, self.db1.id),
                ],
            ),
        ):
            self.assertEqual("db1", finder.find(self.db1.id).name)

    def test_a_name_may_look_like_an_id(self):
        named = self.fake.add_instance(UNKNOWN)
        self.assertEqual(named.id, find.instance(self.cloud, UNKNOWN).id)
        group = self.fake.add_configuration(UNKNOWN)
        self.assertEqual(group.id, find.configuration_group(self.cloud, UNKNOWN).id)

    def test_several_of_a_name_are_listed_with_what_distinguishes_them(self):
        twin = self.fake.add_instance("db1")
        error = self.assertRaises(AmbiguousNameError, find.instance, self.cloud, "db1")
        self.assertEqual({self.db1.id, twin.id}, set(error.candidates))
        for shown in (self.db1.id, twin.id, "ACTIVE/HEALTHY, created 20"):
            self.assertIn(shown, str(error))
        self.assertEqual(1, len(str(error).splitlines()))

    def test_backups_of_a_name_are_listed_with_their_instance(self):
        for _ in range(2):
            self.fake.add_backup("b1", self.db1)
        error = self.assertRaises(AmbiguousNameError, find.backup, self.cloud, "b1")
        self.assertEqual(2, str(error).count(f"of instance {self.db1.id}"))
        self.assertEqual(2, str(error).count("COMPLETED, created 20"))

    def test_groups_of_a_name_are_listed_with_their_version(self):
        for _ in range(2):
            self.fake.add_configuration("tuned")
        error = self.assertRaises(
            AmbiguousNameError, find.configuration_group, self.cloud, "tuned"
        )
        self.assertEqual(2, str(error).count("mysql 5.7.29, created 20"))

    def test_a_deleted_instance_has_no_name(self):
        self.db1.deleted = True
        error = self.assertRaises(NotFoundError, find.instance, self.cloud, "db1")
        self.assertEqual("No instance with a name or ID of 'db1' exists.", str(error))

    def test_a_flavor_is_found_by_an_id_that_is_no_uuid(self):
        finder = find.flavors(catalog.list_flavors(self.cloud))
        flavor = finder.find("10")
        self.assertEqual(flavor, finder.find(flavor.name))

    def test_an_id_for_the_stock_command_is_passed_on_without_a_request(self):
        self.fake.log.clear()
        ids, problems = find.instances(self.cloud).ids_of([UNKNOWN, UNKNOWN])
        self.assertEqual(([UNKNOWN], []), (ids, problems))
        self.assertEqual([], self.fake.log.to_trove())
