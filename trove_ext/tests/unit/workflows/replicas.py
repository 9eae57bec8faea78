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


"""A replica set in a fake cloud, and commands on it."""

import json
import shlex

import testtools

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import make_client, run_openstack
from trove_ext.tests.unit.workflows.backups import RecordedProgress
from trove_ext.trove.client import Cloud


class ReplicaTestCase(testtools.TestCase):
    """db1, the source, with its replicas db2 and db3; alone, which is in no set."""

    def setUp(self):
        super().setUp()
        self.make_set()

    def make_set(self):
        """Make the cloud; a new one if it is called again."""
        self.clock = FakeClock()
        self.fake = FakeCloud(self.clock)
        self.db1 = self.fake.add_instance("db1", databases=("shop",))
        self.db2 = self.fake.add_instance("db2", replica_of=self.db1)
        self.db3 = self.fake.add_instance("db3", replica_of=self.db1)
        for replica in (self.db2, self.db3):
            replica.read_only = True
        self.alone = self.fake.add_instance("alone")
        self.members = (self.db1, self.db2, self.db3)
        self.progress = RecordedProgress()
        self.cloud = Cloud(
            make_client(self.fake), clock=self.clock, progress=self.progress
        )

    def run_line(self, line, **kwargs):
        return run_openstack(["database", *shlex.split(line)], self.fake, **kwargs)

    def succeed(self, line, **kwargs):
        result = self.run_line(line, **kwargs)
        self.assertEqual(0, result.exit_code, result.stderr)
        return result

    def refuse(self, line, *parts, **kwargs):
        """Run a command that fails with these words and has changed nothing."""
        result = self.run_line(line, **kwargs)
        self.assertEqual(1, result.exit_code, result.stderr)
        self.assertEqual([], result.requests.changing, result.requests.text())
        for part in parts:
            self.assertIn(part, result.stderr)
        return result

    def rows(self, line, **kwargs):
        return json.loads(self.succeed(f"{line} -f json", **kwargs).stdout)

    def actions(self, result):
        """The changing requests of a run, in short."""
        return [
            next(iter(request.body)) if request.body else request.method
            for request in result.requests.changing
        ]
