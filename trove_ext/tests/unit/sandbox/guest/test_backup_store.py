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

"""Backups as objects."""

from pathlib import Path

import fixtures
import testtools

from trove_ext.sandbox.guest import backup_store

URL = "http://127.0.0.1:1/v1/AUTH_x/database_backups"


class StoreTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.root = Path(self.useFixture(fixtures.TempDir()).path)
        (self.root / "backups").mkdir()
        self.store = backup_store.BackupStore(self.root)

    def put(self, backup_id, parent=None):
        stored = backup_store.BackupObject(
            location=f"{URL}/{backup_id}.xbstream",
            checksum=f"md5 of {backup_id}",
            size=3,
            metadata={"lsn": "1"},
            parent_location=parent.location if parent else None,
            parent_checksum=parent.checksum if parent else None,
        )
        self.store.archive(stored.location).write_bytes(b"abc")
        self.store.save(stored)
        return stored

    def test_an_object_is_found_by_its_url_and_by_the_last_part_of_it(self):
        stored = self.put("b0")
        self.assertEqual(stored, self.store.find(stored.location))
        self.assertEqual(stored, self.store.find("b0.xbstream"))

    def test_an_object_whose_archive_is_gone_is_missing(self):
        stored = self.put("b0")
        self.store.archive(stored.location).unlink()
        self.assertRaises(
            backup_store.BackupMissingError, self.store.find, stored.location
        )

    def test_a_half_written_object_is_missing(self):
        self.store.archive("b0.xbstream").write_bytes(b"ab")
        self.assertRaises(
            backup_store.BackupMissingError, self.store.find, "b0.xbstream"
        )

    def test_a_deleted_object_leaves_no_files(self):
        stored = self.put("b0")
        self.store.delete(stored.location)
        self.assertEqual([], list((self.root / "backups").iterdir()))

    def test_a_chain_starts_at_the_full_backup(self):
        full = self.put("b0")
        first = self.put("b1", full)
        second = self.put("b2", first)
        self.put("b3", full)
        self.assertEqual([full, first, second], self.store.chain(second.location))

    def test_a_chain_without_its_full_backup_can_not_be_restored(self):
        full = self.put("b0")
        first = self.put("b1", full)
        self.store.delete(full.location)
        error = self.assertRaises(
            backup_store.BackupMissingError, self.store.chain, first.location
        )
        self.assertIn("b0.xbstream", str(error))

    def test_a_parent_that_is_another_backup_now_is_refused(self):
        full = self.put("b0")
        first = self.put("b1", full)
        self.store.save(backup_store.BackupObject(full.location, "other", 3, "1"))
        self.assertRaises(
            backup_store.BackupMissingError, self.store.chain, first.location
        )
