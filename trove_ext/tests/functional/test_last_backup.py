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

"""A last backup before a delete: taken, checked, and restored afterwards."""

from trove_ext.tests.functional.replicas import (
    LONG,
    NETWORK,
    STDERR,
    ReplicaTestCase,
)
from trove_ext.tests.promises import Promise, shows

BACKUP = STDERR + r"|is restorable\.$"


@shows(Promise.DELETE)
class TestBackupFirst(ReplicaTestCase):
    """One instance without replicas."""

    count = 0

    def make_replicas(self, source, count, name="r"):
        """Create none."""

    def test_nothing_is_deleted_without_a_good_backup(self):
        delete = ("database", "instance", "delete", "db1", "--backup-first", "--wait")
        db1 = self.shown("instance", "show", "db1")["id"]
        self.sql("db1", "INSERT INTO myDB.writes VALUES (1), (2), (3)")
        self.fault("backup", db1, "--text", "the store is full", "--once")
        refused = self.run_openstack_here(*delete)
        self.assertEqual(1, refused.exit_code, refused)
        self.assertIn("the store is full", refused.stderr)
        self.assertIn("Nothing was done to db1", refused.stderr)
        self.assertEqual(3, len(self.sql("db1", "SELECT n FROM myDB.writes")))
        self.clear_faults()
        self.openstack_here(*delete, stderr=BACKUP)
        rows = self.shown("backup", "chain", "list", "--instance", db1)
        (name,) = [row["Name"] for row in rows if row["State"] == "restorable"]
        self.assertRegex(name, r"^db1-before-delete-\d{8}T\d{6}Z$")
        if LONG:
            self._rows_are_in_it(name)

    def _rows_are_in_it(self, backup):
        restored = self.run_openstack_here(
            *("database", "backup", "restore", backup, "db1", "--wait"),
            *("--flavor", "db.small", "--size", "1", "--no-configuration"),
            *("--nic", f"net-id={NETWORK}"),
        )
        self.assertEqual(0, restored.exit_code, restored)
        self.assertEqual(3, len(self.sql("db1", "SELECT n FROM myDB.writes")))
