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

"""The processes of a sandbox: started, found again, ended."""

import signal
import sys
from unittest import mock

from trove_ext.sandbox import (
    supervise,
)
from trove_ext.sandbox.state import SandboxError
from trove_ext.tests.unit.sandbox.base import FilesTestCase


class TestProcesses(FilesTestCase):
    def _sleeper(self):
        # Its command line names the state directory, as those of the sandbox do.
        code = f"import time; time.sleep(60)  # {self.where.root}/"
        made = supervise.start(self.where, "sleeper", [sys.executable, "-c", code])
        self.addCleanup(supervise.end, [made], 1)
        return made

    def test_a_started_process_is_found_again(self):
        made = self._sleeper()
        self.assertEqual(made, supervise.find(self.where, "sleeper"))

    def test_an_ended_process_is_gone(self):
        made = self._sleeper()
        supervise.end([made], 5)
        self.assertIsNone(supervise.find(self.where, "sleeper"))

    def test_another_process_with_the_same_id_is_not_confused_with_it(self):
        made = self._sleeper()
        older = supervise.Process(made.name, made.pid, made.started - 1)
        self.assertFalse(supervise.is_alive(older))

    def test_a_process_that_ends_early_is_an_error_with_its_output(self):
        code = "import sys; sys.exit('no such disk')"
        made = supervise.start(self.where, "early", [sys.executable, "-c", code])
        error = self.assertRaises(
            SandboxError, supervise.wait, made, lambda: False, 20, self.where
        )
        self.assertIn("no such disk", str(error))

    def test_one_that_never_responds_is_an_error(self):
        made = self._sleeper()
        error = self.assertRaises(
            SandboxError, supervise.wait, made, lambda: False, 0.2, self.where
        )
        self.assertIn("didn't answer", str(error))

    def test_only_programs_of_the_sandbox_count_as_its_own(self):
        self._sleeper()
        self.assertEqual([], supervise.programs_of(self.where))

    def test_a_database_whose_pid_file_is_lost_is_found(self):
        command = ["/usr/sbin/mariadbd", f"--defaults-file={self.where.root}/my.cnf"]
        with mock.patch.object(supervise, "_PROC", self._proc(command)):
            found = supervise.programs_of(self.where)
        self.assertEqual(["mariadbd"], [process.name for process in found])

    def test_a_postgresql_is_ended_by_the_signal_that_does_not_wait_for_clients(self):
        server = supervise.Process("postgres", 7, 1)
        other = supervise.Process("mariadbd", 8, 1)
        with (
            mock.patch.object(
                supervise, "is_alive", side_effect=[True, True, False, False]
            ),
            mock.patch("os.kill") as kill,
        ):
            supervise.end([server, other], 1)
        self.assertEqual(
            [mock.call(7, signal.SIGINT), mock.call(8, signal.SIGTERM)],
            kill.call_args_list,
        )

    def test_a_postgresql_whose_pid_file_is_lost_is_found(self):
        config = f"config_file={self.where.root}/instances/x/postgresql.conf"
        command = ["/usr/lib/postgresql/15/bin/postgres", "-c", config]
        with mock.patch.object(supervise, "_PROC", self._proc(command)):
            found = supervise.programs_of(self.where)
        self.assertEqual(["postgres"], [process.name for process in found])

    def _proc(self, command):
        proc = self.where.root / "proc"
        entry = proc / "4242"
        entry.mkdir(parents=True)
        (entry / "cmdline").write_text("\0".join(command) + "\0")
        (entry / "stat").write_text("4242 (maria) db) S " + "7 " * 30)
        return proc
