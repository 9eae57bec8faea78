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

"""Without an option of ours a hooked stock command is the stock command."""

import contextlib
from unittest import mock

import testtools
from stevedore import extension

from trove_ext.osc.hooks.hook import COMMANDS
from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.promises import Promise, shows

NIC = "net-id=908816f1-933c-4ff2-8595-f0f57c689e48"
#: One line for each hooked command, and the ways in which it is refused.
LINES = (
    "backup create --instance db1 b9 -f json",
    "backup create b9 --instance db1 --incremental -f value -c name",
    "backup create b9",
    "backup create b9 --instance nobody",
    "backup delete b2",
    "backup delete b2 nobody",
    "backup list -f json",
    "backup list --limit 1 -f csv",
    "instance create new --flavor 10 --size 1 --nic " + NIC + " -f json",
    "instance create new --size 1",
    "instance create new --flavor 10 --size 0",
    "instance create rep --replica-of db1 --nic " + NIC + " -f json",
    "instance create back --flavor 10 --size 5 --backup b1 --nic " + NIC + " -f yaml",
    "instance delete alone",
    "instance delete alone nobody",
    "instance delete db1",
    "instance delete --force alone",
    "instance detach rep1",
    "instance eject db1",
    "instance promote rep1",
    "instance promote db1",
    "instance reboot alone",
    "instance rebuild {alone} 0ffee5af-e2ae-41f7-899b-6bbc4e0b526e",
    "instance resize flavor alone db.medium",
    "instance resize volume alone 9",
    "instance restart alone",
    "instance restart nobody",
    "instance upgrade alone 5.7.29",
)


def make_cloud():
    """Make the same cloud each time: the IDs of the fake are generated from a seed."""
    cloud = FakeCloud(FakeClock())
    db1 = cloud.add_instance("db1", databases=("shop",))
    cloud.add_instance("rep1", replica_of=db1)
    cloud.add_instance("alone")
    b1 = cloud.add_backup("b1", db1)
    cloud.add_backup("b2", db1, parent=b1)
    return cloud


@contextlib.contextmanager
def without_hooks():
    """Load no hook: the commands as python-troveclient ships them."""
    real = extension.ExtensionManager

    def manager(namespace, *args, **kwargs):
        if namespace.startswith("openstack.cli.database"):
            return real("trove_ext.tests.nothing", *args, **kwargs)
        return real(namespace, *args, **kwargs)

    with mock.patch.object(extension, "ExtensionManager", manager):
        yield


def run(line):
    cloud = make_cloud()
    words = line.format(alone=cloud.instance("alone").id).split()
    result = run_openstack(["database", *words], cloud)
    changing = [(r.method, r.path, r.body) for r in result.requests.changing]
    return result, changing


@shows(Promise.STOCK)
class TestParity(testtools.TestCase):
    def test_every_hooked_command_is_compared(self):
        for command in COMMANDS:
            words = command.removeprefix("database ")
            self.assertTrue(
                any(line.startswith(f"{words} ") for line in LINES),
                f"no line for {command}",
            )

    def test_same_changing_requests_same_stdout_same_exit_code(self):
        for line in LINES:
            with self.subTest(line):
                with without_hooks():
                    stock, stock_changes = run(line)
                ours, our_changes = run(line)
                if line.startswith(("instance reboot", "instance rebuild")):
                    # Stock posts to a URL without the ID when given a name.
                    continue
                self.assertEqual(stock_changes, our_changes)
                self.assertEqual(stock.stdout, ours.stdout)
                self.assertEqual(stock.exit_code, ours.exit_code)
                self.assertNotIn("Traceback", ours.stderr)


@shows(Promise.STOCK)
class TestBetterThanStock(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = FakeCloud(FakeClock())
        for number in range(60):
            self.cloud.add_instance(f"db{number:02}")
        self.names = [instance.name for instance in self.cloud.live_instances]

    def run_line(self, line):
        return run_openstack(["database", *line.split()], self.cloud)

    def test_a_name_on_any_page_is_found(self):
        for name in (self.names[0], self.names[30], self.names[-1]):
            result = self.run_line(f"instance restart {name}")
            self.assertEqual((0, ""), (result.exit_code, result.stderr))
            (request,) = result.requests.changing
            self.assertIn(self.cloud.instance(name).id, request.path)

    def test_an_ambiguous_name_lists_both_ids_and_sends_nothing(self):
        twins = [self.cloud.add_instance("twin") for _ in range(2)]
        result = self.run_line("instance promote twin")
        self.assertEqual(1, result.exit_code)
        for twin in twins:
            self.assertIn(twin.id, result.stderr)
        self.assertEqual([], result.requests.changing)

    def test_reboot_by_name_names_the_instance(self):
        # The fake allows no plain user to reboot, but it received the request.
        result = self.run_line("instance reboot db30")
        (request,) = result.requests.changing[:1]
        self.assertIn(self.cloud.instance("db30").id, request.path)

    def test_the_instance_filter_of_backup_list_applies_on_every_page(self):
        mine, other = self.cloud.instance("db00"), self.cloud.instance("db01")
        for number in range(30):
            self.cloud.add_backup(f"mine{number}", mine)
            self.cloud.add_backup(f"other{number}", other)
        result = self.run_line("backup list --instance db00 -f value -c Name")
        names = result.stdout.split()
        self.assertEqual(30, len(names))
        self.assertEqual([], [name for name in names if name.startswith("other")])
