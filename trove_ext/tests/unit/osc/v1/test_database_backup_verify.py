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

"""``database backup verify`` as it is typed."""

import testtools

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.harness import run_openstack


class TestTimeout(testtools.TestCase):
    def test_each_backup_has_the_whole_time(self):
        cloud = FakeCloud(FakeClock())
        db1 = cloud.add_instance("db1")
        for name in ("b1", "b2"):
            cloud.add_backup(name, db1)
        begun = cloud.clock.monotonic()

        def is_at_the_check_of_the_second(request):
            return request.path.endswith("/backups") and 60 < request.at - begun < 79

        argv = ["database", "backup", "verify", "b1", "b2"]
        result = run_openstack(
            [*argv, "--nic", "none", "--timeout", "80"],
            cloud,
            faults=[
                Fault(Kind.HTTP_503, only=is_at_the_check_of_the_second, lasting=True)
            ],
        )
        self.assertEqual(0, result.exit_code, result.stderr)
        self.assertIn("503", result.requests.text())
