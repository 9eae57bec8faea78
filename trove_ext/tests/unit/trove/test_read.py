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

"""What is read is what Trove has sent, or an error."""

import json

from trove_ext.exceptions import (
    UnreachableError,
)
from trove_ext.tests.unit.trove.answers import AnswerTestCase
from trove_ext.trove import read


class TestBackups(AnswerTestCase):
    def test_a_backup_whose_parent_can_not_be_read_does_not_count_as_full(self):
        info = self.cloud.client.backups.get(self.backup.id).to_dict()
        for parent in ([], {}, 0, False):
            body = json.dumps({"backup": {**info, "parent_id": parent}}).encode()
            cloud = self.answering(200, body)
            self.assertRaises(UnreachableError, read.get_backup, cloud, self.backup.id)
