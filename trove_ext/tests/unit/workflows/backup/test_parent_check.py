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

"""A parent that will not do is refused."""

from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.osc.v1.base import ChainTestCase


@shows(Promise.PARENT)
class TestParent(ChainTestCase):
    def refused(self, line, *texts):
        result = self.run_line(line)
        self.assertEqual(1, result.exit_code)
        self.assertEqual([], result.requests.changing)
        for text in texts:
            self.assertIn(text, result.stderr)

    def test_a_parent_that_failed_is_refused_before_the_request(self):
        self.add("failed", parent=self.two, state=BackupState.FAILED)
        self.refused("backup create db1 new --parent failed --wait", "FAILED")

    def test_a_parent_of_another_instance_and_version_is_refused(self):
        db2 = self.fake.add_instance("db2", datastore="mariadb")
        self.add("other", instance=db2)
        self.refused(
            "backup create db1 new --parent other --wait",
            "another instance",
            "datastore version",
        )

    def test_a_replication_snapshot_is_refused_as_a_parent(self):
        self.add("Replication snapshot for x")
        snapshot = self.fake.backup("Replication snapshot for x")
        self.refused(f"backup create db1 new --parent {snapshot.id} --wait", "snapshot")

    def test_a_good_parent_is_accepted(self):
        result = self.run_line("backup create db1 new --parent two --wait")
        self.assertEqual(0, result.exit_code, result.stderr)
        self.assertEqual(self.two.id, self.fake.backup("new").parent_id)

    def test_the_form_of_the_guide_refuses_it_without_wait_too(self):
        self.add("failed", parent=self.two, state=BackupState.FAILED)
        self.refused("backup create db1 new --parent failed", "FAILED")

    def test_without_our_options_any_parent_is_sent_with_a_warning(self):
        self.add("failed", parent=self.two, state=BackupState.FAILED)
        result = self.run_line("backup create new --instance db1 --parent failed")
        self.assertEqual(1, len(result.requests.changing))
        self.assertIn("WARNING: No incremental backup of db1", result.stderr)
        self.assertIn("FAILED", result.stderr)
