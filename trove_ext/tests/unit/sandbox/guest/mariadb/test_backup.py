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

"""What is read from mariadb-backup's output."""

import testtools

from trove_ext.sandbox.guest.mariadb import backup


class WordsTest(testtools.TestCase):
    def test_the_last_lsn_of_a_backup_is_read_from_its_output(self):
        words = (
            "[00] mariabackup: The latest check point (for incremental): '1685021'\n"
            "[00] completed OK!\n"
        )
        self.assertEqual("1685021", backup.reached_lsn(words))

    def test_a_backup_without_a_last_lsn_has_failed(self):
        error = self.assertRaises(
            backup.BackupFailedError, backup.reached_lsn, "no such table\n"
        )
        self.assertIn("no such table", str(error))

    def test_the_gtid_position_is_the_third_field(self):
        self.assertEqual(
            "0-7-9,1-3-4", backup.gtid_position("bin.000002\t387\t0-7-9,1-3-4\n")
        )

    def test_a_source_without_transactions_has_no_position(self):
        self.assertEqual("", backup.gtid_position("bin.000001\t328\n"))
