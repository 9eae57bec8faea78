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

"""A cloud for the tests of hooked commands."""

import shlex

import testtools

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import run_openstack


class HookTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.clock = FakeClock()
        self.cloud = FakeCloud(self.clock)
        self.db1 = self.cloud.add_instance("db1", databases=("shop",))

    def run_line(self, line, **kwargs):
        return run_openstack(["database", *shlex.split(line)], self.cloud, **kwargs)

    def succeed(self, line, **kwargs):
        result = self.run_line(line, **kwargs)
        self.assertEqual(0, result.exit_code, result.stderr)
        return result

    def advised(self, result):
        """The commands that a message advises."""
        return [
            line.strip().removeprefix("openstack database ")
            for line in result.stderr.splitlines()
            if line.strip().startswith("openstack database ")
        ]
