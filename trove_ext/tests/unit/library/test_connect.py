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

"""connect() logs in from each of its sources, and reports what is wrong with it."""

import os
from unittest import mock

import openstack

import trove_ext
from trove_ext.tests.fake.harness import make_session
from trove_ext.tests.fake.transport import server_of
from trove_ext.tests.unit.library.connected import LibraryTestCase, network, only_public
from trove_ext.trove.limits import REQUEST_TIMEOUT


class TestSources(LibraryTestCase):
    def check(self, trove):
        self.assertEqual(self.db1.id, trove.find_instance("db1").id)

    def test_a_keystoneauth_session(self):
        self.check(trove_ext.connect(session=make_session(self.fake)))

    def test_the_name_of_a_cloud(self):
        with network(self.fake):
            self.check(trove_ext.connect("fake"))

    def test_a_connection_of_openstacksdk(self):
        with network(self.fake):
            sdk = openstack.connect(cloud="fake")
            self.check(trove_ext.connect(connection=sdk))

    def test_the_environment_if_nothing_is_given(self):
        with network(self.fake), mock.patch.dict(os.environ, {"OS_CLOUD": "fake"}):
            self.check(trove_ext.connect())

    def test_several_are_a_mistake_of_the_caller(self):
        session = make_session(self.fake)
        self.assertRaises(ValueError, trove_ext.connect, "fake", session=session)

    def test_the_session_is_left_as_it_was(self):
        session = make_session(self.fake)
        session.timeout = 7.0
        trove_ext.connect(session=session).list_instances()
        self.assertEqual(7.0, session.timeout)
        self.assertEqual([], session.session.hooks["response"])

    def test_no_request_waits_for_ever_not_even_the_log_in(self):
        session = make_session(self.fake)
        seen = []
        self.fake.before_request.append(lambda _sent: seen.append(session.timeout))
        trove_ext.connect(session=session).list_instances()
        self.assertNotEqual([], seen)
        for seconds in seen:
            self.assertTrue(seconds and seconds <= REQUEST_TIMEOUT, seen)


class TestEndpoint(LibraryTestCase):
    def test_the_region_and_the_interface_select_the_endpoint(self):
        region = server_of(self.fake).keystone.region
        self.connect(region_name=region, interface="admin")
        error = self.assertRaises(
            trove_ext.ServiceError, self.connect, region_name="Elsewhere"
        )
        self.assertIn("in region Elsewhere", str(error))
        with only_public():
            self.connect(interface="public")
            self.connect()
            error = self.assertRaises(
                trove_ext.ServiceError, self.connect, interface="admin"
            )
        self.assertIn("no admin database endpoint", str(error))

    def test_they_are_taken_from_the_cloud_unless_given(self):
        with network(self.fake, region_name="Elsewhere"):
            error = self.assertRaises(trove_ext.ServiceError, trove_ext.connect, "fake")
            self.assertIn("Elsewhere", str(error))
        with network(self.fake, interface="admin"), only_public():
            self.assertRaises(trove_ext.ServiceError, trove_ext.connect, "fake")
            trove_ext.connect("fake", interface="public")
            sdk = openstack.connect(cloud="fake")
            self.assertRaises(trove_ext.ServiceError, trove_ext.connect, connection=sdk)
            trove_ext.connect(connection=sdk, interface="public")

    def test_an_endpoint_in_the_settings_replaces_that_of_the_catalog(self):
        url = server_of(self.fake).keystone.database_url
        project = self.fake.project_id
        server_of(self.fake).keystone.database_url = None
        with network(self.fake, database_endpoint_override=f"{url}/{project}"):
            trove = trove_ext.connect("fake")
            self.assertEqual(self.db1.id, trove.find_instance("db1").id)


class TestErrors(LibraryTestCase):
    def test_an_unknown_cloud(self):
        with network(self.fake):
            error = self.assertRaises(trove_ext.ConfigError, trove_ext.connect, "none")
        self.assertIn("'none'", str(error))

    def test_settings_without_what_the_log_in_needs(self):
        with network(self.fake, auth={"username": "demo"}):
            self.assertRaises(trove_ext.ConfigError, trove_ext.connect, "fake")

    def test_a_wrong_password(self):
        with network(self.fake):
            server_of(self.fake).keystone.password = "another"
            self.assertRaises(trove_ext.LoginError, trove_ext.connect, "fake")
