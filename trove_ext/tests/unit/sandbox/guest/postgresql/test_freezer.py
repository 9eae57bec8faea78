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

"""Which steps surround a snapshot of a PostgreSQL's volume, without a server."""

from unittest import mock

import testtools

from trove_ext.sandbox.guest.postgresql import freezer, server, sql


class FreezerTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.done = []
        self.db = mock.MagicMock(spec=server.Postgres)
        self.db.address = "127.77.80.10"
        self.db.sql = mock.MagicMock(spec=sql.Sql)
        self.db.sql.value.return_value = False
        self.db.sql.query.side_effect = self.done.append
        self.db.pause.side_effect = lambda: self.done.append("pause")
        self.db.resume.side_effect = lambda: self.done.append("resume")
        patch = mock.patch.object(sql, "rows", side_effect=self.note)
        self.rows = patch.start()
        self.addCleanup(patch.stop)
        self.freezer = freezer.Freezer(self.db)

    def note(self, _connection, statement):
        self.done.append(statement)

    def test_the_server_is_paused_inside_of_a_backup(self):
        self.freezer.freeze()
        self.freezer.thaw()
        start = "SELECT pg_backup_start('snapshot backup', true)"
        stop = "SELECT pg_backup_stop(true)"
        self.assertEqual([start, "pause", "resume", stop], self.done)

    def test_a_replica_only_makes_a_checkpoint(self):
        self.db.sql.value.return_value = True
        self.freezer.freeze()
        self.freezer.thaw()
        self.assertEqual(["CHECKPOINT", "pause", "resume"], self.done)

    def test_its_connection_is_closed_even_if_the_backup_can_not_be_ended(self):
        self.freezer.freeze()
        self.rows.side_effect = sql.Error("the archiver failed")
        with self.assertLogs(freezer.__name__):
            self.freezer.thaw()
        leave = self.db.sql.connection.return_value.__exit__
        leave.assert_called_once()
