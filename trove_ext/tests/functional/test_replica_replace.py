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

"""Replace a replica, and the old source of a failover, on real servers."""

import time

from trove_ext.tests.functional.replicas import LONG, STDERR, ReplicaTestCase
from trove_ext.tests.promises import Promise, shows


@shows(Promise.REPLICA, Promise.DELETE)
class TestReplace(ReplicaTestCase):
    """db1 and one replica."""

    count = 1

    def test_the_new_replica_replicates_and_the_old_one_is_gone(self):
        self.sql("db1", "INSERT INTO myDB.writes VALUES (1)")
        new, old = self.shown("replica", "replace", "r", stderr=STDERR)
        self.assertRegex(new["Replication"], "^proved in ")
        self.assertEqual("DELETED", old["Status"])
        self.assertNotEqual(old["ID"], new["ID"])
        self.check_set_by_sql("db1")
        self.assertEqual({"db1", "r"}, set(self.members()))
        status = self.shown("instance", "status", "r")
        self.assertEqual(
            (new["ID"], "replica of db1", "builtin"),
            (status["id"], status["role"], status["tls_mode"]),
        )
        self.assertLess(status["heartbeat_age"], 90)
        self.sql("db1", "INSERT INTO myDB.writes VALUES (2)")
        self.eventually_rows("r", 2)
        if LONG:
            self._a_replica_that_does_not_answer()

    def eventually_rows(self, name, count):
        """Wait until the rows that the source has acknowledged are on a replica."""
        deadline = time.monotonic() + 30
        while len(self.sql(name, "SELECT n FROM myDB.writes")) < count:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)

    def _a_replica_that_does_not_answer(self):
        self.trove_sandbox("fault", "host-off", self.members()["r"]["ID"])
        run = self.run_openstack_here("database", "replica", "replace", "r")
        self.assertEqual(0, run.exit_code, run)
        self.check_set_by_sql("db1")
        self.assertEqual({"db1", "r"}, set(self.members()))
        self.eventually_rows("r", 2)
