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

"""A chain of three backups for the tests of commands."""

import json
from datetime import timedelta

import testtools

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import run_openstack


class ChainTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.fake = FakeCloud(FakeClock())
        self.db1 = self.fake.add_instance("db1")
        self.full = self.add("full", 30)
        self.one = self.add("one", 20, parent=self.full)
        self.two = self.add("two", 10, parent=self.one)

    def add(self, name, hours=0, **kwargs):
        created = self.fake.clock.now() - timedelta(hours=hours)
        return self.fake.add_backup(
            name, kwargs.pop("instance", self.db1), created=created, **kwargs
        )

    def run_line(self, line, **kwargs):
        return run_openstack(["database", *line.split()], self.fake, **kwargs)

    def json(self, line):
        return json.loads(self.run_line(f"{line} -f json").stdout)

    def names(self):
        return {backup.name for backup in self.fake.live_backups}
