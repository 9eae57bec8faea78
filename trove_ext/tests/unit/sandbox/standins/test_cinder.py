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
from pathlib import Path

import fixtures
import testtools
from cinderclient import exceptions

from trove_ext.sandbox import state
from trove_ext.sandbox.faults import Fault, Faults
from trove_ext.sandbox.standins import cinder, world
from trove_ext.sandbox.standins.store import Store


class VolumeSnapshotTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.root = Path(self.useFixture(fixtures.TempDir()).path)
        store = Store(self.root / "inventory")
        self.addCleanup(store.close)
        self.faults = Faults(self.root)
        world.enter(world.World(state.StateDir(self.root), 80, store, self.faults))
        self.client = cinder.client()
        self.volume = self.client.volumes.create(2, "trove-db1")
        self.data = self.root / "instances" / "db1" / "data"
        self.data.mkdir(parents=True)
        (self.data / "ibdata1").write_text("before")

    def take(self):
        snapshots = self.client.volume_snapshots
        return snapshots.create(self.volume.id, force=True, name="trove-b-backup")

    def test_a_volume_from_a_snapshot_has_the_data_of_that_time(self):
        snapshot = self.take()
        (self.data / "ibdata1").write_text("after")
        self.client.volumes.create(2, "trove-db2", snapshot_id=snapshot.id)
        copy = self.root / "instances" / "db2" / "data"
        self.assertEqual("before", (copy / "ibdata1").read_text())

    def test_a_snapshot_has_the_size_of_its_volume(self):
        snapshot = self.client.volume_snapshots.get(self.take().id)
        self.assertEqual((2, "available"), (snapshot.size, snapshot.status))

    def test_a_volume_smaller_than_its_snapshot_is_refused(self):
        snapshot = self.take()
        self.assertRaises(
            exceptions.BadRequest,
            self.client.volumes.create,
            1,
            "trove-db2",
            snapshot_id=snapshot.id,
        )
        self.assertFalse((self.root / "instances" / "db2").exists())

    def test_a_deleted_snapshot_is_gone_with_its_data(self):
        snapshot = self.take()
        self.client.volume_snapshots.delete(snapshot.id)
        get = self.client.volume_snapshots.get
        self.assertRaises(exceptions.NotFound, get, snapshot.id)
        self.assertEqual([], list((self.root / "snapshots").iterdir()))

    def test_a_fault_keeps_a_snapshot_that_is_to_be_deleted(self):
        snapshot = self.take()
        self.faults.set(Fault("backup-delete", "error", "the store is down"))
        delete = self.client.volume_snapshots.delete
        self.assertRaises(exceptions.ClientException, delete, snapshot.id)
        self.assertEqual(2, self.client.volume_snapshots.get(snapshot.id).size)

    def test_a_copy_that_fails_leaves_no_snapshot(self):
        (self.data / "ibdata1").unlink()
        self.data.rmdir()
        self.assertRaises(exceptions.ClientException, self.take)
        self.assertEqual([], list((self.root / "snapshots").iterdir()))
