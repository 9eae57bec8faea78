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

"""Rehearse an upgrade of PostgreSQL on a restored instance."""

from trove_ext.tests.functional import postgresql
from trove_ext.tests.promises import Ground, Promise, shows


@shows(Promise.VERIFY, on=Ground.POSTGRESQL)
class UpgradeTest(postgresql.PostgresTestCase):
    def verify(self, backup, version, expect=0):
        """The results of a rehearsal, by step."""
        query = ("--query", "SELECT count(*) FROM t", "--expect", "2")
        argv = ("database", "backup", "verify", backup, "--upgrade-to", version, *query)
        rows = self.openstack_json(*argv, expect=expect, stderr=".*")
        return {row["Step"]: row["Result"] for row in rows}

    def test_the_rows_are_counted_after_it_and_another_major_version_is_refused(self):
        source = self.make_source()
        self.add(source, 1)
        full = self.backup(source, "full")
        self.add(source, 2)
        backup = self.backup(source, "incremental", full)
        right = self.verify(backup, f"{postgresql.VERSION}.99")
        self.assertEqual("upgraded", right["upgrade"])
        self.assertEqual("takes writes", right["recovery after the upgrade"])
        self.assertEqual("data checked", right["total"])
        major = str(int(postgresql.VERSION) + 1)
        refused = self.verify(backup, major, expect=1)
        self.assertEqual({"check": "FAILED", "total": "not tried"}, refused)
        names = [instance.name for instance in self.client.instances.list()]
        self.assertEqual(["source"], names)
        upgrade = ("database", "instance", "upgrade", source, major)
        run = self.run_openstack(*upgrade, "--wait")
        self.assertEqual(1, run.exit_code, run)
        self.assertIn("another major version", run.stderr)
        self.assertEqual(postgresql.VERSION, self.shown(source).datastore["version"])
        # Trove's word, without the plugin: the guest agent has refused it.
        self.openstack(*upgrade)
        self.wait_healthy(source)
        self.assertEqual(major, self.shown(source).datastore["version"])
        server = self.sql(source, "SHOW server_version_num")
        self.assertEqual(postgresql.VERSION, server[0][0][:2])
