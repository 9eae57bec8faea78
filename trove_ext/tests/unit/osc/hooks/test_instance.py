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

"""``instance create`` with the hook."""

import json
from unittest import mock

from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.osc.hooks.base import HookTestCase

NIC = "net-id=908816f1-933c-4ff2-8595-f0f57c689e48"


@shows(Promise.WAIT)
class TestInstanceCreate(HookTestCase):
    def create(self, rest):
        return f"instance create new --flavor 10 --size 1 --nic {NIC} {rest}"

    def test_waits_until_it_is_healthy(self):
        result = self.succeed(self.create("--wait -f json"))
        shown = json.loads(result.stdout)
        self.assertEqual("ACTIVE", shown["status"])
        self.assertEqual("HEALTHY", shown["operating_status"])

    def test_a_create_that_fails_reports_the_reason_and_shows_the_instance(self):
        self.cloud.fail_create(message="no host left")
        result = self.run_line(self.create("--wait -f json"))
        self.assertEqual(1, result.exit_code)
        self.assertEqual("ERROR", json.loads(result.stdout)["status"])
        self.assertIn("no host left", result.stderr)

    def test_what_the_guest_has_not_created_is_named_and_exits_1(self):
        line = self.create("--databases shop,crm --users app:secret123 --wait -f json")
        result = self.run_line(line)
        self.assertEqual(1, result.exit_code)
        self.assertEqual("ACTIVE", json.loads(result.stdout)["status"])
        self.assertIn("missing: database 'shop,crm', user 'app'", result.stderr)
        self.assertNotIn("secret123", result.stderr)

    def test_existing_databases_and_users_are_no_error(self):
        line = "--databases shop crm --users app:secret123 web:secret456 --wait"
        self.assertNotIn("missing", self.succeed(self.create(line)).stderr)

    def test_a_name_that_the_guest_refuses_is_a_warning_and_sent(self):
        result = self.succeed(self.create("--databases shop,crm"))
        self.assertIn("separated by spaces", result.stderr)
        (request,) = result.requests.changing
        sent = request.body["instance"]["databases"]
        self.assertEqual([{"name": "shop,crm"}], sent)

    def test_names_of_other_datastores_are_not_checked(self):
        line = self.create("--databases shop,crm --datastore postgresql")
        self.assertNotIn("separated by spaces", self.run_line(line).stderr)

    def test_waits_for_all_replicas_of_one_request(self):
        line = f"instance create r --replica-of db1 --replica-count 3 --nic {NIC}"
        result = self.succeed(line + " --wait -f json")
        replicas = self.cloud.replicas(self.db1)
        self.assertEqual(3, len(replicas))
        for replica in replicas:
            self.assertIn(
                f"{replica.name} ({replica.id}): ACTIVE/HEALTHY", result.stderr
            )

    def test_a_password_with_colons_is_complete(self):
        line = self.create("--databases shop --credentials-file - -f json")
        result = self.succeed(line, stdin="bob:pa:ss:wo:rd\n")
        (request,) = result.requests.changing
        (user,) = request.body["instance"]["users"]
        self.assertEqual("pa:ss:wo:rd", user["password"])
        self.assertEqual("bob", user["name"])

    def test_an_invalid_nic_is_an_error_before_any_request(self):
        for nic in ("none", "foo", "net-id=x,foo"):
            for wait in ("", " --wait"):
                line = f"instance create new --flavor 10 --size 1 --nic {nic}{wait}"
                result = self.run_line(line)
                self.assertEqual(2, result.exit_code)
                self.assertIn("net-id=<uuid>", result.stderr)
                self.assertEqual([], result.requests.changing)

    def test_what_stock_refuses_before_it_sends_is_not_a_lost_response(self):
        line = f"instance create new --flavor 10 --size 1 --nic {NIC} --wait"
        with mock.patch(
            "troveclient.v1.instances.Instances.create", side_effect=ValueError("odd")
        ):
            result = self.run_line(line)
        self.assertEqual(1, result.exit_code)
        self.assertIn("nothing was sent: odd", result.stderr)
        self.assertNotIn("took effect", result.stderr)

    def test_a_bad_user_is_an_error_before_any_request(self):
        result = self.run_line(self.create("--users bob eve:a:b"))
        self.assertEqual(2, result.exit_code)
        self.assertEqual([], result.requests.changing)
        self.assertIn("--users bob", result.stderr)
