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

"""Running programs."""

from pathlib import Path

import fixtures
import testtools

from trove_ext.sandbox.guest import programs


class ProgramsTest(testtools.TestCase):
    def test_a_program_that_fails_is_reported_with_its_last_output(self):
        error = self.assertRaises(
            programs.ProgramError, programs.run, ["sh", "-c", "echo no space; exit 3"]
        )
        self.assertEqual("sh ended with 3: no space", str(error))

    def test_a_missing_program_is_named(self):
        error = self.assertRaises(
            programs.ProgramError, programs.find, "mariadb-nothing"
        )
        self.assertIn("mariadb-nothing", str(error))

    def test_nothing_runs_on_a_host_without_power(self):
        jobs = programs.Jobs()
        jobs.kill()
        log = Path(self.useFixture(fixtures.TempDir()).path) / "log"
        self.assertRaises(programs.ProgramError, jobs.run, ["true"], log)

    def test_the_output_of_a_job_is_returned_and_kept(self):
        log = Path(self.useFixture(fixtures.TempDir()).path) / "log"
        self.assertEqual("done\n", programs.Jobs().run(["echo", "done"], log))
        self.assertEqual("done\n", log.read_text())
