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

"""The stock commands with ``--wait``, and the guide's forms, over the fake cloud."""

import importlib.metadata
from unittest import mock

import testtools

from trove_ext.osc.hooks import hook
from trove_ext.osc.hooks.base import HookedCommand
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.unit.osc.hooks.base import HookTestCase


def load_hooks():
    """Every hook that is registered, by the group of its command."""
    return {
        entry.group: entry.load()
        for entry in importlib.metadata.distribution("trove-ext").entry_points
        if entry.group.startswith("openstack.cli.")
    }


class TestCliffVersions(testtools.TestCase):
    def test_every_hook_has_an_epilog_which_cliff_4_9_0_joins_unchecked(self):
        hooks = load_hooks()
        self.assertEqual(14, len(hooks))
        for group, hook_class in hooks.items():
            name = group.removeprefix("openstack.cli.").replace("_", " ")
            epilog = hook_class(mock.MagicMock(cmd_name=name)).get_epilog()
            self.assertIsInstance(epilog, str, group)
            self.assertIn("trove-ext plugin", epilog, group)


class TestTable(testtools.TestCase):
    def test_each_command_of_the_table_has_an_entry_point_and_a_handler(self):
        names = {group.removeprefix("openstack.cli.") for group in load_hooks()}
        self.assertEqual({name.replace(" ", "_") for name in hook.COMMANDS}, names)
        for name in hook.COMMANDS:
            made = hook.Hook(mock.MagicMock(cmd_name=name))
            self.assertIsInstance(made._handler(), HookedCommand, name)


class TestTimeout(HookTestCase):
    def test_a_time_out_without_wait_is_a_usage_error_and_sends_nothing(self):
        self.cloud.add_backup("b1", self.db1)
        for line in (
            "backup create db1 b2 --timeout 5",
            "backup delete b1 --timeout 3600",
            "instance restart db1 --timeout 0",
            "backup restore b1 new --timeout 5",
            "backup chain delete b1 --yes --timeout 5",
        ):
            result = self.run_line(line)
            self.assertEqual(2, result.exit_code, line)
            self.assertIn("--wait", result.stderr.splitlines()[-1])
            self.assertEqual([], result.requests.changing)


class TestLogIn(HookTestCase):
    def test_a_silent_keystone_does_not_hang_a_command_that_waits(self):
        hang = Fault(Kind.HANG, 1, lasting=True)
        for line in ("instance restart db1 --wait", "instance wait db1"):
            result = self.run_line(line, faults=[hang])
            self.assertEqual(1, result.exit_code)
            self.assertLess(self.clock.monotonic(), 600)
