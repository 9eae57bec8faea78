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


"""The requests of the commands are those of the documents, for any number of targets."""

import csv
import pathlib
import re
from datetime import timedelta
from typing import NamedTuple

import fixtures
import testtools

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.fake.state import BackupState, Task

TABLE = pathlib.Path(__file__).parents[3] / "doc/source/reference/requests.csv"
#: Numbers of targets; the figures are for up to 20 instances.
COUNTS = (2, 9)
KEEP = "--keep-last 1 --chain-length 1"


class Figures(NamedTuple):
    """A row of the table."""

    once: int
    each: int
    look: int


def documented():
    with TABLE.open(encoding="utf-8", newline="") as stream:
        return {
            name: Figures(*map(int, row)) for name, *row in list(csv.reader(stream))[1:]
        }


class TestRequests(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.table = documented()

    def make(self, count):
        """Make instances, each with a backup of the day before."""
        self.cloud = FakeCloud(FakeClock(limit=400 * 86400.0))
        self.cloud.timings.backup = 20.0
        self.rows = []
        for number in range(count):
            instance = self.cloud.add_instance(f"db{number}")
            created = self.cloud.clock.now() - timedelta(hours=30)
            name = f"db{number}-full-20250101T000000Z"
            self.rows.append(self.cloud.add_backup(name, instance, created=created))

    def run_line(self, line):
        """Run a command; return its requests to Trove and its sleeps."""
        names = " ".join(instance.name for instance in self.cloud.live_instances)
        backups = " ".join(backup.name for backup in self.rows)
        argv = ["database", *line.format(names=names, backups=backups).split()]
        slept = len(self.cloud.clock.sleeps)
        result = run_openstack(argv, self.cloud)
        self.assertEqual(0, result.exit_code, result.stderr)
        sent = len(result.requests.to_trove())
        return sent, len(self.cloud.clock.sleeps) - slept

    def check(self, name, line, *, before=lambda: None, waits=0):
        """Compare the requests of a command with a row of the table.

        :param waits: how many waits there are: each looks once more than it sleeps
        """
        figures = self.table.pop(name)
        for count in COUNTS:
            self.make(count)
            before()
            sent, slept = self.run_line(line)
            looks = slept + waits
            expected = figures.once + count * figures.each + looks * figures.look
            self.assertEqual(expected, sent, f"{name}: {count} targets, {looks} looks")

    def test_each_row_is_what_the_command_sends(self):
        rotate = "backup rotate {names}"
        every = "backup rotate --all"
        self.check("backup check <instance>...", "backup check {names} --max-age 9d")
        self.check("backup check --all", "backup check --all --max-age 9d")
        self.check(
            "backup rotate <instance>..., nothing due",
            rotate,
            before=lambda: self.run_line(rotate),
        )
        self.check("backup rotate <instance>...", rotate, waits=1)
        self.check(
            "backup rotate --all, nothing due",
            every,
            before=lambda: self.run_line(every),
        )
        self.check("backup rotate --all", every, waits=1)
        self.check(
            "backup prune --all --dry-run", "backup prune --all --keep-last 1 --dry-run"
        )
        self.check(
            "backup wait <backup>...",
            "backup wait {backups}",
            before=self.build,
            waits=1,
        )
        self.check(
            "instance wait <instance>...",
            "instance wait {names}",
            before=self.restart,
            waits=1,
        )
        self.check_policies()
        self.check_deletes()
        self.assertEqual({}, self.table, "rows that no test holds")

    def check_policies(self):
        """Compare the commands that read a policy file."""
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        daily, rarely = folder / "daily.yaml", folder / "rarely.yaml"
        daily.write_text("rules: [{every: 1d}]")
        rarely.write_text("rules: [{every: 9d, keep_last: 9, verify_every: year}]")
        self.check("backup rotate --policy", f"backup rotate --policy {daily}", waits=1)
        for name, line in (
            ("backup rotate --policy, nothing due", f"rotate --policy {rarely}"),
            ("backup check --policy", f"check --policy {rarely}"),
            ("backup policy show", f"policy show {rarely}"),
            ("backup prune --policy --dry-run", f"prune --policy {rarely} --dry-run"),
            ("backup verify --policy, nothing due", f"verify --policy {rarely}"),
        ):
            self.check(name, f"backup {line}", before=self.add_older)

    def add_older(self):
        """Add an older backup of each, the first of its year."""
        created = self.cloud.clock.now() - timedelta(hours=50)
        for number, instance in enumerate(self.cloud.live_instances):
            name = f"db{number}-full-20250102T000000Z"
            self.cloud.add_backup(name, instance, created=created)

    def check_deletes(self):
        """Compare a rotation that deletes a backup of each with one that does not."""
        figures = self.table.pop(
            "backup rotate, for each backup that retention deletes"
        )
        rotate = documented()["backup rotate --all"]
        for count in COUNTS:
            self.make(count)
            sent, slept = self.run_line(f"backup rotate --all {KEEP}")
            self.assertEqual(count, len(self.cloud.live_backups))
            looks = slept + 2
            alone = rotate.once + count * rotate.each
            expected = alone + count * figures.each + looks * figures.look
            self.assertEqual(expected, sent, f"{count} deletes, {looks} looks")

    def build(self):
        for backup in self.rows:
            backup.state = BackupState.BUILDING
            self.cloud.clock.after(
                20.0, lambda b=backup: setattr(b, "state", BackupState.COMPLETED)
            )

    def restart(self):
        for instance in self.cloud.live_instances:
            self.cloud.set_task(Task.REBOOTING, instance)
            self.cloud.clock.after(
                20.0, lambda i=instance: self.cloud.set_task(Task.NONE, i)
            )

    def test_the_limit_of_the_documents_is_that_of_the_code(self):
        from trove_ext.polling import LOOKS_A_MINUTE

        text = TABLE.with_suffix(".rst").read_text(encoding="utf-8")
        (limit,) = re.findall(r"limit is (\d+) requests a minute", text)
        self.assertEqual(LOOKS_A_MINUTE, int(limit))
