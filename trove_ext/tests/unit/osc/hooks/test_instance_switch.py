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

"""The stock commands that change roles, with the hook: the whole set is followed."""

from trove_ext.tests.unit.osc.hooks.base import HookTestCase


class TestSwitch(HookTestCase):
    def setUp(self):
        super().setUp()
        self.rep1 = self.cloud.add_instance("rep1", replica_of=self.db1)
        self.rep2 = self.cloud.add_instance("rep2", replica_of=self.db1)

    def test_promote_waits_for_the_roles_of_the_whole_set(self):
        self.succeed("instance promote rep1 --wait")
        self.assertIsNone(self.rep1.replica_of)
        self.assertEqual(self.rep1.id, self.db1.replica_of)
        self.assertEqual(self.rep1.id, self.rep2.replica_of)

    def test_a_failed_promote_reports_the_state_of_every_member(self):
        self.cloud.fail_promote_candidate()
        result = self.run_line("instance promote rep1 --wait")
        self.assertEqual(1, result.exit_code)
        for instance in (self.db1, self.rep1, self.rep2):
            self.assertRegex(
                result.stderr, rf"{instance.name} \({instance.id}\).* ERROR"
            )

    def test_a_time_out_of_promote_names_commands_that_continue(self):
        result = self.run_line("instance promote rep1 --wait --timeout 0.5")
        self.assertEqual(124, result.exit_code)
        # The first step waits; the others are for a promote that got stuck.
        commands = self.advised(result)[:2]
        for command in commands:
            self.assertTrue(command.startswith("instance wait "), command)
        for command in commands:
            self.succeed(command)
        self.assertIsNone(self.rep1.replica_of)

    def test_detach_waits_for_the_role_to_go(self):
        self.succeed("instance detach rep1 --wait")
        self.assertIsNone(self.rep1.replica_of)

    def test_eject_waits_for_the_remaining_members(self):
        self.cloud.host_off(self.db1)
        self.clock.sleep(300)
        self.succeed("instance eject db1 --wait")
        sources = {self.rep1.replica_of, self.rep2.replica_of}
        self.assertIn(None, sources)
        self.assertNotIn(self.db1.id, sources)
