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

"""Where the backups of a rotation are stored."""

from unittest import mock

from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit import requires
from trove_ext.tests.unit.workflows.rotations import RotateTestCase
from trove_ext.workflows.backup.rotate_start import How


@shows(Promise.PARENT)
class TestStorageDriver(RotateTestCase):
    def driver(self):
        (post,) = self.requests("POST")
        return post.body["backup"].get("storage_driver")

    def test_none_is_named_if_all_are_in_swift_as_before_trove_23(self):
        self.add("full", 30)
        self.assertEqual("full", self.parent_of(self.one()))
        self.assertIsNone(self.driver())

    @requires.storage_drivers
    def test_an_incremental_on_a_volume_snapshot_is_one_too(self):
        self.add("full", 30)
        self.add("snapshot", 20, storage_driver="cinder")
        row = self.one()
        self.assertEqual((None, "cinder"), (row.error, row.backup.storage_driver))
        self.assertEqual(("snapshot", "cinder"), (self.parent_of(row), self.driver()))

    @requires.storage_drivers
    def test_an_incremental_in_swift_stays_there_whatever_the_default_is(self):
        self.fake.storage_strategy = "cinder"
        self.add("snapshot", 30, storage_driver="cinder")
        self.add("full", 20)
        row = self.one()
        self.assertEqual((None, "swift"), (row.error, row.backup.storage_driver))
        self.assertEqual(("full", "swift"), (self.parent_of(row), self.driver()))

    @requires.storage_drivers
    def test_builds_only_on_what_the_named_driver_has_stored(self):
        self.add("full", 30)
        self.add("snapshot", 20, storage_driver="cinder")
        row = self.one(storage_driver="swift")
        self.assertEqual((None, "full"), (row.error, self.parent_of(row)))
        self.assertEqual("swift", self.driver())

    @requires.storage_drivers
    def test_a_full_one_is_taken_if_the_named_driver_has_stored_none(self):
        self.add("snapshot", 20, storage_driver="cinder")
        row = self.one(storage_driver="swift")
        self.assertEqual((None, None), (row.error, self.parent_of(row)))
        self.assertEqual("swift", self.driver())

    @requires.storage_drivers
    def test_a_fresh_one_of_another_driver_is_not_this_runs(self):
        self.one(storage_driver="cinder")
        self.clock.sleep(600)
        self.assertEqual(How.PRESENT, self.one(storage_driver="cinder").how)
        self.assertEqual(How.MADE, self.one(storage_driver="swift").how)

    def test_a_client_that_can_not_name_a_driver_sends_no_other_request(self):
        self.add("snapshot", 20, storage_driver="cinder")
        cloud = self.make_cloud()
        old = mock.create_autospec(lambda _name, _instance: None)
        with mock.patch.object(cloud.client.backups, "create", old):
            row = self.one(cloud=cloud)
        self.assertIn("python-troveclient", str(row.error))
        self.assertEqual([], self.requests("POST"))
