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
"""The base of the tests of backup workflows."""

from datetime import timedelta
from typing import Any

import testtools

from trove_ext.follow_up import FollowUp
from trove_ext.osc.base.follow_up import render
from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import make_client
from trove_ext.trove.client import Cloud


class RecordedProgress:
    """A progress that records what is reported."""

    def __init__(self) -> None:
        self.states: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self.warnings: list[str] = []

    def update(self, subject: str, state: str) -> None:
        self.states.append((subject, state))

    def done(self) -> None:
        pass

    def note(self, text: str, *follow_ups: FollowUp) -> None:
        self.notes.append(render("openstack", text, follow_ups))

    def warn(self, text: str, *follow_ups: FollowUp) -> None:
        self.warnings.append(render("openstack", text, follow_ups))


class BackupTestCase(testtools.TestCase):
    """A fake cloud with one instance, and our own wrapper over the real client."""

    def setUp(self) -> None:
        super().setUp()
        self.fresh()

    def fresh(self) -> None:
        """Start again with a new cloud."""
        self.clock = FakeClock(limit=400 * 86400.0)
        self.fake = FakeCloud(self.clock)
        self.db1 = self.fake.add_instance("db1")
        self.progress = RecordedProgress()
        self.cloud = self.make_cloud()

    def make_cloud(self, faults: Any = None) -> Cloud:
        """Log in, as a run of a command does."""
        client = make_client(self.fake, faults)
        return Cloud(client, clock=self.clock, progress=self.progress)

    def add(self, name: str, hours: float = 0, **kwargs: Any) -> Any:
        """Add a backup of db1 that was taken this many hours ago."""
        instance = kwargs.pop("instance", self.db1)
        created = self.clock.now() - timedelta(hours=hours)
        return self.fake.add_backup(name, instance, created=created, **kwargs)

    def chain(self, name: str, count: int, hours: float, **kwargs: Any) -> list[Any]:
        """Add a chain: a full one and incrementals, an hour apart."""
        members: list[Any] = []
        for number in range(count):
            parent = members[-1] if members else None
            members.append(
                self.add(f"{name}-{number}", hours - number, parent=parent, **kwargs)
            )
        return members

    def names(self) -> set[str]:
        """Return the names of all remaining backups."""
        return {backup.name for backup in self.fake.live_backups}

    def requests(self, method: str, since: int = 0) -> list[Any]:
        """Return the requests to Trove."""
        return [
            request
            for request in self.fake.log[since:]
            if request.service == "trove" and request.method == method
        ]
