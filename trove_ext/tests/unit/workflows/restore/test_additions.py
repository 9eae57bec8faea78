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

"""Accounts of a restored instance, and what it does not get from its source."""

from dataclasses import replace
from unittest import mock

from trove_ext.exceptions import CheckError, UnreachableError
from trove_ext.osc.base.follow_up import render
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.unit import requires
from trove_ext.tests.unit.workflows.restores import RestoreTestCase
from trove_ext.trove import extras, read
from trove_ext.workflows.restore import restore
from trove_ext.workflows.restore.additions import Additions, differences
from trove_ext.workflows.restore.settings import RestoreOptions

MODULE = extras.Module("11111111-2222-4333-8444-555555555555", "license")


class AdditionsTestCase(RestoreTestCase):
    def setUp(self):
        super().setUp()
        self.add("b1", 9, state=BackupState.COMPLETED)

    def plan_with(self, **fields):
        request = restore.RestoreRequest(
            "b1", "new", RestoreOptions(), additions=Additions(**fields)
        )
        return restore.plan(self.cloud, request)

    def said(self, **fields):
        origin = fields.pop("origin", None) or self.origin()
        found = differences(self.cloud, "new", origin, Additions(**fields))
        return "\n".join(
            render("openstack", note.text, note.follow_ups) for note in found
        )

    def origin(self, **fields):
        return replace(read.get_instance(self.cloud, self.db1.id), **fields)


class TestAccounts(AdditionsTestCase):
    def test_databases_and_users_are_requested(self):
        plan = self.plan_with(databases=("shop",), users=(("app", "a:b"),))
        sent = plan.arguments()
        self.assertEqual([{"name": "shop"}], sent["databases"])
        user = {"name": "app", "password": "a:b", "databases": [{"name": "shop"}]}
        self.assertEqual([user], sent["users"])

    def test_without_them_the_request_is_as_before(self):
        sent = self.plan_with().arguments()
        for key in ("databases", "users", "modules", "locality"):
            self.assertNotIn(key, sent)

    def test_a_password_is_in_no_text(self):
        plan = self.plan_with(users=(("app", "secret"),))
        self.assertNotIn("secret", repr(plan))

    def test_they_are_waited_for(self):
        plan = self.plan_with(databases=("shop",), users=(("app", "secret"),))
        made = read.get_instance(self.cloud, restore.submit(self.cloud, plan))
        deadline = self.cloud.start(3600)
        _, error = restore.wait_with_additions(self.cloud, plan, made, deadline)
        self.assertIsNone(error)
        names = [db.name for db in self.cloud.client.databases.list(made.id)]
        self.assertIn("shop", names)

    def test_what_new_users_can_use_is_said(self):
        text = self.said(databases=("shop",), users=(("app", "secret"),))
        self.assertIn("New users (app) get access to shop only", text)


class TestModules(AdditionsTestCase):
    def test_a_module_is_found_by_its_name(self):
        with mock.patch.object(
            self.cloud.client.modules, "list", return_value=[_row(MODULE)]
        ):
            for name in (MODULE.name, MODULE.id):
                sent = self.plan_with(modules=(name,)).arguments()
                self.assertEqual([MODULE.id], sent["modules"])
            error = self.assertRaises(CheckError, self.plan_with, modules=("none",))
        self.assertIn("No module with a name or ID of 'none'", str(error))


class TestDifferences(AdditionsTestCase):
    def test_without_anything_nothing_is_said(self):
        self.assertEqual("", self.said())

    @requires.tls
    def test_the_mode_of_tls_is_said_with_the_stock_command(self):
        self.db1.ssl_mode = "enforced"
        text = self.said()
        self.assertRegex(
            text, r"The TLS mode of db1 \(.*\) is enforced; .* without TLS"
        )
        self.assertIn("openstack database ssl enable new", text)
        self.assertIn("The TLS mode", "".join(n.text for n in self.plan_with().notes))

    def test_an_instance_that_is_down_is_not_asked(self):
        self.db1.ssl_mode = "enforced"
        since = len(self.fake.log)
        self.said(origin=self.origin(operating_status="CRASHED"))
        paths = [request.path for request in self.requests("GET", since)]
        self.assertFalse([path for path in paths if path.endswith("/ssl")])

    def test_modules_that_are_not_given_are_said(self):
        self.db1.modules[MODULE.id] = MODULE.name
        self.assertIn("add: --module license", self.said())
        self.assertEqual("", self.said(modules=("license",)))

    def test_the_locality_is_said_unless_given(self):
        origin = self.origin(locality="anti-affinity")
        self.assertIn("add: --locality anti-affinity", self.said(origin=origin))
        self.assertEqual("", self.said(origin=origin, locality="affinity"))

    def test_what_can_not_be_read_is_not_said(self):
        error = UnreachableError("no")
        for name in ("ssl_show", "modules"):
            with mock.patch.object(
                self.cloud.client.instances, name, create=True, side_effect=error
            ):
                self.assertEqual("", self.said())


def _row(module):
    info = {"id": module.id, "name": module.name}
    return mock.Mock(to_dict=lambda: info)
