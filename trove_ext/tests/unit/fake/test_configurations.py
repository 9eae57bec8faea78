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

"""Configuration groups of the fake, as far as a promote of PostgreSQL uses them."""

import json

from troveclient.apiclient import exceptions

from trove_ext.tests.fake.harness import make_client
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase

READ_ONLY = "default_transaction_read_only"


class TestConfigurations(ReplicaTestCase):
    def setUp(self):
        super().setUp()
        version = self.fake.datastores["postgresql"].default_version_id
        for member in self.members:
            member.version_id = version
        self.client = make_client(self.fake)
        self.group = self.client.configurations.create(
            "fence",
            json.dumps({READ_ONLY: True}),
            datastore="postgresql",
            datastore_version="15",
        )

    def attach(self):
        self.client.instances.update(self.db1.id, configuration=self.group.id)

    def statuses(self):
        return [self.fake.status(member) for member in self.members]

    def test_it_reaches_every_replica_that_has_none(self):
        other = self.fake.add_configuration("other", datastore="postgresql")
        self.db3.configuration_id = other.id
        self.attach()
        found = [bool(m.settings.get(READ_ONLY)) for m in self.members]
        self.assertEqual([True, True, False], found)

    def test_a_patch_ends_an_error_of_a_promote(self):
        self.attach()
        self.db2.has_password_file = False
        self.client.instances.promote_to_replica_source(self.db2.id)
        self.clock.sleep(60)
        self.assertEqual(["ERROR"] * 3, self.statuses())
        self.client.configurations.edit(self.group.id, json.dumps({READ_ONLY: False}))
        self.assertEqual(["ACTIVE"] * 3, self.statuses())
        self.assertTrue(self.fake.takes_writes(self.db1))

    def test_a_detach_of_values_needs_a_restart_and_one_of_none_does_not(self):
        self.attach()
        self.client.instances.update(self.db1.id, remove_configuration=True)
        self.assertEqual(["RESTART_REQUIRED"] * 3, self.statuses())
        self.assertTrue(self.db1.settings[READ_ONLY])
        self.client.instances.restart(self.db1.id)
        self.clock.sleep(30)
        self.assertEqual({}, self.db1.settings)

    def test_a_group_is_deleted_once_nobody_has_it(self):
        self.attach()
        self.assertRaises(
            exceptions.BadRequest, self.client.configurations.delete, self.group.id
        )
        self.client.configurations.edit(self.group.id, json.dumps({READ_ONLY: False}))
        self.client.configurations.update(self.group.id, "{}")
        self.client.instances.update(self.db1.id, remove_configuration=True)
        self.assertEqual(["ACTIVE"] * 3, self.statuses())
        self.client.configurations.delete(self.group.id)
        self.assertEqual({}, self.fake.configurations)

    def test_a_member_that_is_off_stops_a_change_of_the_group(self):
        self.attach()
        self.fake.host_off(self.db3)
        self.assertRaises(
            exceptions.BadRequest,
            self.client.configurations.edit,
            self.group.id,
            json.dumps({READ_ONLY: False}),
        )

    def test_an_eject_of_postgresql_ends_in_error(self):
        self.fake.host_off(self.db1)
        self.clock.sleep(100)
        self.client.instances.eject_replica_source(self.db1.id)
        self.clock.sleep(60)
        self.assertEqual(["ERROR"] * 3, self.statuses())
        self.assertIn("get_last_txn", self.db1.fault.message)
