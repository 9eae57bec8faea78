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

"""What the stand-ins store."""

from trove_ext.sandbox import (
    inventory,
)
from trove_ext.sandbox.standins.store import Store
from trove_ext.sandbox.state import SandboxError
from trove_ext.tests.unit.sandbox.base import FilesTestCase


class TestStore(FilesTestCase):
    def setUp(self):
        super().setUp()
        self.store = Store(self.where.inventory)
        self.addCleanup(self.store.close)

    def test_a_row_is_found_by_id_name_and_owner(self):
        row = {"id": "1", "name": "n"}
        self.store.put("port", row, "me")
        self.assertEqual(row, self.store.get("port", "1"))
        self.assertEqual([row], self.store.by_name("port", "n"))
        self.assertEqual([row], self.store.by_owner("port", "me"))
        self.assertIsNone(self.store.get("server", "1"))

    def test_what_was_put_survives_a_restart(self):
        self.store.put("port", {"id": "1"})
        again = Store(self.where.inventory)
        self.addCleanup(again.close)
        self.assertEqual([{"id": "1"}], again.all("port"))

    def test_a_row_is_replaced_and_deleted_by_its_id(self):
        self.store.put("port", {"id": "1", "x": 1})
        self.store.put("port", {"id": "1", "x": 2})
        self.assertEqual([{"id": "1", "x": 2}], self.store.all("port"))
        self.store.delete("port", "1")
        self.assertEqual([], self.store.all("port"))

    def test_an_instance_is_found_by_name_or_id(self):
        row = {"id": "s1", "name": "db", "instance_id": "i1"}
        self.store.put("server", row, "i1")
        for key in ("db", "i1"):
            self.assertEqual(row, inventory.find(self.where, key))
        self.assertIsNone(inventory.find(self.where, "other"))

    def test_two_of_one_name_are_distinguished_by_ids(self):
        for number in ("1", "2"):
            row = {"id": f"s{number}", "name": "db", "instance_id": f"i{number}"}
            self.store.put("server", row, f"i{number}")
        error = self.assertRaises(SandboxError, inventory.find, self.where, "db")
        self.assertIn("i1, i2", str(error))
