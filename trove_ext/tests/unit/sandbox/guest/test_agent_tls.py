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

"""The guest's TLS: what a change writes, what a step back restores, without a server."""

from pathlib import Path
from unittest import mock

import fixtures
import testtools

from trove_ext.sandbox import faults
from trove_ext.sandbox.guest import agent_base, conductor, engine
from trove_ext.sandbox.guest import tls as modes
from trove_ext.sandbox.guest.mariadb import agent, config, server, tls
from trove_ext.sandbox.guest.postgresql import agent as postgresql
from trove_ext.sandbox.guest.postgresql import config as postgresql_config
from trove_ext.sandbox.guest.postgresql import server as postgresql_server

FIRST = {"private_key": "key 1", "certificate": "certificate 1", "ca": "ca 1"}
SECOND = {"private_key": "key 2", "certificate": "certificate 2", "ca": "ca 2"}


class ModeTest(testtools.TestCase):
    def test_each_mode_is_stricter_than_the_one_before(self):
        self.assertTrue(modes.at_least("mtls", "enforced"))
        self.assertTrue(modes.at_least("enforced", "enforced"))
        self.assertFalse(modes.at_least("basic", "enforced"))
        self.assertFalse(modes.at_least(None, "basic"))


class AgentTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.conductor = mock.Mock(spec=conductor.Conductor, instance_id="an-instance")
        self.root = Path(self.useFixture(fixtures.TempDir()).path)

    def parts(self, db, layout):
        db.address, db.layout = "127.77.80.10", layout
        db.state.return_value = engine.State.ANSWERS
        layout.data.mkdir()
        spec = mock.Mock(spec=faults.Faults)
        volume = agent_base.Volume(1)
        return agent_base.Parts(
            self.root, "an-instance", db, self.conductor, spec, volume, mock.Mock()
        )


class MariaDBTest(AgentTestCase):
    def setUp(self):
        super().setUp()
        self.db = mock.MagicMock(spec=server.MariaDB)
        parts = self.parts(self.db, config.Layout(self.root))
        self.agent = agent.MariaDBAgent(parts)
        self.on = mock.patch.object(tls, "is_on", return_value=False).start()
        self.addCleanup(mock.patch.stopall)

    def action(self, mode, files):
        return self.agent.ssl_action(None, mode, files, enable=True, disable=None)

    def files(self):
        return {k: path.read_text() for k, path in tls.files(self.db).items()}

    def statements(self):
        session = self.db.local_session.return_value.__enter__.return_value
        return [call.args for call in session.query.call_args_list]

    def test_a_certificate_needs_a_restart_and_its_key_is_private(self):
        self.assertEqual({"restart_required": True}, self.action("basic", FIRST))
        self.conductor.require_restart.assert_called_once_with()
        self.assertEqual(FIRST, self.files())
        key = tls.files(self.db)["private_key"]
        self.assertEqual(0o600, key.stat().st_mode & 0o777)

    def test_a_strict_mode_is_required_of_users_but_not_of_trove_itself(self):
        names = ("app", "root", "os_admin", "slave_1", "mariadb.sys")
        self.db.query.return_value = [{"User": n, "Host": "%"} for n in names]
        with mock.patch.object(tls.CONF, "mariadb") as section:
            section.ignore_users = ["mariadb.sys"]
            self.action("mtls", FIRST)
        expected = ("ALTER USER %s@%s REQUIRE X509", "app", "%")
        self.assertEqual([expected], self.statements())

    def test_a_rollback_restores_certificate_and_mode_once(self):
        self.action("basic", FIRST)
        self.on.return_value = True
        self.action("enforced", SECOND)
        result = self.agent.ssl_rollback(None)
        expected = {"status": "on", "mode": "basic", "restart_required": True}
        self.assertEqual(expected, result)
        self.assertEqual(FIRST, self.files())
        self.assertRaises(FileNotFoundError, self.agent.ssl_rollback, None)

    def test_a_rollback_of_the_first_change_switches_it_off(self):
        self.action("basic", FIRST)
        self.assertEqual("off", self.agent.ssl_rollback(None)["status"])
        (_name, values) = self.db.write_override.call_args.args
        self.assertEqual("", values["tls_version"])

    def test_a_replica_gets_the_certificate_of_its_source(self):
        self.assertEqual({}, self.agent._tls_of_source())
        self.action("enforced", FIRST)
        self.on.return_value = True
        info = self.agent._tls_of_source()
        self.assertEqual({"cert_container": FIRST, "ssl_mode": "enforced"}, info)
        self.agent._disable_tls()
        self.agent._adopt_tls({**info, "cert_container": SECOND})
        self.assertEqual(SECOND, self.files())
        self.assertEqual("enforced", self.agent._tls_mode)

    def test_a_rebuild_keeps_it(self):
        self.action("basic", FIRST)
        self.db.reset_mock()
        self.agent._do_rebuild(None)
        self.db.write_override.assert_called_once_with(
            config.TLS, tls.settings(self.db, "basic")
        )
        # There is no server to run statements in.
        self.assertEqual([], self.statements())

    def test_without_tls_a_rebuild_writes_nothing_of_it(self):
        self.agent._do_rebuild(None)
        self.db.write_override.assert_not_called()


class PostgresTest(AgentTestCase):
    def setUp(self):
        super().setUp()
        self.db = mock.MagicMock(spec=postgresql_server.Postgres)
        self.db.sql = mock.MagicMock()
        layout = postgresql_config.Layout(self.root)
        parts = self.parts(self.db, layout)
        layout.pgdata.mkdir()
        self.agent = postgresql.PostgresAgent(parts)

    def test_a_reload_is_enough(self):
        result = self.agent.ssl_action(None, "mtls", FIRST, True, None)
        self.assertEqual({"restart_required": False}, result)
        self.db.write_access_rules.assert_called_with("mtls", replication=False)
        self.db.reload.assert_called_once_with()
        self.conductor.require_restart.assert_not_called()
