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

"""The datastore version of a restored instance."""

from dataclasses import replace

from trove_ext.exceptions import CheckError
from trove_ext.tests.fake.state import DatastoreVersion
from trove_ext.tests.unit.workflows.restores import RestoreTestCase


class TestVersion(RestoreTestCase):
    def setUp(self):
        super().setUp()
        self.add("b1", 9)

    def offer(self, *names, datastore="mysql"):
        """Have versions of these names, beside that of the backup."""
        for name in names:
            key = self.fake.new_id()
            version = DatastoreVersion(key, name, name, datastore)
            self.fake.versions[key] = version

    def switch_off(self, name):
        """Do as an operator: plain users don't see the version any more."""
        version = self.version(name)
        self.fake.versions[version.id] = replace(version, active=False)

    def sent(self, **options):
        return self.plan(**options).arguments()["datastore_version"]

    def test_it_is_that_of_the_backup_unless_another_is_given(self):
        self.assertEqual(self.version("5.7.29").id, self.sent())

    def test_a_newer_minor_version_is_fine_and_said(self):
        version = self.version("5.7.40")
        for name in (version.name, version.id):
            self.assertEqual(version.id, self.sent(datastore_version=name))
        plan = self.plan(datastore_version="5.7.40")
        self.assertEqual((), plan.warnings)
        notes = "\n".join(note.text for note in plan.notes)
        self.assertIn("5.7.40 is a newer minor version than that of the backup", notes)

    def test_a_newer_major_version_is_a_warning(self):
        self.offer("8.0")
        plan = self.plan(datastore_version="8.0")
        self.assertIn("is a newer major version", plan.warnings[0])

    def test_an_older_one_is_refused_unless_forced(self):
        self.offer("5.6")
        text = self.problem(datastore_version="5.6")
        self.assertIn("5.6 is an older version than that of the backup", text)
        self.assertIn("--datastore-version 5.7.29", text)
        self.assertIn("--force-version", text)
        plan = self.plan(datastore_version="5.6", force_version=True)
        self.assertEqual(self.version("5.6").id, plan.arguments()["datastore_version"])
        self.assertIn("older", plan.warnings[0])

    def test_a_major_version_of_postgresql_is_refused_even_if_forced(self):
        database = self.fake.add_instance("pg", datastore="postgresql")
        self.add("b2", 3, instance=database)
        self.offer("16", "15.4", datastore="postgresql")
        wanted = {"datastore_version": "16", "force_version": True}
        text = self.problem("b2", **wanted)
        self.assertIn("can't read the files", text)
        self.assertIn("it can be restored into: 15, 15.4", text)
        self.assertNotIn("--force-version", text)

    def test_one_that_is_switched_off_names_the_others_and_how_to_use_one(self):
        self.offer("8.0", "5.6", "5.7.31")
        self.switch_off("5.7.29")
        text = self.problem()
        self.assertIn("can't be used any more; it can be restored into: ", text)
        self.assertIn("5.7.31, 5.7.40, 8.0 (a newer major version)", text)
        self.assertNotIn("5.6", text)
        self.assertIn("To restore it into 5.7.31, add: --datastore-version 5.7", text)
        self.assertEqual(
            self.version("5.7.31").id, self.sent(datastore_version="5.7.31")
        )

    def test_without_another_there_is_none(self):
        self.switch_off("5.7.40")
        self.switch_off("5.7.29")
        self.assertIn("it can be restored into: none", self.problem())

    def test_one_that_does_not_exist_names_those_that_do(self):
        text = self.problem(datastore_version="9")
        self.assertIn("mysql has no version 9 that can be used", text)
        self.assertIn("5.7.29, 5.7.40", text)

    def test_numbers_are_compared_and_not_names(self):
        old, new = self.version("5.7.29"), self.version("5.7.40")
        self.fake.versions[new.id] = replace(new, name="stable")
        self.fake.versions[old.id] = replace(old, name="legacy")
        notes = self.plan(datastore_version="stable").notes
        self.assertIn("newer minor version", notes[0].text)

    def test_a_group_of_the_old_version_is_not_attached(self):
        self.db1.configuration_id = self.group("g", self.version("5.7.29")).id
        text = self.problem(datastore_version="5.7.40")
        self.assertIn("the new instance is of 5.7.40", text)
        plan = self.plan(datastore_version="5.7.40", no_configuration=True)
        self.assertIsNone(plan.arguments()["configuration"])

    def test_a_verification_takes_it_too(self):
        plan = self.plan(throwaway=True, datastore_version="5.7.40")
        self.assertEqual("5.7.40", plan.settings.version.name)
        self.assertRaises(CheckError, self.plan, throwaway=True, datastore_version="9")
