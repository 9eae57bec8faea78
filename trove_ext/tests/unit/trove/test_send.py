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

"""A change is sent once, and recognised by its effect."""

from datetime import timedelta

from trove_ext.exceptions import (
    LostAnswerError,
)
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.unit.shown import shown
from trove_ext.tests.unit.trove.answers import AnswerTestCase
from trove_ext.trove import read, send


class TestChanges(AnswerTestCase):
    def act(self, cloud):
        before = read.get_instance(self.cloud, self.db1.id)
        post = lambda: cloud.client.instances.restart(self.db1.id)  # noqa: E731
        send.act(cloud, "restart of db1", before, post)

    def test_a_success_that_is_not_troves_does_not_count_as_accepted(self):
        for kind in (Kind.HTML, Kind.TEXT):
            cloud = self.faulty(kind, method="POST")
            self.assertRaises(LostAnswerError, self.act, cloud)
        for body, content_type in (
            (b'{"status": "ok"}', "application/json"),
            (b"\xef\xbb\xbf<!DOCTYPE html>", "text/plain"),
            (b"hello", "text/html; charset=utf-8"),
        ):
            cloud = self.answering(200, body, content_type)
            self.assertRaises(LostAnswerError, self.act, cloud)

    def test_a_backup_in_progress_is_no_evidence_of_an_action(self):
        def begin(request):
            if request.method == "POST":
                self.fake.before_request.clear()
                self.fake.start_backup("theirs", self.db1)

        cloud = self.faulty(Kind.HTTP_504, method="POST")
        self.fake.start_backup = lambda name, instance: self.fake.add_backup(
            name, instance, state=self.fake.backup("b1").state.__class__.BUILDING
        )
        self.fake.before_request.append(begin)
        error = self.assertRaises(LostAnswerError, self.act, cloud)
        self.assertIn("is BACKUP", str(error))
        self.assertIn(f"instance show {self.db1.id}", shown(error))

    def test_an_accepted_action_is_recognized(self):
        self.act(self.faulty(Kind.RESET_AFTER, method="POST"))
        self.assertIn("it took effect", self.progress.warnings[0])

    def create(self, cloud, name="new", **kwargs):
        post = lambda: cloud.client.backups.create(name, self.db1.id).id  # noqa: E731
        return send.create_backup(cloud, name, self.db1.id, post, **kwargs)

    def test_an_older_backup_of_the_same_name_is_not_adopted(self):
        self.add("new")
        cloud = self.faulty(Kind.HTTP_502, method="POST")
        error = self.assertRaises(LostAnswerError, self.create, cloud)
        self.assertIn("Nothing new with that name exists", str(error))
        self.assertIn("openstack database backup list", shown(error))

    def test_the_new_backup_is_found_beside_an_older_one_whatever_the_clocks_say(self):
        for skew in (timedelta(minutes=-20), timedelta(minutes=20)):
            old = self.add("new")
            cloud = self.faulty(Kind.RESET_AFTER, method="POST")

            def late(request, skew=skew):
                if request.method == "POST":
                    self.fake.after_request.clear()
                    for backup in self.fake.live_backups:
                        backup.created += skew

            self.fake.after_request.append(late)
            found = self.create(cloud)
            self.assertNotEqual(old.id, found)
            self.fake.backups[found].deleted = old.deleted = True
            self.clock.sleep(60)

    def test_a_backup_on_another_parent_is_not_adopted(self):
        def theirs(request):
            if request.method == "POST":
                self.fake.before_request.clear()
                self.add("new", parent=self.backup)

        self.fake.before_request.append(theirs)
        cloud = self.faulty(Kind.HTTP_502, method="POST")
        self.assertRaises(LostAnswerError, self.create, cloud)

    def test_an_effect_that_can_not_be_read_is_named_with_what_was_sent(self):
        def after_post(_request):
            return bool(self.requests("POST"))

        dark = Fault(Kind.RESET_AFTER, only=after_post, lasting=True)
        error = self.assertRaises(LostAnswerError, self.create, self.make_cloud([dark]))
        self.assertIn("result can't be read", str(error))
        self.assertIn("openstack database backup list", shown(error))

    def test_a_proxys_404_does_not_make_a_delete_done(self):
        cloud = self.faulty(Kind.NO_SUCH_PAGE, method="DELETE")
        backup = read.get_backup(self.cloud, self.backup.id)
        post = lambda: cloud.client.backups.delete(backup.id)  # noqa: E731
        self.assertRaises(
            LostAnswerError, send.delete, cloud, "delete of b1", backup, post
        )
