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

"""The guest agent: the calls that Trove makes, and its roles, without a server."""

import inspect
from pathlib import Path
from unittest import mock

import fixtures
import testtools
from trove.common import exception
from trove.guestagent import api as guest_api

from trove_ext.sandbox import faults
from trove_ext.sandbox.guest import agent_base, conductor, engine
from trove_ext.sandbox.guest.mariadb import agent, config, server
from trove_ext.tests.unit.sandbox.guest import calls

SOURCE_CONFIG = "[mysqld]\nbinlog_format = MIXED\n"
REPLICA_INFO = {
    "master": {"host": "127.77.80.11", "port": 3306},
    "replica_conf": {"replication_user": {"name": "slave_1", "password": "secret"}},
}


class CallsTest(testtools.TestCase):
    def test_every_call_of_trove_is_supported(self):
        self.assertEqual(set(), calls.names() - set(dir(agent.MariaDBAgent)))
        self.assertIn("prepare", calls.names())

    def test_every_call_accepts_the_arguments_that_trove_passes(self):
        for name, arguments in calls.all_of_trove():
            signature = inspect.signature(getattr(agent.MariaDBAgent, name))
            signature.bind(None, "context", **dict.fromkeys(arguments))

    def test_the_agent_supports_the_newest_version_of_troves_api(self):
        self.assertEqual(
            guest_api.API.API_LATEST_VERSION, agent.MariaDBAgent.target.version
        )


class RolesTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.db = mock.Mock(spec=server.MariaDB)
        self.db.address = "127.77.80.10"
        self.db.layout = config.Layout(Path(self.useFixture(fixtures.TempDir()).path))
        self.db.layout.prepared.touch()
        self.db.state.return_value = engine.State.ANSWERS
        self.faults = mock.Mock(spec=faults.Faults)
        self.conductor = mock.Mock(spec=conductor.Conductor, instance_id="an-instance")
        parts = agent_base.Parts(
            mock.MagicMock(),
            "an-instance",
            self.db,
            self.conductor,
            self.faults,
            agent_base.Volume(1),
            mock.Mock(),
        )
        self.agent = agent.MariaDBAgent(parts)
        self.agent._replication = mock.Mock()

    def test_users_are_created_even_if_databases_are_refused(self):
        accounts = self.agent._accounts = mock.Mock()
        accounts.create_databases.side_effect = ValueError("not a valid name")
        self.agent._create_first([{"_name": "shop,crm"}], [{"_name": "app"}])
        accounts.create_users.assert_called_once_with([{"_name": "app"}])

    def test_a_source_is_made_by_a_restart(self):
        self.db.has_override.return_value = False
        self.agent.enable_as_master(None, SOURCE_CONFIG)
        self.db.write_override.assert_called_once_with(
            config.SOURCE, {"binlog_format": "MIXED"}
        )
        self.db.restart.assert_called_once_with()

    def test_a_source_is_not_restarted_to_become_one_again(self):
        self.db.has_override.return_value = True
        self.agent.enable_as_master(None, SOURCE_CONFIG)
        self.db.restart.assert_not_called()

    def test_a_replica_is_read_only_by_its_configuration_whatever_trove_sends(self):
        self.agent.attach_replica(None, REPLICA_INFO, "")
        self.db.write_override.assert_called_once_with(
            config.REPLICA, {"read_only": "true"}
        )

    def test_a_replica_is_read_only_before_it_starts_again(self):
        self.agent.attach_replica(None, REPLICA_INFO, "")
        done = [call[0] for call in self.db.method_calls]
        self.assertLess(done.index("write_override"), done.index("restart"))

    def test_a_former_member_is_connected_without_a_position(self):
        self.agent.attach_replica(None, REPLICA_INFO, "")
        ((_source, position), _more) = self.agent._replication.connect.call_args
        self.assertIsNone(position)

    def test_a_detached_replica_takes_writes_after_its_restart(self):
        self.agent.detach_replica(None, for_failover=True)
        self.agent._replication.disconnect.assert_called_once_with(for_failover=True)
        self.db.remove_override.assert_called_once_with(config.REPLICA)
        self.db.restart.assert_called_once_with()

    def test_read_only_is_set_globally_and_so_forgotten_by_a_restart(self):
        self.agent.make_read_only(None, True)
        self.db.query.assert_called_once_with("SET GLOBAL read_only = ON")
        self.db.write_override.assert_not_called()

    def test_the_last_transaction_is_a_list_as_the_taskmanager_adds_to_it(self):
        self.agent._replication.last_transaction.return_value = (7, 12)
        self.assertEqual([7, 12], self.agent.get_last_txn(None))

    def test_a_fault_at_the_candidate_comes_before_the_wait(self):
        self.faults.hit.side_effect = faults.FaultInjected("too far behind")
        self.assertRaises(faults.FaultInjected, self.agent.wait_for_txn, None, "0-7-12")
        self.faults.hit.assert_called_once_with("promote-candidate", "an-instance")
        self.agent._replication.wait_for.assert_not_called()

    def test_before_prepare_is_done_no_status_is_reported(self):
        self.db.layout.prepared.unlink()
        self.agent.update_status(None)
        self.conductor.heartbeat.assert_not_called()

    def test_a_dead_database_is_reported_as_shut_down(self):
        self.db.state.return_value = engine.State.DEAD
        self.agent.update_status(None)
        self.conductor.heartbeat.assert_called_once_with(agent_base.Statuses.SHUTDOWN)

    def test_a_backup_that_fails_is_reported_with_the_reason(self):
        self.faults.hit.side_effect = faults.FaultInjected("disk is full")
        info = {"id": "b0", "swift_url": "http://127.0.0.1:1"}
        self.conductor.notification.return_value = mock.MagicMock(
            **{"__exit__.return_value": False}
        )
        error = self.assertRaises(
            exception.TroveError, self.agent.create_backup, "context", info
        )
        self.assertIn("disk is full", str(error))
        states = [c.kwargs["state"] for c in self.conductor.update_backup.mock_calls]
        self.assertEqual(["BUILDING", "FAILED"], states)
