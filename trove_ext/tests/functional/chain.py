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

"""One full backup and three incrementals of a real database, with rows in between."""

from __future__ import annotations

from trove_ext.tests.functional.base import PROGRESS, FunctionalTestCase

#: The flavor and the network of the guide.
FLAVOR = "e3feb785-af2e-41f7-899b-6bbc4e0b526e"
NETWORK = "908816f1-933c-4ff2-8595-f0f57c689e48"
COUNT = "SELECT count(*) FROM myDB.sbtest1"
#: Each backup of the chain, and the number of rows in it.
CHAIN = {"full": 1000, "inc-1": 1100, "inc-2": 1300, "inc-3": 1700}
ADDED = {"full": 1000, "inc-1": 100, "inc-2": 200, "inc-3": 400}


class ChainTestCase(FunctionalTestCase):
    """Tests that share a chain, which the first of them creates."""

    made = False

    def setUp(self) -> None:
        super().setUp()
        if not type(self).made:
            self.make_chain()
            type(self).made = True

    def make_chain(self) -> None:
        """Create the instance and take the backups."""
        self.openstack(
            *("database", "instance", "create", "db-1", "--flavor", FLAVOR),
            *("--size", "5", "--datastore", "mysql", "--datastore-version", "5.7.29"),
            *("--databases", "myDB", "--users", "dbusr:dbpassword"),
            *("--nic", f"net-id={NETWORK}", "--wait"),
            stderr=PROGRESS,
        )
        self.sql("db-1", "CREATE TABLE myDB.sbtest1 (c CHAR(120))")
        parent: tuple[str, ...] = ()
        for name, rows in ADDED.items():
            self.sql(
                "db-1",
                "INSERT INTO myDB.sbtest1 SELECT repeat('x', 120) "
                f"FROM seq_1_to_{rows}",
                database="myDB",
            )
            argv = ("database", "backup", "create", "db-1", name, "--wait")
            self.openstack(*argv, *parent, stderr=PROGRESS)
            parent = ("--incremental", "--parent", name)

    def names(self) -> list[str]:
        """The names of all instances of the project."""
        rows = self.openstack_json("database", "instance", "list")
        return [row["Name"] for row in rows]
