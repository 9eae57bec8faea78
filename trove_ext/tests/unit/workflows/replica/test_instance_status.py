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

"""All that matters about one instance, as one record."""

from datetime import timedelta

from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.unit import requires
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.workflows.replica.instance_status import read_status


class TestStatus(BackupTestCase):
    def status(self, name="db1"):
        return read_status(self.cloud, name)

    def test_an_instance_alone(self):
        found = self.status()
        self.assertEqual((), found.members)
        self.assertIsNone(found.backup)
        self.assertFalse(found.restart_pending)
        self.assertEqual(6.2, round(found.used_percent, 1))

    def test_a_member_has_its_whole_set(self):
        self.fake.add_instance("rep", replica_of=self.db1)
        names = {member.name for member in self.status("rep").members}
        self.assertEqual({"db1", "rep"}, names)

    def test_the_newest_backup_that_can_be_restored(self):
        self.chain("b", 3, 10)
        self.add("failed", 1, state=BackupState.FAILED)
        running = self.add("running", 0, state=BackupState.BUILDING)
        found = self.status()
        self.assertEqual(("b-2", 3), (found.backup.name, found.chain_length))
        self.assertEqual(running.id, found.running.id)
        hours = found.age(found.backup.created) / timedelta(hours=1)
        self.assertAlmostEqual(8, hours, places=2)

    def test_a_time_ahead_of_now_has_no_age(self):
        found = self.status()
        self.assertIsNone(found.age(found.now + timedelta(days=1)))

    @requires.tls
    def test_the_days_until_the_certificate_ends(self):
        self.db1.ssl_expires = self.clock.now() + timedelta(days=30, hours=1)
        self.assertEqual(30, self.status().tls_days_left)

    def test_an_instance_that_is_not_settled_is_not_asked_for_its_tls(self):
        self.fake.kill_database(self.db1)
        self.assertIsNone(self.status().tls)
