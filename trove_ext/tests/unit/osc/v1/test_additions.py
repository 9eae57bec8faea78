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

"""``backup restore`` with accounts, as it is typed."""

import json
import shlex

import testtools

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import run_openstack


class TestCommand(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.fake = FakeCloud(FakeClock())
        self.fake.add_backup("full", self.fake.add_instance("db1"))

    def run_line(self, line, *, expect=0, **kwargs):
        argv = ["database", "backup", "restore", "full", "new", *shlex.split(line)]
        result = run_openstack(argv, self.fake, **kwargs)
        self.assertEqual(expect, result.exit_code, result.stderr)
        return result

    def test_accounts_are_created_and_no_password_is_shown(self):
        result = self.run_line(
            "--databases shop stock --credentials-file - --wait -f json",
            stdin="app:se:cret\n",
        )
        made = json.loads(result.stdout)["id"]
        (request,) = [
            r for r in result.requests if r.method == "POST" and "inst" in r.path
        ]
        user = request.body["instance"]["users"][0]
        self.assertEqual(("app", "se:cret"), (user["name"], user["password"]))
        self.assertEqual(2, len(user["databases"]))
        self.assertIn("ACTIVE", result.stdout)
        self.assertTrue(made)
        self.assertNotIn("se:cret", result.stdout + result.stderr)

    def test_locality_and_another_version_are_sent(self):
        line = "--locality anti-affinity --datastore-version 5.7.40 -f json"
        result = self.run_line(line)
        (request,) = [
            r for r in result.requests if r.method == "POST" and "inst" in r.path
        ]
        self.assertEqual("anti-affinity", request.body["instance"]["locality"])
        self.assertEqual("5.7.40", json.loads(result.stdout)["datastore_version"])

    def test_what_is_wrong_with_them_is_a_usage_error(self):
        for line in ("--users app", "--users a:b:c", "--locality near"):
            self.run_line(line, expect=2)
