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

import json
import os
import socket
import stat
import tempfile
from pathlib import Path

import fixtures
import testtools

from trove_ext.sandbox import state
from trove_ext.sandbox.state import ForeignDirectoryError, SandboxError, StateDir


class TestStateDir(testtools.TestCase):
    def setUp(self):
        super().setUp()
        # Private files are private whatever the umask.
        self.addCleanup(os.umask, os.umask(0o022))
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.where = StateDir(Path(directory.name) / "sandbox")

    def _chosen(self):
        return state.choose("10.11", 600, 50)

    def test_settings_are_read_as_they_were_saved(self):
        self.where.make()
        settings = self._chosen()
        self.where.save(settings)
        self.assertEqual(settings, self.where.settings())

    def test_only_the_owner_may_read(self):
        self.where.make()
        self.where.save(self._chosen())
        mode = stat.S_IMODE((self.where.root / "settings.json").stat().st_mode)
        self.assertEqual(0o600, mode)
        self.assertEqual(0o700, stat.S_IMODE(self.where.root.stat().st_mode))

    def test_a_directory_without_a_sandbox_is_reported_with_what_creates_one(self):
        error = self.assertRaises(SandboxError, self.where.settings)
        self.assertIn("trove-sandbox up", str(error))

    def test_an_empty_or_missing_directory_is_fine(self):
        self.where.check()
        self.where.root.mkdir()
        self.where.check()

    def test_a_directory_of_something_else_is_refused(self):
        self.where.root.mkdir()
        (self.where.root / "thesis.tex").write_text("")
        self.assertRaises(ForeignDirectoryError, self.where.check)

    def test_a_directory_with_blanks_is_refused_before_anything_is_made(self):
        where = StateDir(self.where.root / "my documents")
        error = self.assertRaises(SandboxError, where.check)
        self.assertIn("--dir", str(error))

    def test_a_file_is_no_directory(self):
        self.where.root.write_text("")
        self.assertRaises(ForeignDirectoryError, self.where.check)

    def test_settings_of_another_layout_are_stale(self):
        self.where.make()
        self.where.save(self._chosen())
        path = self.where.root / "settings.json"
        values = json.loads(path.read_text()) | {"layout": state.LAYOUT + 1}
        path.write_text(json.dumps(values))
        error = self.assertRaises(ForeignDirectoryError, self.where.check)
        self.assertIn("reset", str(error))

    def test_damaged_settings_are_stale_and_no_traceback(self):
        self.where.make()
        for text in ("{", "[]", "{}", '"x"'):
            (self.where.root / "settings.json").write_text(text)
            self.assertRaises(ForeignDirectoryError, self.where.settings)

    def test_a_second_command_is_refused_while_one_is_in_progress(self):
        with self.where.lock():
            self.assertRaises(SandboxError, self.where.lock().__enter__)
        with self.where.lock():
            pass

    def test_two_sandboxes_never_share_a_password_or_port(self):
        one, other = self._chosen(), self._chosen()
        self.assertNotEqual(one.admin_password, other.admin_password)
        self.assertNotEqual(one.keystone_port, one.trove_port)
        self.assertEqual(
            4,
            len(
                {
                    one.admin_password,
                    one.user_password,
                    one.service_password,
                    one.database_password,
                }
            ),
        )


class TestPlaces(testtools.TestCase):
    def test_the_default_follows_xdg(self):
        self.useFixture(fixtures.EnvironmentVariable("XDG_STATE_HOME", "/x"))
        self.assertEqual(Path("/x/trove-ext/sandbox"), state.default_root())

    def test_the_default_without_xdg_is_under_home(self):
        self.useFixture(fixtures.EnvironmentVariable("XDG_STATE_HOME", None))
        self.useFixture(fixtures.EnvironmentVariable("HOME", "/h"))
        expected = Path("/h/.local/state/trove-ext/sandbox")
        self.assertEqual(expected, state.default_root())

    def test_a_port_in_use_is_not_free(self):
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            port = server.getsockname()[1]
            self.assertFalse(state.is_free("127.0.0.1", port))
        self.assertTrue(state.is_free("127.0.0.1", port))

    def test_everything_is_on_loopback(self):
        chosen = state.choose("10.11", 1, 1)
        self.assertTrue(chosen.database_address.startswith("127.77."))
        self.assertTrue(chosen.auth_url.startswith("http://127.0.0.1:"))
        self.assertTrue(chosen.database_url.startswith("http://127.0.0.1:"))
