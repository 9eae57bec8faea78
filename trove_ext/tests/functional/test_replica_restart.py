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

"""Restart a set, on real servers that are written to."""

import time

from trove_ext.tests.functional.replicas import STDERR, ReplicaTestCase, Writer
from trove_ext.tests.promises import Promise, shows

ORDER = STDERR + r"|^Order: "


@shows(Promise.REPLICA, Promise.PROMOTE)
class TestRestart(ReplicaTestCase):
    """db1 and two replicas."""

    def restart(self, *options):
        """Restart the set; each server has to run for no longer than the command."""
        begun = time.monotonic()
        rows = self.shown("replica", "restart", "r-1", *options, stderr=ORDER)
        self.assertEqual({"restarted"}, {row["Restart"] for row in rows})
        status = "SHOW GLOBAL STATUS LIKE 'Uptime'"
        for name, address in self.addresses().items():
            uptime = int(self.root_sql(address, status)[0]["Value"])
            self.assertLess(uptime, time.monotonic() - begun, name)
        return rows

    def test_each_server_is_restarted_and_no_acknowledged_row_is_lost(self):
        writer = Writer(list(self.addresses().values()))
        writer.start()
        try:
            rows = self.restart()
            self.assertEqual(["r-1", "r-2", "db1"], [row["Name"] for row in rows])
            self.assertEqual(("db1", ["r-1", "r-2"]), self.source())
            rows = self.restart("--switchover")
        finally:
            writer.stop()
        self.assertEqual("r-1", self.source()[0])
        self.check_set_by_sql("r-1")
        proved = {row["Name"]: row["Replication"] for row in rows}
        for name in ("r-2", "db1"):
            self.assertRegex(proved[name], "^proved in ")
        for name in self.addresses():
            kept = self.eventually(name, len(writer.acknowledged))
            self.assertEqual(set(), set(writer.acknowledged) - kept, name)

    def eventually(self, name, count):
        """Read the rows of a member until it has as many, or 60 s have passed."""
        for _ in range(300):
            rows = {row["n"] for row in self.sql(name, "SELECT n FROM myDB.writes")}
            if len(rows) >= count:
                break
            time.sleep(0.2)
        return rows
