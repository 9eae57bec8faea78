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

"""What differs between the releases of Trove that the sandbox runs."""

import types
from unittest import mock

import testtools

from trove_ext.sandbox import releases
from trove_ext.tests.unit import requires


class Transport:
    """A transport that keeps what it is given to send."""

    def __init__(self):
        self.sent = []
        self._driver = self

    def send(self, _target, context, message, **_more):
        self.sent.append((context, message))


class TestCopies(testtools.TestCase):
    def test_each_receiver_has_its_own_message(self):
        transport, message = Transport(), {"args": {"name": "db1"}}
        releases.copy_messages(transport)
        transport.send("topic", {}, message)
        transport.send("topic", {}, message)
        (_, first), (_, second) = transport.sent
        first["args"].pop("name")
        self.assertEqual({"args": {"name": "db1"}}, second)
        self.assertEqual(second, message)


@requires.trove
class TestTrove(testtools.TestCase):
    def configured_with(self, configure_db):
        """The arguments with which Trove's database is opened."""
        api = types.SimpleNamespace(configure_db=configure_db)
        with mock.patch("trove.db.get_db_api", return_value=api):
            releases.configure_database()

    def test_the_configuration_is_given_to_a_release_that_takes_it(self):
        from trove.common import cfg

        given = []
        self.configured_with(lambda options, *plugins: given.append(options))
        self.assertEqual([cfg.CONF], given)

    def test_a_later_release_gets_no_argument(self):
        given = []
        self.configured_with(lambda *plugins: given.append(plugins))
        self.assertEqual([()], given)

    def test_the_account_of_a_backup_is_the_project_s_unless_trove_names_one(self):
        from trove.common import cfg

        context = types.SimpleNamespace(project_id="p1")
        url = "http://127.0.0.1:1/v1/AUTH_x"
        self.assertEqual(url, releases.swift_url(context, {"swift_url": url}))
        cfg.CONF.set_override("swift_url", "http://127.0.0.1:1/v1/AUTH_")
        self.addCleanup(cfg.CONF.clear_override, "swift_url")
        self.assertEqual(
            "http://127.0.0.1:1/v1/AUTH_p1", releases.swift_url(context, {})
        )

    def test_the_manager_is_that_of_the_datastore_version(self):
        row = types.SimpleNamespace(datastore_version_id="v1")
        version = types.SimpleNamespace(manager="mariadb")
        instances = "trove.instance.models.DBInstance.find_by"
        versions = "trove.datastore.models.DatastoreVersion.load_by_uuid"
        with (
            mock.patch(instances, return_value=row),
            mock.patch(versions, return_value=version) as load,
        ):
            self.assertEqual("mariadb", releases.manager_of("i1"))
        load.assert_called_once_with("v1")
