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

"""What is forbidden in a sandbox, in its file of policies."""

from trove_ext.sandbox import (
    policies,
)
from trove_ext.sandbox.state import SandboxError
from trove_ext.tests.unit.sandbox.base import FilesTestCase


class TestPolicies(FilesTestCase):
    def test_nothing_is_forbidden_at_first(self):
        self.assertEqual({}, policies.read(self.where.policy))

    def test_what_is_forbidden_is_for_admins(self):
        policies.forbid(self.where.policy, "promote")
        expected = {"instance:promote_to_replica_source": "role:admin"}
        self.assertEqual(expected, policies.read(self.where.policy))

    def test_a_policy_can_apply_to_one_project(self):
        policies.forbid(self.where.policy, "backup-delete", "p1")
        rule = policies.read(self.where.policy)["backup:delete"]
        self.assertEqual("role:admin or not project_id:p1", rule)

    def test_several_add_up_and_clear_takes_all(self):
        policies.forbid(self.where.policy, "promote")
        policies.forbid(self.where.policy, "eject")
        self.assertEqual(2, len(policies.read(self.where.policy)))
        policies.clear(self.where.policy)
        self.assertEqual({}, policies.read(self.where.policy))

    def test_a_rule_of_troves_can_be_named_itself(self):
        self.assertEqual("configuration:create", policies.rule("configuration:create"))

    def test_every_rule_is_one_that_trove_checks(self):
        self.assertEqual(set(), set(policies.RULES.values()) - policies.known_rules())

    def test_an_unknown_action_is_refused(self):
        for action in ("dance", "instance:dance"):
            self.assertRaises(SandboxError, policies.rule, action)
