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

"""A PostgreSQL's files and signals, without a server."""

import os
import signal
import subprocess
from pathlib import Path
from unittest import mock

import fixtures
import testtools

from trove_ext.sandbox.guest import engine
from trove_ext.sandbox.guest.postgresql import config, server


class ServerTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        state = Path(self.useFixture(fixtures.TempDir()).path)
        layout = config.Layout(state / "instances" / "an-id")
        layout.pgdata.mkdir(parents=True)
        self.db = server.Postgres(layout, "127.77.80.10", 1024)
        self.db.configure()

    def test_an_override_keeps_what_a_later_one_does_not_name(self):
        self.db.write_override(engine.USER, {"work_mem": 4096, "autovacuum": True})
        self.db.write_override(engine.USER, {"work_mem": 8192})
        found = self.db.override(engine.USER)
        self.assertEqual({"work_mem": "8192", "autovacuum": True}, found)

    def test_a_removed_override_is_gone(self):
        self.db.write_override(engine.USER, {"work_mem": 4096})
        self.db.remove_override(engine.USER)
        self.assertEqual({}, self.db.override(engine.USER))

    def test_a_groups_path_names_this_volume(self):
        path = "/var/lib/postgresql/data/x"
        self.db.write_override(engine.USER, {"log_directory": path})
        found = self.db.override(engine.USER)["log_directory"]
        self.assertEqual(str(self.db.layout.data / "x"), found)

    def test_a_paused_server_counts_as_healthy_and_is_not_asked(self):
        child = subprocess.Popen(["sleep", "60"])
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        self.db.sql = mock.Mock(spec=["is_ready"])
        with mock.patch.object(self.db, "pid", return_value=child.pid):
            self.db.pause()
            os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
            self.assertEqual(engine.State.ANSWERS, self.db.state())
            self.db.sql.is_ready.assert_not_called()
            self.db.resume()
            os.waitid(os.P_PID, child.pid, os.WCONTINUED | os.WNOWAIT)
            self.db.state()
        self.db.sql.is_ready.assert_called_once_with()

    def test_it_is_stopped_by_the_signal_that_does_not_wait_for_clients(self):
        with (
            mock.patch.object(self.db, "pid", side_effect=[7, 7, None, None]),
            mock.patch("os.kill") as kill,
        ):
            self.db.stop()
        kill.assert_called_once_with(7, signal.SIGINT)

    def test_another_process_of_its_number_is_not_taken_for_it(self):
        self.db.layout.pid_file.write_text(f"{os.getpid()}\n")
        self.assertIsNone(self.db.pid())
        self.assertIs(engine.State.DEAD, self.db.state())

    def test_a_file_that_names_another_process_does_not_keep_it_from_starting(self):
        self.db.layout.pid_file.write_text(f"{os.getpid()}\n")
        self.db._forget_stranger()
        self.assertFalse(self.db.layout.pid_file.exists())

    def test_a_file_of_a_dead_server_is_left_to_postgresql(self):
        # It also looks for children that are left of that server.
        self.db.layout.pid_file.write_text("999999999\n")
        self.db._forget_stranger()
        self.assertTrue(self.db.layout.pid_file.exists())

    def test_nothing_starts_on_a_host_without_power(self):
        self.db.powered = False
        self.assertRaises(engine.DatabaseError, self.db.start)

    def test_a_server_without_a_socket_is_not_ready(self):
        self.assertFalse(self.db.sql.is_ready())

    def test_its_shared_memory_is_known_by_its_file(self):
        self.db.layout.pid_file.write_text(
            "7\n/d\n1\n5432\n/s\n*\n   5432001    65538\n"
        )
        self.assertEqual("65538", config.shared_memory_id(self.db.layout))
