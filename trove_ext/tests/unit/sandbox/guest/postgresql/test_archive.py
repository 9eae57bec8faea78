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

"""The WAL archive as Trove reads it: by names alone."""

from pathlib import Path

import fixtures
import testtools

from trove_ext.sandbox.guest.postgresql import archive

SEGMENTS = [f"0000000100000000{number:08X}" for number in range(1, 10)]
HISTORY = """\
START WAL LOCATION: 0/4000028 (file 000000010000000000000004)
STOP WAL LOCATION: 0/4000138 (file 000000010000000000000005)
CHECKPOINT LOCATION: 0/4000060
BACKUP METHOD: streamed
BACKUP FROM: primary
START TIME: 2026-11-25 15:00:00 UTC
LABEL: 79ae91ef-38e8-47e8-8985-4d68c7e217bb
START TIMELINE: 1
"""
MB = 2**20


class ArchiveTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.path = Path(self.useFixture(fixtures.TempDir()).path)
        self.archive = archive.Archive(self.path)

    def put(self, *names, text=""):
        for name in names:
            (self.path / name).write_text(text)

    def names(self):
        return sorted(path.name for path in self.path.iterdir())

    def test_an_empty_archive_has_no_backup(self):
        self.assertIsNone(self.archive.backup_file())

    def test_an_incremental_starts_at_the_last_but_one_backup_whatever_its_parent(self):
        self.put(*SEGMENTS)
        for number in (1, 4, 7):
            self.put(f"{SEGMENTS[number]}.00000028.backup")
        self.assertEqual(SEGMENTS[4:], self.archive.segments_since(1))

    def test_the_history_of_timelines_is_left_out(self):
        self.put(SEGMENTS[0], f"{SEGMENTS[0]}.00000028.backup", "00000002.history")
        self.assertEqual([SEGMENTS[0]], self.archive.segments_since(0))

    def test_a_server_with_one_backup_has_no_last_but_one(self):
        self.put(f"{SEGMENTS[0]}.00000028.backup")
        self.assertRaises(IndexError, self.archive.segments_since, 1)

    def test_a_history_file_that_is_just_written_is_taken_for_a_whole_one(self):
        self.put(f"{SEGMENTS[0]}.00000028.backup.tmp")
        self.assertEqual(
            f"{SEGMENTS[0]}.00000028.backup.tmp", self.archive.backup_file()
        )

    def test_a_parent_is_known_by_the_segment_that_it_stopped_in(self):
        self.put(f"{SEGMENTS[3]}.00000028.backup")
        self.assertTrue(self.archive.has_backup_that_stopped_in(SEGMENTS[3]))
        self.assertFalse(self.archive.has_backup_that_stopped_in(SEGMENTS[4]))

    def test_the_facts_of_a_backup_are_named_as_trove_names_them(self):
        self.put("x.backup", text=HISTORY)
        self.assertEqual(
            {
                "start-segment": "0/4000028",
                "start-wal-file": "000000010000000000000004",
                "stop-segment": "0/4000138",
                "stop-wal-file": "000000010000000000000005",
                "checkpoint-location": "0/4000060",
                "label": "79ae91ef-38e8-47e8-8985-4d68c7e217bb",
            },
            self.archive.facts("x.backup"),
        )

    def test_a_small_archive_is_left_alone(self):
        self.put(*SEGMENTS, text="x")
        self.archive.clean(MB, 1024 * MB)
        self.assertEqual(SEGMENTS, self.names())

    def test_of_a_large_archive_all_before_the_newest_backup_goes(self):
        self.put(*SEGMENTS, text="x" * 10)
        backup = f"{SEGMENTS[5]}.00000028.backup"
        self.put(backup)
        self.archive.clean(16, 1024)
        self.assertEqual(sorted([*SEGMENTS[5:], backup]), self.names())

    def test_if_that_is_not_enough_only_the_newest_file_stays(self):
        self.put(*SEGMENTS, f"{SEGMENTS[5]}.00000028.backup", text="x" * 10)
        self.archive.clean(2, 1024)
        self.assertEqual(SEGMENTS[-1:], self.names())

    def test_half_of_the_volume_is_too_much_whatever_max_wal_size_is(self):
        self.put(*SEGMENTS, text="x" * 10)
        self.archive.clean(MB, 100)
        self.assertEqual(SEGMENTS[-1:], self.names())


class SizeTest(testtools.TestCase):
    def test_a_size_of_the_server_is_read_in_bytes(self):
        self.assertEqual(2**30, archive.in_bytes("1GB"))
        self.assertEqual(80 * MB, archive.in_bytes("80MB"))
        self.assertEqual(512 * 1024, archive.in_bytes("512kB"))
