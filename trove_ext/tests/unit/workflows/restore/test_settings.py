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

"""The settings of a restored instance."""

from trove_ext.follow_up import Setting
from trove_ext.tests.unit.workflows.restores import RestoreTestCase
from trove_ext.workflows.new_instance import Nic

NETWORK = "11111111-2222-4333-8444-555555555555"


class TestSettings(RestoreTestCase):
    def test_they_are_the_sources(self):
        source = self.fake.add_instance(
            "db2",
            volume=7,
            flavor="11",
            access={"is_public": True, "allowed_cidrs": ["10.0.0.0/8"]},
        )
        group = self.group("tuned", self.version("5.7.29"))
        source.configuration_id = group.id
        self.add("b1", instance=source)
        arguments = self.plan().arguments()
        self.assertEqual("11", arguments["flavor_id"])
        self.assertEqual({"size": 7}, arguments["volume"])
        self.assertEqual([{"network_id": source.network_id}], arguments["nics"])
        self.assertEqual(group.id, arguments["configuration"])
        self.assertEqual(
            {"is_public": True, "allowed_cidrs": ["10.0.0.0/8"]}, arguments["access"]
        )

    def test_datastore_and_version_are_the_backups(self):
        newer = self.version("5.7.40")
        self.add("b1")
        self.db1.version_id = newer.id
        arguments = self.plan().arguments()
        self.assertEqual("mysql", arguments["datastore"])
        self.assertEqual(self.version("5.7.29").id, arguments["datastore_version"])

    def test_options_take_precedence_over_the_source(self):
        self.add("b1")
        nic = Nic(network_id=NETWORK)
        arguments = self.plan(
            flavor="db.large",
            size=9,
            nic=nic,
            volume_type="fast",
            availability_zone="az2",
            is_public=True,
            allowed_cidrs=("10.1.0.0/16",),
        ).arguments()
        self.assertEqual("a1b2c3d4-0000-4000-8000-00000000000c", arguments["flavor_id"])
        self.assertEqual({"size": 9, "type": "fast"}, arguments["volume"])
        self.assertEqual([{"network_id": NETWORK}], arguments["nics"])
        self.assertEqual("az2", arguments["availability_zone"])
        self.assertEqual(
            {"is_public": True, "allowed_cidrs": ["10.1.0.0/16"]}, arguments["access"]
        )

    def test_like_takes_them_from_another_instance(self):
        self.add("b1")
        self.db1.deleted = True
        self.fake.add_instance("other", volume=8, flavor="11")
        plan = self.plan(like="other")
        self.assertEqual(8, plan.settings.size)
        self.assertEqual("11", plan.settings.flavor_id)
        self.assertEqual("other", plan.settings.origin.name)

    def test_all_settings_that_a_deleted_source_leaves_open_are_named_together(self):
        self.add("b1", size=3.2)
        self.db1.deleted = True
        text = self.problem()
        for part in (
            f"its instance {self.db1.id} is gone",
            "at least 4 GB",
            "To take them from another instance, add: --like <instance>\n",
            "Or, to specify them, add: --flavor <flavor> --size <GB> --nic net-id=<",
            "--configuration <group> (or --no-configuration)",
        ):
            self.assertIn(part, text)

    def test_if_all_of_them_are_given_a_deleted_source_is_no_problem(self):
        self.add("b1")
        self.db1.deleted = True
        plan = self.plan(
            flavor="10", size=5, nic=Nic(network_id=NETWORK), no_configuration=True
        )
        self.assertIsNone(plan.settings.origin)
        self.assertFalse(plan.settings.is_public)

    def test_defaults_of_the_cloud_are_reported(self):
        self.add("b1")
        (note,) = self.plan().notes
        self.assertNotIn("--", note.text)
        (choose,) = note.follow_ups
        self.assertEqual(
            (Setting.VOLUME_TYPE, Setting.AVAILABILITY_ZONE), choose.settings
        )

    def test_a_group_of_an_upgraded_source_is_not_copied_silently(self):
        newer = self.version("5.7.40")
        self.add("b1")
        self.db1.version_id = newer.id
        self.db1.configuration_id = self.group("tuned", newer).id
        self.assertIn("--no-configuration", self.problem())
        self.assertIsNone(self.plan(throwaway=True).settings.configuration_id)

    def test_a_group_is_found_by_name_and_must_be_of_the_version(self):
        self.add("b1")
        good = self.group("good", self.version("5.7.29"))
        self.group("bad", self.version("10.11"))
        plan = self.plan(configuration="good")
        self.assertEqual(good.id, plan.settings.configuration_id)
        self.assertIn("is for mariadb 10.11", self.problem(configuration="bad"))
        self.assertIn("name or ID of 'nobody'", self.problem(configuration="nobody"))
