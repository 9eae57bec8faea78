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

"""Waiting on a real Trove: failures, and what the user reads then."""

import json
import os
import pty
import re
import signal
import subprocess
import time
from unittest import mock

import yaml

from trove_ext.tests.functional import running
from trove_ext.tests.functional.base import PROGRESS, FunctionalTestCase, Run
from trove_ext.tests.promises import Promise, shows

NIC = "net-id=908816f1-933c-4ff2-8595-f0f57c689e48"
CREATE = (
    "--flavor",
    "db.small",
    "--size",
    "1",
    "--datastore",
    "mysql",
    "--datastore-version",
    "5.7.29",
    "--nic",
    NIC,
    "--databases",
    "myDB",
    "--users",
    "dbusr:dbpassword",
)


def advised(stderr):
    """The commands that a message names."""
    found = re.findall(r"(?m)(?:^  |run: )openstack (database .*)$", stderr)
    return [line.split() for line in found]


@shows(Promise.WAIT, Promise.SIGNALS, Promise.INPUT)
class TestWaiting(FunctionalTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        subprocess.run(
            [
                running.PROGRAMS / "openstack",
                "database",
                "instance",
                "create",
                "db1",
                *CREATE,
                "--wait",
            ],
            env=cls.environment,
            check=True,
            capture_output=True,
        )

    def fault(self, point, instance_id, *argv):
        self.trove_sandbox("fault", "set", point, "--instance", instance_id, *argv)
        name = f"{point}@{instance_id}"
        self.addCleanup(self.trove_sandbox, "fault", "clear", name)

    def instance_id(self, name):
        return self.openstack_json("database", "instance", "show", name)["id"]

    def test_stdout_has_only_json_and_stderr_the_changes_of_state(self):
        run = self.run_openstack(
            "database", "backup", "create", "db1", "j1", "--wait", "-f", "json"
        )
        self.assertEqual("COMPLETED", json.loads(run.stdout)["status"])
        self.assertRegex(run.stderr, PROGRESS)

    def test_a_failed_backup_gives_the_reason(self):
        self.fault(
            "backup",
            self.instance_id("db1"),
            "--text",
            "the store is full",
            "--once",
        )
        shown = self.openstack(
            "database",
            "backup",
            "create",
            "db1",
            "f1",
            "--wait",
            "-f",
            "json",
            expect=1,
            stderr="the store is full",
        )
        self.assertEqual("FAILED", json.loads(shown)["status"])

    def test_a_wait_reports_that_the_database_is_down_and_ends_before_its_time_out(
        self,
    ):
        instance_id = self.instance_id("db1")
        self.trove_sandbox("fault", "kill-database", instance_id)
        # Until the agent's next report Trove shows HEALTHY, and a wait ends at once.
        self.until(instance_id, "SHUTDOWN")
        with mock.patch("trove_ext.trove.conditions.DOWN_AFTER", 60.0):
            run = self.run_openstack_here(
                "database", "instance", "wait", "db1", "--timeout", "900"
            )
        self.assertEqual(1, run.exit_code, str(run))
        self.assertIn("its database does not run", run.stderr)
        self.assertIn("has been down for 1 minutes", run.stderr)
        (command,) = re.findall(r"openstack (database instance restart .*)", run.stderr)
        started = self.run_openstack(*command.split())
        self.assertEqual(0, started.exit_code, str(started))

    def test_databases_that_the_guest_has_not_created_are_named(self):
        asked = [*CREATE[:-3], "shop,crm", "--users", "app:secret123"]
        run = self.run_openstack(
            "database", "instance", "create", "less", *asked, "--wait", "-f", "json"
        )
        self.assertEqual(1, run.exit_code, str(run))
        self.assertEqual("ACTIVE", json.loads(run.stdout)["status"])
        self.assertIn("missing: database 'shop,crm', user 'app'", run.stderr)
        self.openstack(
            "database", "instance", "delete", "less", "--wait", stderr=PROGRESS
        )

    def test_a_time_out_exits_124_and_prints_the_command_that_continues(self):
        name = "late"
        # The server of the instance takes longer than the time-out, however fast the
        # machine is.
        self.trove_sandbox(
            *("fault", "set", "create", "--instance", name),
            *("--sleep", "8", "--once"),
        )
        run = self.run_openstack(
            "database",
            "instance",
            "create",
            name,
            *CREATE,
            "--wait",
            "--timeout",
            "2",
            "-f",
            "json",
        )
        self.assertEqual(124, run.exit_code, str(run))
        self.assertEqual(name, json.loads(run.stdout)["name"])
        (command,) = advised(run.stderr)
        self.assertIn("ACTIVE/HEALTHY", self.openstack(*command, stderr=PROGRESS))
        self.openstack(
            "database", "instance", "delete", name, "--wait", stderr=PROGRESS
        )

    def test_ctrl_c_reports_that_the_operation_continues_and_how_to_wait_for_it(self):
        process = self.start_openstack(
            "database", "instance", "create", "stopped", *CREATE, "--wait"
        )
        line = process.stderr.readline()
        self.assertIn("BUILD", line)
        process.send_signal(signal.SIGINT)
        _out, err = process.communicate(timeout=60)
        self.assertEqual(130, process.returncode)
        self.assertNotIn("Traceback", err)
        (command,) = advised(err)
        self.openstack(*command, stderr=PROGRESS)
        self.openstack(
            "database", "instance", "delete", "stopped", "--wait", stderr=PROGRESS
        )

    def test_a_terminal_gets_a_live_line(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [
                running.PROGRAMS / "openstack",
                "database",
                "instance",
                "restart",
                "db1",
                "--wait",
            ],
            env=self.environment | {"TERM": "xterm"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=theirs,
        )
        os.close(theirs)
        shown = bytearray()
        while True:
            try:
                chunk = os.read(ours, 4096)
            except OSError:
                break
            if not chunk:
                break
            shown += chunk
        self.assertEqual(b"", process.communicate(timeout=60)[0])
        self.assertEqual(0, process.returncode)
        self.assertIn(b"\x1b[", shown)
        self.assertIn(b"db1", shown)

    def test_an_impossible_request_is_one_clear_line(self):
        for argv, text in (
            (("instance", "wait", "nobody"), "nobody"),
            (("instance", "restart", "nobody"), "nobody"),
            (("backup", "create", "nobody", "b"), "nobody"),
            (("backup", "wait", "nobody"), "nobody"),
        ):
            run = self.run_openstack("database", *argv)
            self.assertEqual(1, run.exit_code, str(run))
            self.assertEqual(1, len(run.stderr.splitlines()), str(run))
            self.assertIn(text, run.stderr)

    def test_a_wrong_password_is_clear(self):
        run = self.run_openstack(
            "--os-password", "wrong", "database", "instance", "wait", "db1"
        )
        self.assert_one_line(run, "401")

    def test_a_region_without_trove_is_clear(self):
        clouds = yaml.safe_load((self.sandbox / "clouds.yaml").read_text("utf-8"))
        auth = clouds["clouds"][self.cloud]["auth"]
        environment = {
            **self.environment,
            **{f"OS_{key.upper()}": str(value) for key, value in auth.items()},
            "OS_AUTH_TYPE": "password",
            "OS_REGION_NAME": "nowhere",
        }
        del environment["OS_CLOUD"]
        argv = ("database", "instance", "wait", "db1")
        done = subprocess.run(
            [running.PROGRAMS / "openstack", *argv],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        run = Run(argv, done.returncode, done.stdout, done.stderr)
        self.assert_one_line(run, "no database endpoint in region nowhere")

    def assert_one_line(self, run, text):
        self.assertEqual(1, run.exit_code, str(run))
        self.assertEqual(1, len(run.stderr.splitlines()), str(run))
        self.assertIn(text, run.stderr)

    def test_a_keystone_that_is_down_is_no_traceback(self):
        start = time.monotonic()
        run = self.run_openstack(
            "--os-auth-url",
            "http://127.0.0.1:9/v3",
            "database",
            "instance",
            "wait",
            "db1",
        )
        self.assertEqual(1, run.exit_code, str(run))
        self.assertIn("127.0.0.1:9", run.stderr)
        self.assertNotIn("Traceback", run.stderr)
        self.assertLess(time.monotonic() - start, 30)

    def test_a_name_on_page_three_and_a_name_of_two_instances(self):
        cloud = self.new_project()
        self.trove_sandbox(
            "seed", "--instances", "65", "--backups", "10", "--cloud", cloud
        )
        marker: list[str] = []
        for _ in range(3):
            page = self.openstack_json(
                "database", "instance", "list", *marker, cloud=cloud
            )
            marker = ["--marker", page[-1]["ID"]]
        name = page[-1]["Name"]
        shown = self.openstack(
            "database",
            "instance",
            "wait",
            name,
            "-f",
            "json",
            cloud=cloud,
            stderr=PROGRESS,
        )
        self.assertEqual(page[-1]["ID"], json.loads(shown)[0]["ID"])


@shows(Promise.WAIT, Promise.PROMOTE)
class TestPromoteThatFails(FunctionalTestCase):
    def test_it_reports_the_state_of_every_member(self):
        self.openstack(
            "database", "instance", "create", "src", *CREATE, "--wait", stderr=PROGRESS
        )
        self.openstack(
            "database",
            "instance",
            "create",
            "rep",
            "--replica-of",
            "src",
            "--nic",
            NIC,
            "--wait",
            stderr=PROGRESS,
        )
        replica = self.openstack_json("database", "instance", "show", "rep")["id"]
        self.trove_sandbox(
            "fault", "set", "promote-candidate", "--instance", replica, "--text", "lag"
        )
        name = f"promote-candidate@{replica}"
        self.addCleanup(self.trove_sandbox, "fault", "clear", name)
        run = self.run_openstack("database", "instance", "promote", "rep", "--wait")
        self.assertEqual(1, run.exit_code, str(run))
        for name in ("src", "rep"):
            self.assertRegex(run.stderr, rf"{name} \(.*\).*ERROR")
        self.assertIn("lag", run.stderr)
