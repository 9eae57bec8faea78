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

"""``--project`` of ``backup chain list``, beside what test_names shows of it."""

import testtools

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.fake.transport import server_of


class TestProjects(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = FakeCloud(FakeClock())
        self.cloud.admin = True

    def list(self, project, faults=()):
        argv = ["database", "backup", "chain", "list", "--project", project]
        return run_openstack(argv, self.cloud, faults=list(faults))

    def asked(self, result):
        return [
            request.query.get("project_id") for request in result.requests.to_trove()
        ]

    def test_are_found_by_name_and_by_id(self):
        key = "a" * 32
        server_of(self.cloud).keystone.other_projects[key] = "theirs"
        for given in (key, "theirs"):
            result = self.list(given)
            self.assertEqual(0, result.exit_code, result.stderr)
            self.assertEqual([key], self.asked(result))

    def test_that_may_not_be_looked_up_are_given_by_id(self):
        forbidden = Fault(
            Kind.FORBIDDEN, 1, True, only=lambda request: "/projects" in request.path
        )
        key = "b" * 32
        self.assertEqual([key], self.asked(self.list(key, [forbidden])))

    def test_that_keystone_fails_to_look_up_are_an_error_of_the_cloud(self):
        broken = Fault(
            Kind.HTTP_503, 1, True, only=lambda request: request.query.get("name")
        )
        result = self.list("theirs", [broken])
        self.assertEqual(1, result.exit_code, result.stderr)
        self.assertNotIn("Internal error", result.stderr)
