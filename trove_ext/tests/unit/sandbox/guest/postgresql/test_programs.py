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

"""Finding PostgreSQL's programs."""

from pathlib import Path
from unittest import mock

import fixtures
import testtools

from trove_ext.sandbox.guest.postgresql import programs


class ProgramsTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.forget()
        self.addCleanup(self.forget)

    def forget(self):
        programs.directory.cache_clear()
        programs.obstacle.cache_clear()

    def install(self, *versions):
        root = Path(self.useFixture(fixtures.TempDir()).path)
        for version in versions:
            (root / version / "bin").mkdir(parents=True)
            (root / version / "bin" / "initdb").touch()
        self.useFixture(fixtures.MonkeyPatch(f"{programs.__name__}._PLACES", root))
        return root

    def test_the_newest_version_is_taken_by_its_number(self):
        root = self.install("9", "15", "14")
        self.assertEqual(root / "15" / "bin", programs.directory())

    def test_elsewhere_than_on_debian_the_path_names_them(self):
        root = self.install("nothing")
        with mock.patch("shutil.which", return_value=str(root / "nothing/bin/initdb")):
            self.assertEqual(root / "nothing" / "bin", programs.directory())

    def test_without_a_server_it_says_what_is_missing_and_has_no_version(self):
        self.install()
        with mock.patch("shutil.which", return_value=None):
            self.assertIn("initdb was not found", programs.obstacle())
            self.assertIsNone(programs.version())

    def test_a_root_that_may_make_no_user_namespace_is_an_obstacle(self):
        error = programs.ProgramError("unshare ended with 1: Operation not permitted")
        with (
            mock.patch.object(programs, "find", return_value="/bin/true"),
            mock.patch.object(programs.programs, "run", side_effect=error),
        ):
            self.assertIn("Operation not permitted", programs.obstacle())

    def test_root_runs_them_as_another_user_and_a_user_as_himself(self):
        with mock.patch("os.geteuid", return_value=0):
            self.assertIn("--map-user=1000", programs.unprivileged())
        with mock.patch("os.geteuid", return_value=1000):
            self.assertEqual([], programs.unprivileged())
