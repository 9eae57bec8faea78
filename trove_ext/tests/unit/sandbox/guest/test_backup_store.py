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

"""Chains of objects, and parts of a file; functional/test_object_store has the rest."""

import hashlib
import io

import testtools
from swiftclient.exceptions import ClientException

from trove_ext.sandbox.guest import backup_store

URL = "http://127.0.0.1:1/v1/AUTH_x/database_backups"


class Objects:
    """A connection that has headers alone."""

    def __init__(self):
        self.headers = {}

    def head_object(self, container, name):
        found = self.headers.get((container, name))
        if found is None:
            raise ClientException("Object HEAD failed", http_status=404)
        return found


class ChainTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.swift = Objects()
        self.store = backup_store.BackupStore(self.swift)

    def put(self, backup_id, parent=None):
        headers = {
            "etag": f'"md5 of {backup_id}"',
            "content-length": "3",
            "content-type": "application/octet-stream",
            "x-object-meta-lsn": "1",
        }
        if parent:
            headers["x-object-meta-parent-location"] = parent.location
            headers["x-object-meta-parent-checksum"] = parent.checksum
        name = f"{backup_id}.xbstream"
        self.swift.headers["database_backups", name] = headers
        return self.store.find(f"{URL}/{name}", f"md5 of {backup_id}")

    def test_what_an_incremental_needs_of_its_parent_is_in_the_metadata(self):
        stored = self.put("b1", self.put("b0"))
        self.assertEqual({"lsn": "1"}, stored.metadata)
        self.assertEqual(("md5 of b1", 3), (stored.checksum, stored.size))
        self.assertEqual(f"{URL}/b0.xbstream", stored.parent_location)

    def test_a_parent_without_a_location_is_missing(self):
        error = self.assertRaises(
            backup_store.BackupMissingError, self.store.find, "", None
        )
        self.assertIn("No backup object ''", str(error))

    def test_a_chain_starts_at_the_full_backup(self):
        full = self.put("b0")
        first = self.put("b1", full)
        second = self.put("b2", first)
        self.put("b3", full)
        found = self.store.chain(second.location, second.checksum)
        self.assertEqual([full, first, second], found)

    def test_a_chain_without_its_full_backup_can_not_be_restored(self):
        first = self.put("b1", self.put("b0"))
        del self.swift.headers["database_backups", "b0.xbstream"]
        self.refused(first, "b0.xbstream")

    def test_a_parent_that_is_another_backup_now_is_refused(self):
        first = self.put("b1", self.put("b0"))
        self.swift.headers["database_backups", "b0.xbstream"]["etag"] = '"other"'
        self.refused(first, "has checksum other")

    def test_an_object_that_is_not_what_trove_has_noted_is_refused(self):
        stored = self.put("b0")
        error = self.assertRaises(
            backup_store.BackupMissingError, self.store.chain, stored.location, "other"
        )
        self.assertIn("other was expected", str(error))

    def refused(self, stored, text):
        error = self.assertRaises(
            backup_store.BackupMissingError,
            self.store.chain,
            stored.location,
            stored.checksum,
        )
        self.assertIn(text, str(error))


class SegmentTest(testtools.TestCase):
    def segment(self, size, is_allowed=lambda: None):
        return backup_store._Segment(io.BytesIO(b"abcdef"), 2, size, is_allowed)

    def test_it_ends_after_its_size(self):
        segment = self.segment(3)
        self.assertEqual([b"cd", b"e", b""], [segment.read(2) for _ in range(3)])
        self.assertEqual(hashlib.md5(b"cde").hexdigest(), segment.checksum)

    def test_another_attempt_starts_at_its_beginning(self):
        segment = self.segment(4)
        segment.read(3)
        segment.reset()
        self.assertEqual(b"cdef", segment.read(9))
        self.assertEqual(hashlib.md5(b"cdef").hexdigest(), segment.checksum)

    def test_nothing_is_read_on_a_host_without_power(self):
        def check():
            raise RuntimeError("off")

        self.assertRaises(RuntimeError, self.segment(3, check).read)
