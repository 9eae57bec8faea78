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

"""What a run has sent, the responses, and what it waits for."""

import testtools

from trove_ext.follow_up import Action, Verb, wait_for_backup
from trove_ext.model.status import Phase
from trove_ext.polling import Reading, Target
from trove_ext.trove.journal import Change, Journal

FIRST = Change("delete of b1", Action(Verb.SHOW_BACKUP, ("b1",)), "b1")
SECOND = Change("delete of b2", Action(Verb.SHOW_BACKUP, ("b2",)), "b2")


def target(label, *states):
    left = iter(states)
    follow = wait_for_backup(label)
    return Target(label, lambda: Reading(Phase.BUSY, next(left)), follow)


class TestJournal(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.journal = Journal()

    def test_nothing_was_changed_before_anything_was_sent(self):
        self.assertTrue(self.journal.summary().changed_nothing)
        self.assertIsNone(self.journal.summary().last)

    def test_a_change_without_a_response_is_listed_separately(self):
        self.journal.sending(FIRST)
        self.journal.answered()
        self.journal.sending(SECOND)
        summary = self.journal.summary()
        self.assertEqual(((FIRST,), SECOND), (summary.sent, summary.unanswered))
        self.assertEqual(SECOND, summary.last)
        self.assertFalse(summary.changed_nothing)

    def test_a_refused_change_was_not_sent(self):
        self.journal.sending(FIRST)
        self.journal.answered()
        self.journal.sending(SECOND)
        self.journal.not_done()
        self.assertEqual((FIRST,), self.journal.summary().sent)
        self.assertIsNone(self.journal.summary().unanswered)
        self.assertFalse(self.journal.has_sent("b2"))

    def test_what_was_sent_about_a_resource_is_found_by_its_id_not_its_text(self):
        self.journal.sending(FIRST)
        self.assertTrue(self.journal.has_sent("b1"))
        self.assertFalse(self.journal.has_sent("delete of b1"))

    def test_a_wait_implies_that_the_change_arrived(self):
        self.journal.sending(FIRST)
        self.journal.waiting([target("b1")])
        self.assertEqual((FIRST,), self.journal.summary().sent)

    def test_what_is_only_watched_leaves_nothing_behind(self):
        self.journal.sending(FIRST)
        watched = Target("heartbeat", lambda: Reading(Phase.BUSY, "A"), None)
        (noted,) = self.journal.waiting([watched])
        noted.poll()
        summary = self.journal.summary()
        self.assertEqual(((), ()), (summary.awaited, summary.seen))
        self.assertEqual(FIRST, summary.unanswered)

    def test_the_last_reading_of_each_target_is_kept_also_of_equal_labels(self):
        noted = self.journal.waiting([target("db", "A", "B"), target("db", "C")])
        noted[0].poll()
        self.assertEqual((("db", "A"),), self.journal.summary().seen)
        noted[0].poll()
        noted[1].poll()
        self.assertEqual((("db", "B"), ("db", "C")), self.journal.summary().seen)

    def test_nothing_is_awaited_once_the_wait_has_ended(self):
        awaited = [target("db", "A")]
        self.journal.waiting(awaited)
        self.assertEqual(tuple(awaited), self.journal.summary().awaited)
        self.journal.waited()
        self.assertEqual((), self.journal.summary().awaited)
        self.assertEqual((), self.journal.summary().seen)
