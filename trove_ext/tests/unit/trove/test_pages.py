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

"""Lists in pages are read to their end."""

from trove_ext.exceptions import RefusedError
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.trove import pages


class TestPages(BackupTestCase):
    def setUp(self):
        super().setUp()
        self.made = {self.fake.add_configuration(f"g{n}").id for n in range(45)}

    def read(self):
        read = self.cloud.client.configurations.list
        return [row.id for row in pages.read_pages(self.cloud, "Groups", read)]

    def test_every_row_is_read_once(self):
        found = self.read()
        self.assertEqual(len(self.made), len(found))
        self.assertEqual(self.made, set(found))
        self.assertEqual(3, len(self.requests("GET")))

    def test_a_page_that_is_refused_is_an_error_not_the_end(self):
        self.cloud = self.make_cloud([Fault(Kind.FORBIDDEN, 2)])
        self.assertRaises(RefusedError, self.read)
