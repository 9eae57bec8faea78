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

"""Streaming replication, by what reaches the server and its files."""

from pathlib import Path
from unittest import mock

import fixtures
import testtools
from trove.common import exception

from trove_ext.sandbox.guest.postgresql import accounts, config, replication, server

INFO = {
    "master": {"host": "127.77.80.10", "port": 5432},
    "replica_conf": {"replication_user": {"name": "replicator", "password": "secret"}},
}


class ReplicationTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        root = Path(self.useFixture(fixtures.TempDir()).path)
        self.db = mock.Mock(spec=server.Postgres)
        self.db.layout = config.Layout(root)
        self.db.layout.pgdata.mkdir(parents=True)
        self.db.address = "127.77.80.10"
        self.db.sql = mock.Mock()
        self.admin = mock.Mock(spec=accounts.Admin)
        self.jobs = mock.Mock()
        self.replication = replication.Replication(self.db, self.admin, self.jobs)
        self.useFixture(
            fixtures.MonkeyPatch(f"{replication.__name__}.CATCH_UP_SECONDS", 0.0)
        )

    def answers(self, **values):
        functions = {"standby": "pg_is_in_recovery", "replayed": "last_wal_replay"}
        found = {functions[name]: value for name, value in values.items()}
        self.db.sql.value.side_effect = lambda statement: next(
            value for name, value in found.items() if name in statement
        )

    def test_positions_are_compared_as_text_so_that_one_far_behind_is_caught_up(self):
        self.answers(standby=True, replayed="0/F000090")
        self.replication.wait_for("0/1000FAF8")

    def test_and_one_that_is_there_never_is(self):
        self.answers(standby=True, replayed="0/1000FAF8")
        error = self.assertRaises(
            exception.TroveError, self.replication.wait_for, "0/F000090"
        )
        self.assertIn("0/F000090", str(error))

    def test_only_a_replica_can_wait(self):
        self.answers(standby=False)
        self.assertRaises(exception.TroveError, self.replication.wait_for, "0/1")

    def test_a_source_makes_its_account_once_and_keeps_the_password(self):
        self.admin.user_exists.return_value = False
        first = self.replication.account()
        self.admin.user_exists.return_value = True
        self.assertEqual(first, self.replication.account())
        self.admin.create_user.assert_called_once()
        self.assertEqual(
            0o600, self.db.layout.replication_password.stat().st_mode & 0o777
        )

    def test_an_account_without_its_file_is_given_to_troves_own_code_to_delete(self):
        self.admin.user_exists.return_value = True
        # Trove's own, not a stand-in's: it takes a dictionary and is given an object.
        self.admin.delete_user = lambda user: accounts.Admin.delete_user(
            self.admin, user
        )
        error = self.assertRaises(TypeError, self.replication.account)
        self.assertIn("__dict__", str(error))

    def test_a_source_is_restarted_even_if_it_is_one(self):
        self.admin.user_exists.return_value = False
        for _time in range(2):
            self.replication.enable_source()
            self.admin.user_exists.return_value = True
        self.assertEqual(2, self.db.restart.call_count)
        self.db.write_access_rules.assert_called_with(None, replication=True)

    def test_a_replica_follows_from_its_next_start_on(self):
        self.replication.follow(INFO)
        self.assertTrue(self.db.layout.standby_signal.exists())
        ((name, values), _more) = self.db.write_override.call_args
        self.assertEqual(config.SYSTEM, name)
        self.assertIn("host=127.77.80.10 port=5432", values["primary_conninfo"])
        self.db.restart.assert_not_called()

    def test_a_demoted_source_is_rewound_while_it_is_stopped(self):
        self.db.override.return_value = {"primary_conninfo": "host=h password=secret"}
        calls = mock.Mock()
        calls.attach_mock(self.db.stop, "stop")
        calls.attach_mock(self.jobs.run, "rewind")
        calls.attach_mock(self.db.restart, "restart")
        with mock.patch.object(replication, "find", return_value="/bin/pg_rewind"):
            self.replication.demote()
        names = [call[0] for call in calls.mock_calls]
        self.assertEqual(["stop", "rewind", "restart"], names)
        self.assertTrue(self.db.layout.standby_signal.exists())

    def test_the_password_is_in_no_command_line(self):
        self.db.override.return_value = {"primary_conninfo": "host=h password=secret"}
        with mock.patch.object(replication, "find", return_value="/bin/pg_rewind"):
            self.replication.demote()
        ((command, _log), more) = self.jobs.run.call_args
        self.assertNotIn("secret", " ".join(command))
        self.assertEqual("secret", more["env"]["PGPASSWORD"])
