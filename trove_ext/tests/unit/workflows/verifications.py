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

"""A verification for the tests, with a server that answers queries."""

import socket
from unittest import mock

import psycopg
import pymysql

from trove_ext.tests.fake.sql import PostgresServer
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.workflows.restore import verify
from trove_ext.workflows.restore.contents import Question
from trove_ext.workflows.restore.settings import RestoreOptions

COUNT = "SELECT count(*) FROM myDB.t"


class Server:
    """A stand-in for PyMySQL: users that Trove has created may read one value."""

    def __init__(self, fake, rows=((300,),)):
        self.fake = fake
        self.rows = rows
        self.errors = []
        self.logins = []

    def connect(self, **kwargs):
        self.logins.append(kwargs)
        if self.errors:
            raise self.errors.pop(0)
        guests = [
            instance
            for instance in self.fake.live_instances
            if instance.ip == kwargs["host"]
        ]
        user = guests[0].content.users[kwargs["user"], "%"]
        assert user.password == kwargs["password"]
        cursor = mock.MagicMock(spec=pymysql.cursors.Cursor)
        cursor.__enter__.return_value = cursor
        cursor.fetchmany.return_value = self.rows
        connection = mock.MagicMock(spec=pymysql.connections.Connection)
        connection.__enter__.return_value = connection
        connection.cursor.return_value = cursor
        return connection


class VerifyTestCase(BackupTestCase):
    def fresh(self):
        super().fresh()
        self.db1.content.databases.add("myDB")
        self.server = Server(self.fake)

    def setUp(self):
        super().setUp()
        self.add("b1")
        # At the call, because a test may replace the server.
        patcher = mock.patch.object(pymysql, "connect", self.connect)
        patcher.start()
        self.addCleanup(patcher.stop)

    def connect(self, **kwargs):
        return self.server.connect(**kwargs)

    def verify(self, *backups, expect=None, **kwargs):
        if expect is not None:
            kwargs["questions"] = (Question(COUNT, expect),)
        requests = [
            verify.VerifyRequest(backup, RestoreOptions(), **kwargs)
            for backup in backups or ("b1",)
        ]
        return list(verify.verify(self.cloud, requests))

    def one(self, *args, **kwargs):
        (only,) = self.verify(*args, **kwargs)
        return only

    def results(self, verification):
        return {step.name: step.result for step in verification.steps}

    def temporary(self):
        return [
            instance
            for instance in self.fake.live_instances
            if instance.name.startswith("trove-ext-verify")
        ]

    def output(self):
        texts = [
            *self.progress.notes,
            *self.progress.warnings,
            *map(str, self.progress.states),
        ]
        return "\n".join(texts)


class PostgresVerifyTestCase(VerifyTestCase):
    """The backups are of a PostgreSQL."""

    def fresh(self):
        super().fresh()
        self.db1.version_id = self.fake.datastores["postgresql"].default_version_id
        self.server = PostgresServer(self.fake)
        targets = {"connect": psycopg, "open": socket}
        for name, module in targets.items():
            attribute = "create_connection" if name == "open" else name
            patcher = mock.patch.object(module, attribute, getattr(self.server, name))
            patcher.start()
            self.addCleanup(patcher.stop)
