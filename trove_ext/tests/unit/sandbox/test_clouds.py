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

import os
import shlex
import stat
import tempfile
from pathlib import Path

import testtools
import yaml

from trove_ext.sandbox import clouds, state
from trove_ext.sandbox.state import StateDir


class TestClouds(testtools.TestCase):
    def setUp(self):
        super().setUp()
        # Private files are private whatever the umask.
        self.addCleanup(os.umask, os.umask(0o022))
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.where = StateDir(Path(directory.name))
        self.settings = state.choose("10.11", 1, 1)
        clouds.write_first(self.where, self.settings)

    def test_there_are_an_admin_and_a_plain_cloud(self):
        found = clouds.read(self.where.clouds)
        self.assertEqual({"sandbox", "sandbox-admin"}, set(found))
        self.assertEqual("admin", found["sandbox-admin"]["auth"]["username"])
        self.assertEqual("sandbox", found["sandbox"]["auth"]["project_name"])

    def test_only_the_owner_may_read_the_passwords(self):
        mode = stat.S_IMODE(self.where.clouds.stat().st_mode)
        self.assertEqual(0o600, mode)

    def test_one_more_cloud_leaves_the_others(self):
        entry = clouds.cloud(self.settings, "p", "u", "pw")
        clouds.add(self.where.clouds, "more", entry)
        found = yaml.safe_load(self.where.clouds.read_text())["clouds"]
        self.assertEqual({"sandbox", "sandbox-admin", "more"}, set(found))
        self.assertEqual(entry, found["more"])

    def test_no_file_is_no_cloud(self):
        self.assertEqual({}, clouds.read(self.where.root / "none"))

    def test_a_shell_reads_the_lines_whatever_the_directory(self):
        where = StateDir(Path("/a b/$c"))
        words = shlex.split(clouds.exports(where))
        self.assertIn("OS_CLIENT_CONFIG_FILE=/a b/$c/clouds.yaml", words)

    def test_the_exports_are_two_lines(self):
        lines = clouds.exports(self.where).splitlines()
        expected = [
            f"export OS_CLIENT_CONFIG_FILE={self.where.clouds}",
            "export OS_CLOUD=sandbox",
        ]
        self.assertEqual(expected, lines)
