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

from trove_ext.tests.unit.fake.base import FakeTestCase


class TestDatabases(FakeTestCase):
    def setUp(self):
        super().setUp()
        self.db = self.cloud.add_instance("db1")

    def names(self, **kwargs):
        return [d.name for d in self.client.databases.list(self.db.id, **kwargs)]

    def test_can_be_made_listed_and_dropped(self):
        self.client.databases.create(self.db.id, [{"name": "a b"}, {"name": "cc"}])
        self.assertEqual(["a b", "cc"], self.names())
        self.client.databases.delete(self.db.id, "cc")
        self.assertEqual(["a b"], self.names())

    def test_second_of_a_name_is_400_and_a_missing_one_404(self):
        self.client.databases.create(self.db.id, [{"name": "cc"}])
        create = self.client.databases.create
        text = self.refused(400, create, self.db.id, [{"name": "cc"}])
        self.assertEqual('A database with the name "cc" already exists.', text)
        self.refused(404, self.client.databases.delete, self.db.id, "d")

    def test_come_in_pages_of_twenty(self):
        self.db.content.databases |= {f"d{n:02}" for n in range(30)}
        page = self.client.databases.list(self.db.id)
        self.assertEqual((20, "d19"), (len(page), page.next))
        self.assertEqual(10, len(self.names(marker=page.next)))

    def test_are_422_while_the_database_is_down(self):
        self.cloud.kill_database(self.db)
        text = self.refused(422, self.client.databases.list, self.db.id)
        self.assertEqual(f"Instance {self.db.id} is not ready, status: shutdown.", text)


class TestUsers(FakeTestCase):
    def setUp(self):
        super().setUp()
        self.db = self.cloud.add_instance("db1", databases=("shop",))
        self.client.users.create(
            self.db.id,
            [{"name": "bob", "password": "pa:ss", "databases": [{"name": "shop"}]}],
        )

    def test_password_arrives_whole_and_is_never_shown(self):
        self.assertEqual("pa:ss", self.db.content.users["bob", "%"].password)
        (row,) = self.client.users.list(self.db.id)
        self.assertEqual(("bob", "%"), (row.name, row.host))
        self.assertFalse(hasattr(row, "password"))

    def test_access_is_granted_and_revoked(self):
        self.client.users.grant(self.db.id, "bob", ["extra"])
        rows = self.client.users.list_access(self.db.id, "bob")
        self.assertEqual(["extra", "shop"], [d.name for d in rows])
        self.client.users.revoke(self.db.id, "bob", "shop")
        rows = self.client.users.list_access(self.db.id, "bob")
        self.assertEqual(["extra"], [d.name for d in rows])

    def test_user_with_a_host_is_another_one(self):
        self.client.users.create(
            self.db.id, [{"name": "bob", "host": "10.0.0.1", "password": "x"}]
        )
        self.client.users.delete(self.db.id, "bob", "10.0.0.1")
        self.assertEqual({("bob", "%")}, set(self.db.content.users))
        self.refused(404, self.client.users.get, self.db.id, "eve")

    def test_root_is_off_until_it_is_enabled(self):
        self.assertFalse(self.client.root.is_root_enabled(self.db.id).rootEnabled)
        name, password = self.client.root.create(self.db.id)
        self.assertEqual("root", name)
        self.assertTrue(password)
        self.assertTrue(self.client.root.is_root_enabled(self.db.id).rootEnabled)
