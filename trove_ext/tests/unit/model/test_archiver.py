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

import dataclasses

import testtools

from trove_ext.model import archiver
from trove_ext.model.engine import MYSQL, POSTGRESQL
from trove_ext.tests.unit.model import trees


class TestArchiver(testtools.TestCase):
    def test_the_failure_of_a_full_backup_is_explained_with_the_way_out(self):
        text = archiver.explain("Failed to get backup metadata for backup b1.")
        self.assertIn("archiver is stuck", text)
        self.assertIn("archive_command", text)

    def test_only_an_incremental_of_postgresql_waits_for_it(self):
        full, incremental = trees.draw("a\n+- b BUILDING")
        self.assertIn("stuck", archiver.describe_hanging(incremental, POSTGRESQL))
        self.assertEqual("", archiver.describe_hanging(full, POSTGRESQL))
        self.assertEqual("", archiver.describe_hanging(incremental, MYSQL))
        snapshot = dataclasses.replace(incremental, storage_driver="cinder")
        self.assertEqual("", archiver.describe_hanging(snapshot, POSTGRESQL))
