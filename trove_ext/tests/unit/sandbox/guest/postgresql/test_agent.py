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

"""The guest agent of a PostgreSQL against the calls that Trove makes."""

import inspect
from pathlib import Path
from unittest import mock

import fixtures
import testtools
from trove.guestagent.datastore.postgres import manager

from trove_ext.sandbox import faults
from trove_ext.sandbox.guest import agent_base, conductor, engine
from trove_ext.sandbox.guest.postgresql import agent, config, server
from trove_ext.tests.unit.sandbox.guest import calls

CONTEXT = mock.Mock(auth_token="t", project_id="p1")
URL = "http://127.0.0.1:1/v1/AUTH_p1"
BACKUP = {"location": "x", "checksum": "y", "swift_url": URL}
SNAPSHOT = {
    "id": "b0",
    "swift_url": URL,
    "datastore": "postgresql",
    "datastore_version": "15",
}


class CallsTest(testtools.TestCase):
    def test_every_call_that_troves_own_agent_answers_is_answered(self):
        missing = calls.names() - set(dir(agent.PostgresAgent))
        self.assertEqual({"get_last_txn"}, missing)

    def test_troves_own_agent_does_not_answer_the_one_that_is_left_out(self):
        self.assertFalse(hasattr(manager.PostgresManager, "get_last_txn"))

    def test_every_call_is_taken_with_the_arguments_that_trove_gives(self):
        for name, arguments in calls.all_of_trove():
            if hasattr(agent.PostgresAgent, name):
                signature = inspect.signature(getattr(agent.PostgresAgent, name))
                signature.bind(None, "context", **dict.fromkeys(arguments))


class AgentTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        root = Path(self.useFixture(fixtures.TempDir()).path)
        self.db = mock.Mock(spec=server.Postgres)
        self.db.layout = config.Layout(root)
        self.db.layout.pgdata.mkdir(parents=True)
        self.db.layout.prepared.touch()
        self.db.state.return_value = engine.State.ANSWERS
        self.db.sql = mock.Mock()
        parts = agent_base.Parts(
            root,
            "an-id",
            self.db,
            mock.Mock(spec=conductor.Conductor, instance_id="an-id"),
            mock.Mock(spec=faults.Faults),
            agent_base.Volume(1),
            mock.Mock(),
        )
        self.agent = agent.PostgresAgent(parts)
        self.agent._replication = self.replication = mock.Mock()
        self.agent._backups = self.backups = mock.Mock()

    def prepare(self, backup=None, snapshot=None):
        self.agent._do_prepare(CONTEXT, 1024, backup, {}, snapshot)

    def test_a_source_is_never_made_read_only(self):
        self.agent.make_read_only(None, read_only=True)
        self.assertEqual([], self.db.method_calls + self.db.sql.method_calls)

    def test_an_old_source_that_is_attached_is_not_restarted_yet(self):
        self.agent.attach_replica(None, {}, "")
        self.db.restart.assert_not_called()

    def test_a_sibling_that_is_attached_is_restarted(self):
        self.agent.attach_replica(None, {}, "", restart=True)
        self.db.restart.assert_called_once_with()

    def test_a_sibling_that_is_detached_is_promoted_like_the_candidate(self):
        self.agent.detach_replica(None, for_failover=True)
        self.replication.promote.assert_called_once_with()

    def test_a_restored_instance_replays_its_archive(self):
        self.prepare(backup=BACKUP)
        self.assertTrue(self.db.layout.recovery_signal.exists())

    def test_a_replica_is_attached_before_its_first_start(self):
        self.replication.follow.side_effect = lambda _info: (
            self.db.start.assert_not_called()
        )
        self.prepare(BACKUP, {"config": ""})
        self.replication.follow.assert_called_once()
        self.assertFalse(self.db.layout.recovery_signal.exists())
        self.db.start.assert_called_once_with()

    def test_a_snapshot_for_a_replica_restarts_the_source_before_it_is_taken(self):
        order = mock.Mock()
        order.attach_mock(self.replication.enable_source, "restart")
        order.attach_mock(self.backups.take, "backup")
        self.agent.get_replication_snapshot(CONTEXT, SNAPSHOT)
        names = [call[0] for call in order.mock_calls]
        self.assertEqual(["restart", "backup"], names)

    def test_a_configuration_group_counts_from_a_reload_on(self):
        self.agent.apply_overrides(None, {"work_mem": 4096})
        self.db.reload.assert_called_once_with()

    def test_the_archive_is_cleaned_by_the_size_of_the_volume(self):
        self.agent.update_status(None)
        self.backups.clean_archive.assert_called_once_with(1024**3)
