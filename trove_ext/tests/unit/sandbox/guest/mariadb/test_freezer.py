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
from unittest import mock

import fixtures
import testtools

from trove_ext.sandbox.guest.mariadb import config, freezer, server


class FreezerTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.db = mock.MagicMock(spec=server.MariaDB)
        self.db.layout = config.Layout(Path(self.useFixture(fixtures.TempDir()).path))
        self.db.layout.data.mkdir()
        self.session = self.db.session.return_value.__enter__.return_value
        self.session.query.side_effect = self.answer
        self.done = []
        self.db.pause.side_effect = lambda: self.done.append("pause")
        self.freezer = freezer.Freezer(self.db)

    def answer(self, sql):
        self.done.append(sql)
        if sql == "SHOW MASTER STATUS":
            return [{"File": "mariadb-bin.000002", "Position": 342}]
        return [{"p": "0-7-12"}]

    def test_writes_are_locked_before_the_process_is_paused(self):
        self.freezer.freeze()
        self.assertEqual("FLUSH TABLES WITH READ LOCK", self.done[0])
        self.assertEqual("pause", self.done[-1])

    def test_the_lock_is_kept_until_the_snapshot_is_taken(self):
        leave = self.db.session.return_value.__exit__
        self.freezer.freeze()
        leave.assert_not_called()
        self.freezer.thaw()
        leave.assert_called_once()
        self.db.resume.assert_called_once_with()

    def test_a_new_replica_finds_the_position_of_the_snapshot_and_no_older_one(self):
        data = self.db.layout.data
        (data / "mariadb_backup_binlog_info").write_text("an older one")
        position = self.freezer.freeze()
        self.assertEqual("0-7-12", position["log_executed_gtid_set"])
        self.assertEqual(["xtrabackup_binlog_info"], [x.name for x in data.iterdir()])
        text = (data / freezer.POSITION_FILE).read_text()
        self.assertEqual("mariadb-bin.000002\t342\t0-7-12", text)

    def test_a_freeze_that_fails_leaves_nothing_locked(self):
        self.db.pause.side_effect = OSError("no such process")
        self.assertRaises(OSError, self.freezer.freeze)
        self.db.resume.assert_called_once_with()
        self.db.session.return_value.__exit__.assert_called_once()
