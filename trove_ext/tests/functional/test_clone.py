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

"""Clone an instance, and count its rows by SQL."""

from trove_ext.tests.functional.replicas import STDERR, ReplicaTestCase
from trove_ext.tests.promises import Promise, shows

CLONE = STDERR + r"|is restorable\.$|: (deleted|kept)\.$|Using the cloud's|To choose"


@shows(Promise.RESTORE, Promise.DELETE)
class TestClone(ReplicaTestCase):
    """One instance without replicas."""

    count = 0

    def make_replicas(self, source, count, name="r"):
        """Make none."""

    def test_the_clone_has_the_rows_and_the_backup_is_gone(self):
        fill = "INSERT INTO writes SELECT seq FROM seq_1_to_300"
        self.sql("db1", fill, database="myDB")
        shown = self.shown("instance", "clone", "db1", "copy", stderr=CLONE)
        rows = self.sql("copy", "SELECT count(*) AS n FROM myDB.writes")
        self.assertEqual(300, rows[0]["n"])
        self.sql("copy", "INSERT INTO myDB.writes VALUES (1000)")
        rows = self.sql("db1", "SELECT count(*) AS n FROM myDB.writes")
        self.assertEqual(300, rows[0]["n"])
        self.assertEqual([], self.shown("backup", "list"))
        source = self.shown("instance", "show", "db1")
        self.assertEqual(source["flavor"], shown["flavor_id"])
