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

"""``instance clone`` as a command."""

import json

from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase


class TestCommand(ReplicaTestCase):
    def test_the_result_is_the_clone_and_where_its_data_is_from(self):
        line = "instance clone alone copy --keep-backup -f json"
        shown = json.loads(self.succeed(line).stdout)
        (backup,) = self.fake.live_backups
        self.assertEqual(
            ("copy", "HEALTHY", backup.id),
            (shown["name"], shown["operating_status"], shown["backup_id"]),
        )
        self.assertEqual(f"alone ({self.alone.id})", shown["settings_from"])
