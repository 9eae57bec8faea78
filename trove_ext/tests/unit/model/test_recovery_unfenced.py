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

"""A switch that failed on PostgreSQL: who takes writes, and what to do."""

from dataclasses import replace

import testtools

from trove_ext.follow_up import Verb
from trove_ext.model import recovery_unfenced
from trove_ext.model.instance import Instance
from trove_ext.model.recovery import Case, Writes


def member(name, replica_of=None, status="ERROR", operating="HEALTHY"):
    return Instance(name, name, status, operating, replica_of=replica_of)


class RecoveryTestCase(testtools.TestCase):
    source = member("db1")
    target = member("db2", "db1")
    sibling = member("db3", "db1")

    def promote(self, source, target, sibling, silent=()):
        case = Case(
            self.source, self.target, (source, target, sibling), frozenset(silent)
        )
        return recovery_unfenced.after_promote(case)

    def writes(self, diagnosis):
        return {each.instance.name: each.writes for each in diagnosis.findings}

    def replaced(self, diagnosis):
        return [
            action.arguments[0]
            for step in diagnosis.steps
            for action in step.actions
            if action.verb is Verb.REPLACE_REPLICA
        ]


class PromoteTest(RecoveryTestCase):
    def test_before_any_role_has_changed(self):
        found = self.promote(self.source, self.target, self.sibling)
        self.assertEqual(
            {"db1": Writes.WRITABLE, "db2": Writes.UNKNOWN, "db3": Writes.READ_ONLY},
            self.writes(found),
        )
        self.assertEqual(["db2"], self.replaced(found))

    def test_the_source_stays_if_only_the_target_has_lost_its_role(self):
        free = replace(self.target, replica_of=None)
        found = self.promote(self.source, free, self.sibling)
        self.assertIs(Writes.WRITABLE, self.writes(found)["db2"])
        self.assertEqual(["db2"], self.replaced(found))

    def test_the_target_is_the_source_once_others_follow_it(self):
        free = replace(self.target, replica_of=None)
        moved = replace(self.sibling, replica_of="db2")
        found = self.promote(self.source, free, moved)
        self.assertIs(Writes.WRITABLE, self.writes(found)["db1"])
        self.assertEqual(["db1"], self.replaced(found))

    def test_the_target_is_the_source_if_the_old_one_does_not_run(self):
        free = replace(self.target, replica_of=None)
        stopped = replace(self.source, operating_status="SHUTDOWN")
        found = self.promote(stopped, free, self.sibling)
        self.assertEqual(["db3", "db1"], self.replaced(found))

    def test_a_sibling_without_a_role_is_a_server_of_its_own(self):
        free = replace(self.target, replica_of=None)
        found = self.promote(
            replace(self.source, replica_of="db2"),
            free,
            replace(self.sibling, replica_of=None),
        )
        self.assertIs(Writes.WRITABLE, self.writes(found)["db3"])
        self.assertEqual(["db3"], self.replaced(found))

    def test_a_silent_source_is_replaced_by_the_one_that_is_named(self):
        found = self.promote(self.source, self.target, self.sibling, silent=("db1",))
        (step,) = found.steps
        self.assertEqual(["db2", "db3"], [each.target_id for each in step.actions])

    def test_nothing_advises_a_restart(self):
        for target in (self.target, replace(self.target, replica_of=None)):
            found = self.promote(self.source, target, self.sibling)
            verbs = {action.verb for step in found.steps for action in step.actions}
            self.assertNotIn(Verb.RESTART_INSTANCE, verbs)


class EjectTest(RecoveryTestCase):
    def test_the_replicas_are_reset_and_one_replaces_the_source(self):
        members = (self.source, self.target, self.sibling)
        found = recovery_unfenced.after_eject(Case(self.source, None, members))
        resets, _wait, failover = found.steps
        self.assertTrue(resets.admin)
        self.assertEqual(
            [("db2",), ("db3",)], [each.arguments for each in resets.actions]
        )
        self.assertEqual(["db2", "db3"], [each.target_id for each in failover.actions])
