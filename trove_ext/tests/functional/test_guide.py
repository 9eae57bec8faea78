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

"""The commands of the public guide, word for word, against a real Trove.

The only changes: the missing line continuation, the placeholder DATABASE_ID, the name
of the source after the rebuild, and the log-in of the mysql client.
"""

import json
import shlex

from trove_ext.tests.functional.base import PROGRESS, FunctionalTestCase
from trove_ext.tests.promises import Promise, shows

ROWS = 20_000
CREATE = """database instance create db-instance-1
  --flavor e3feb785-af2e-41f7-899b-6bbc4e0b526e --size 5 --datastore mysql
  --datastore-version 5.7.29 --databases myDB --users dbusr:dbpassword
  --volume-type b1.standard --nic net-id=908816f1-933c-4ff2-8595-f0f57c689e48"""
REBUILD = """database instance create db-instance-1-rebuild
  --flavor e3feb785-af2e-41f7-899b-6bbc4e0b526e
  --size 5
  --datastore mysql
  --datastore-version 5.7.29
  --databases myDB
  --users dbusr:dbpassword
  --volume-type b1.standard
  --backup db1-backup
  --nic net-id=908816f1-933c-4ff2-8595-f0f57c689e48"""
REPLICA = """database instance create db-replica-1
  --flavor e3feb785-af2e-41f7-899b-6bbc4e0b526e
  --size 5
  --volume-type b1.standard
  --datastore mysql
  --datastore-version 5.7.29
  --nic net-id=908816f1-933c-4ff2-8595-f0f57c689e48
  --replica-of db-instance-1-rebuild"""


@shows(Promise.GUIDE, Promise.RESTORE)
class TestGuide(FunctionalTestCase):
    """One test, because each step of the guide depends on the previous one."""

    def guide(self, line, *more, stderr=PROGRESS):
        return self.openstack(*shlex.split(line), *more, stderr=stderr)

    def count(self, instance):
        (row,) = self.sql(
            instance, "SELECT count(*) AS n FROM sbtest1", database="myDB"
        )
        return row["n"]

    def fill(self, instance, rows):
        self.sql(
            instance,
            "INSERT INTO sbtest1 (k) SELECT seq FROM seq_1_to_" + str(rows),
            database="myDB",
        )

    def test_every_command_of_the_guide(self):
        self.guide(CREATE, "--wait")
        self.sql(
            "db-instance-1",
            "CREATE TABLE sbtest1 (id INT PRIMARY KEY AUTO_INCREMENT, k INT)",
            database="myDB",
        )
        self.fill("db-instance-1", ROWS)

        self.guide("database backup create db-instance-1 db1-backup", "--wait")
        listed = self.guide("database backup list -f json", stderr=None)
        (backup,) = json.loads(listed)
        self.assertEqual(
            ("db1-backup", "COMPLETED"), (backup["Name"], backup["Status"])
        )

        self.fill("db-instance-1", 100)
        database_id = backup["Instance ID"]
        self.guide(
            f"database backup create {database_id} backup1.1 --incremental", "--wait"
        )
        self.fill("db-instance-1", 10)
        self.guide(
            f"database backup create {database_id} backup1.2 --incremental", "--wait"
        )

        self.guide("database instance delete db-instance-1", "--wait")
        self.assertEqual("", self.guide("database instance list -f value", stderr=None))

        self.guide(REBUILD, "--wait")
        self.assertEqual(ROWS, self.count("db-instance-1-rebuild"))
        last = REBUILD.replace("db-instance-1-rebuild", "last").replace(
            "db1-backup", "backup1.2"
        )
        self.guide(last, "--wait")
        self.assertEqual(ROWS + 110, self.count("last"))

        self.enable_root("db-instance-1-rebuild")
        self.guide(REPLICA, "--wait", stderr=rf"{PROGRESS}|^WARNING: .* dropped: ")
        self.assertEqual(ROWS, self.count("db-replica-1"))
        self.guide(
            "database instance promote db-replica-1",
            "--wait",
            stderr=rf"{PROGRESS}|done|source",
        )
        self.assertEqual([], self.root_sql("db-replica-1", "SHOW SLAVE STATUS"))
        (status,) = self.root_sql("db-instance-1-rebuild", "SHOW SLAVE STATUS")
        self.assertEqual(self.address("db-replica-1"), status["Master_Host"])
        self.assertEqual("Yes", status["Slave_IO_Running"])
        self.assertEqual("Yes", status["Slave_SQL_Running"])
