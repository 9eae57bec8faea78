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

"""No password and no token in a log, a message or a traceback."""

import pathlib
from unittest import mock

import fixtures
import pymysql
import testtools

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.fake.transport import server_of

NIC = "net-id=908816f1-933c-4ff2-8595-f0f57c689e48"


class TestMasking(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = FakeCloud(FakeClock())
        self.log = pathlib.Path(self.useFixture(fixtures.TempDir()).path) / "log"

    def create(self, *more, **kwargs):
        return run_openstack(
            [
                "--debug",
                "--log-file",
                str(self.log),
                "database",
                "instance",
                "create",
                "db1",
                *("--flavor", "10", "--size", "1", "--nic", NIC),
                *more,
                *("--databases", "shop"),
            ],
            self.cloud,
            **kwargs,
        )

    def logged(self, result):
        """What was written, except osc-lib's first lines, which can't be masked."""
        text = result.stderr + self.log.read_text(encoding="utf-8")
        first = ("START with options", "options: Namespace(")
        return [
            line
            for line in text.splitlines()
            if not any(words in line for words in first)
        ]

    def assertHidden(self, secret, result):
        self.assertEqual([], [line for line in self.logged(result) if secret in line])

    def test_a_password_from_a_file_is_in_no_log(self):
        for wait in ((), ("--wait",)):
            result = self.create(
                "--credentials-file", "-", *wait, stdin="bob:hunter2:with:colons\n"
            )
            self.assertEqual(0, result.exit_code, result.stderr)
            lines = self.logged(result)
            self.assertTrue([line for line in lines if "REQ: curl" in line])
            self.assertHidden("hunter2", result)

    def test_a_password_from_an_argument_is_in_no_log_of_ours(self):
        result = self.create("--users", "bob:hunter2222")
        self.assertEqual(0, result.exit_code, result.stderr)
        lines = self.logged(result)
        self.assertTrue([line for line in lines if "run(Namespace" in line])
        self.assertHidden("hunter2222", result)

    def test_one_with_quotes_and_backslashes_is_in_no_log_in_any_quoting(self):
        for password in ('SECRETone"cd', "SECRET\\two\\cd", 'S3"Z', "SECRET'three"):
            tail = password[-3:]
            for given in (("--credentials-file", "-"), ("--users", f"bob:{password}")):
                result = self.create(*given, stdin=f"bob:{password}\n")
                self.assertEqual(0, result.exit_code, result.stderr)
                left = [
                    line
                    for line in self.logged(result)
                    if tail in line and "REQ: curl" in line
                ]
                self.assertEqual([], left)
                # The mask replaces all of it, not only up to the first quote.
                bodies = [line for line in self.logged(result) if '"password"' in line]
                self.assertTrue(bodies)
                for line in bodies:
                    self.assertNotRegex(line, r'"password": "\*\*\*"[^,}\s]')
                if len(password) > 6:
                    self.assertHidden(password[:6], result)
                self.log.write_text("", encoding="utf-8")

    def test_the_login_password_is_in_no_log(self):
        result = self.create("--wait")
        self.assertHidden(server_of(self.cloud).keystone.password, result)

    def test_a_traceback_and_a_refusal_hide_it_too(self):
        self.cloud.policy_forbid("instance:create")
        result = self.create("--wait", "--users", "bob:hunter2222")
        self.assertEqual(1, result.exit_code)
        self.assertIn("Traceback", result.stderr)
        self.assertHidden("hunter2222", result)

    def test_the_password_that_verify_makes_for_itself_is_in_no_log(self):
        backup = self.cloud.add_backup("b1", self.cloud.add_instance("db1"))
        refused = pymysql.err.OperationalError(1045, "using password: YES")
        argv = ["--debug", "--log-file", str(self.log), "database", "backup", "verify"]
        argv += [backup.id, "--nic", NIC, "--query", "select 1", "--expect", "1"]
        with mock.patch("pymysql.connect", side_effect=refused):
            result = run_openstack([*argv, "--timeout", "120"], self.cloud)
        (made,) = result.requests.matching("POST", "/users")
        password = made.body["users"][0]["password"]
        text = result.stdout + result.stderr + self.log.read_text(encoding="utf-8")
        self.assertNotIn(password, text)
