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

"""The base of the tests of the fake cloud."""

from typing import Any

import testtools
from troveclient.apiclient import exceptions

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import make_client


class FakeTestCase(testtools.TestCase):
    """A fake cloud and the real troveclient over it."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = FakeClock()
        self.cloud = FakeCloud(self.clock)
        self.client = make_client(self.cloud)

    def refused(self, code: int, call: Any, *args: Any, **kwargs: Any) -> str:
        """Check that Trove refuses with this code; return its text."""
        error = self.assertRaises(exceptions.HttpError, call, *args, **kwargs)
        self.assertEqual(code, error.http_status, error)
        return str(error.message)

    def states_of(self, *instances: Any) -> list[tuple[str, str]]:
        """Read status and operating status of instances."""
        rows = [self.client.instances.get(i.id) for i in instances]
        return [(row.status, row.operating_status) for row in rows]

    def watch(self, read: Any, seconds: float, step: float = 1.0) -> list[Any]:
        """Read every `step` for `seconds`; return the changes, in order."""
        seen: list[Any] = []
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            value = read()
            if not seen or seen[-1] != value:
                seen.append(value)
            self.clock.sleep(step)
        return seen

    def source_of(self, instance: Any) -> str | None:
        """Read `replica_of`."""
        row = self.client.instances.get(instance.id)
        return getattr(row, "replica_of", {}).get("id")
