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

"""A reader that ends: ``| head``, ``2>&1 | head``, a terminal that hangs up."""

import os
import signal
import subprocess
import sys

import testtools

from trove_ext.exceptions import Exit
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.sweep.scenarios import SCENARIOS
from trove_ext.tests.sweep.signals import prepared

#: `openstack` in a process of its own, with real pipes, over the fake cloud.
PROGRAM = """
import os, sys
from unittest import mock
import requests
from openstackclient import shell
from trove_ext.tests.fake import harness, transport
from trove_ext.tests.fuzz.values import make_cloud

cloud = make_cloud()
os.environ.update(harness.environment(cloud, os.curdir))
answers = transport.FakeTransport(cloud)
with (
    mock.patch.object(requests.Session, "get_adapter", return_value=answers),
    harness.virtual_time(cloud.clock),
):
    sys.exit(shell.main(sys.argv[1:]))
"""


@shows(Promise.SIGNALS)
class TestHead(testtools.TestCase):
    """With real pipes, because the interpreter may print an error at its end."""

    def start(self, line, **environment):
        # Without a buffer a broken pipe is an error at the first write, with one at the
        # end.
        inherited = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", PROGRAM, "database", *line.split()],
            env=inherited | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def test_head_gets_its_line_without_an_error(self):
        process = self.start("backup chain list --long")
        self.assertIn("+---", process.stdout.readline())
        process.stdout.close()
        self.assertEqual("", process.stderr.read())
        process.stderr.close()
        self.assertIn(process.wait(60), {Exit.OK, Exit.PIPE})

    def test_a_pipe_without_a_reader_is_no_traceback(self):
        for buffering in ({}, {"PYTHONUNBUFFERED": "1"}):
            process = self.start("backup chain list", **buffering)
            process.stdout.close()
            self.assertEqual("", process.stderr.read())
            process.stderr.close()
            self.assertEqual(Exit.PIPE, process.wait(60))

    def test_a_result_is_printed_if_nothing_reads_the_progress(self):
        process = self.start("backup wait inc2 -f value -c Status")
        process.stderr.close()
        self.assertEqual("COMPLETED\n", process.stdout.read())
        process.stdout.close()
        process.wait(60)


@shows(Promise.SIGNALS)
class TestClosed(testtools.TestCase):
    """``>&-``, ``2>&-`` and ``<&-``: a stream that does not exist."""

    def run_closed(self, line, closing):
        return subprocess.run(
            [
                *("/bin/sh", "-c", f'exec "$@" {closing}', "sh", sys.executable),
                *("-W", "ignore", "-c", PROGRAM, "database", *line.split()),
            ],
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    def test_the_job_is_done_without_output_streams(self):
        for closing in (">&-", "2>&-", "<&-", ">&- 2>&- <&-"):
            done = self.run_closed("backup create alone closed --wait", closing)
            self.assertEqual(0, done.returncode, f"{closing}: {done.stderr}")

    def test_a_result_is_printed_without_stderr(self):
        done = self.run_closed("backup wait inc2 -f value -c Status", "2>&-")
        self.assertEqual((0, "COMPLETED\n"), (done.returncode, done.stdout))

    def test_there_is_no_prompt_without_stdin(self):
        done = self.run_closed("backup chain delete full", "<&-")
        self.assertNotIn("isatty", done.stderr)
        done = self.run_closed("backup prune alone --keep-last 1", "<&-")
        self.assertEqual(2, done.returncode)


@shows(Promise.SIGNALS)
class TestNobodyReads(testtools.TestCase):
    """A job runs to its end, with or without a reader."""

    def run_all(self, **kwargs):
        for scenario in SCENARIOS:
            if scenario.answer:
                # A prompt that can't be read is not answered.
                continue
            cloud = prepared(scenario)
            result = scenario.run(cloud, **kwargs)
            self.assertNotIn("Traceback", result.stderr, scenario.name)
            yield scenario, cloud, result

    def test_every_workflow_ends_without_a_reader_of_stderr(self):
        for scenario, cloud, result in self.run_all(err_room=200):
            self.assertEqual(0, result.exit_code, scenario.name)
            self.assertTrue(scenario.done(cloud), scenario.name)

    def test_a_live_line_without_a_reader_ends_nothing(self):
        for scenario, cloud, result in self.run_all(err_room=200, tty=True):
            self.assertTrue(scenario.done(cloud), (scenario.name, result.exit_code))

    def test_no_workflow_has_a_traceback_for_a_closed_stdout(self):
        for scenario, _cloud, result in self.run_all(room=0):
            self.assertIn(result.exit_code, {Exit.OK, Exit.PIPE}, scenario.name)

    def test_verify_leaves_no_instance_when_the_terminal_hangs_up(self):
        (scenario,) = (
            scenario for scenario in SCENARIOS if scenario.name == "backup verify"
        )
        cloud = prepared(scenario)

        def hang_up(_seconds):
            if len(cloud.live_instances) == 5 and not hung_up:
                hung_up.append(True)
                signal.raise_signal(signal.SIGHUP)

        hung_up = []
        cloud.clock.before_sleep.append(hang_up)
        argv = ["database", *scenario.line.split()]
        result = run_openstack(argv, cloud, err_room=350)
        self.assertEqual([True], hung_up)
        self.assertEqual(129, result.exit_code)
        self.assertTrue(scenario.done(cloud))
