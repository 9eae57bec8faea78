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

"""What a response proves, and what it does not: a proxy may have sent it."""

from keystoneauth1.identity import v3
from troveclient.v1 import client as trove_client

from trove_ext.exceptions import (
    LoginError,
    LostAnswerError,
    OutOfTimeError,
    PolicyError,
    RefusedError,
    UnreachableError,
)
from trove_ext.tests.fake import keystone
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.harness import make_session, run_openstack
from trove_ext.tests.fake.server import Reply
from trove_ext.tests.fake.transport import RENEWED, server_of
from trove_ext.tests.unit.shown import shown
from trove_ext.tests.unit.trove.answers import AnswerTestCase
from trove_ext.trove import read, send


class TestReads(AnswerTestCase):
    def test_after_a_rate_limit_the_read_is_retried(self):
        for kind in (Kind.SLOW_DOWN, Kind.RATE_LIMIT):
            start = self.clock.monotonic()
            cloud = self.faulty(kind, lasting=False, at=2, retry_after=30)
            self.assertEqual("b1", read.get_backup(cloud, self.backup.id).name)
            self.assertGreater(self.clock.monotonic() - start, 30)

    def test_no_read_continues_beyond_the_run(self):
        cloud = self.faulty(Kind.HTTP_503)
        cloud.start(5)
        start = self.clock.monotonic()
        error = self.assertRaises(
            OutOfTimeError, read.get_backup, cloud, self.backup.id
        )
        self.assertEqual(124, error.exit_code)
        self.assertLess(self.clock.monotonic() - start, 6)

    def test_what_is_read_after_the_run_has_its_own_budget(self):
        cloud = self.faulty(Kind.HTTP_503)
        cloud.start(5)
        self.clock.sleep(10)
        self.assertRaises(UnreachableError, read.get_backup, cloud, self.backup.id)


class TestRenewedTokens(AnswerTestCase):
    """keystoneauth renews a token inside a call: that is not Trove's response."""

    def renewing(self):
        """Make a cloud whose every request but the first needs a new token."""
        server_of(self.fake).keystone.single_use = True
        cloud = self.make_cloud()
        cloud.client.backups.list()
        return cloud

    def delete(self, cloud):
        backup = read.get_backup(cloud, self.backup.id)
        call = lambda: cloud.client.backups.delete(backup.id)  # noqa: E731
        send.delete(cloud, "delete of b1", backup, call)

    def changes(self):
        return [request.status for request in self.fake.log.changing]

    def test_every_request_is_carried_out_once(self):
        self.delete(self.renewing())
        self.assertEqual([401, 202], self.changes())

    def test_a_refusal_after_it_is_a_refusal_and_not_sent_again(self):
        self.fake.forbidden = {"backup:delete"}
        cloud = self.renewing()
        self.assertRaises(PolicyError, self.delete, cloud)
        self.assertEqual([401, 403], self.changes())
        self.assertTrue(cloud.journal.summary().changed_nothing)

    def test_each_kind_of_refusal_has_its_status(self):
        for kind, status in ((Kind.RENEWED_403, 403), (Kind.RENEWED_422, 422)):
            cloud = self.faulty(kind, method="DELETE")
            error = self.assertRaises(RefusedError, self.delete, cloud)
            self.assertEqual(status, error.status)
            self.assertIn(RENEWED[kind].value, str(error))

    def test_troves_own_401_is_a_refusal_too(self):
        replica = self.fake.add_instance("rep", replica_of=self.db1)
        cloud = self.renewing()
        post = lambda: cloud.client.instances.create(  # noqa: E731
            "new", replica_of=replica.id
        )
        self.assertRaises(RefusedError, cloud.change, "creation of new", post)

    def test_a_keystone_that_fails_at_it_leaves_the_change_undone(self):
        cloud = self.renewing()
        backup = read.get_backup(cloud, self.backup.id)

        def fails(request):
            return request.service == "keystone" and request.number > 5

        faults = [Fault(Kind.HTTP_503, only=fails, lasting=True)]
        cloud.client.client.session.session.get_adapter("http://x").faults = faults
        call = lambda: cloud.client.backups.delete(backup.id)  # noqa: E731
        error = self.assertRaises(UnreachableError, cloud.change, "delete of b1", call)
        self.assertNotIn("may or may not", str(error))
        self.assertTrue(cloud.journal.summary().changed_nothing)
        self.assertIn(self.backup, self.fake.live_backups)

    def test_a_page_that_a_redirect_leads_to_is_no_accepted_action(self):
        cloud = self.make_cloud()
        transport = cloud.client.client.session.session.get_adapter("http://x")
        ask = transport._ask

        def redirected(request, entry):
            if entry.service == "trove" and entry.method == "DELETE":
                return Reply(307, b"", {"Location": "http://web.fake/login"})
            return ask(request, entry)

        transport._ask = redirected
        self.assertRaises(LostAnswerError, self.delete, cloud)


class TestGivenToken(AnswerTestCase):
    """A token that was given directly can't be renewed."""

    def cloud_with_a_token(self):
        session = make_session(self.fake)
        auth = v3.Token(
            keystone.IDENTITY,
            token=session.get_token(),
            project_name=server_of(self.fake).keystone.project,
            project_domain_id="default",
        )
        session.auth = auth
        client = trove_client.Client(
            session=session, auth=auth, region_name="RegionOne", endpoint_type="public"
        )
        cloud = self.make_cloud()
        cloud.client = client
        return cloud

    def test_that_has_expired_is_named(self):
        cloud = self.cloud_with_a_token()
        server_of(self.fake).keystone.expire_tokens()
        error = self.assertRaises(LoginError, read.get_backup, cloud, self.backup.id)
        (line,) = str(error).splitlines()
        self.assertIn("OS_TOKEN", shown(error))
        self.assertIn("has expired or was revoked", line)
        self.assertNotIn("404", line)

    def test_that_expires_during_a_wait_leaves_a_command_that_continues(self):
        token = make_session(self.fake).get_token()
        env = {
            "OS_AUTH_TYPE": "token",
            "OS_TOKEN": token,
            "OS_USERNAME": None,
            "OS_PASSWORD": None,
            "OS_USER_DOMAIN_ID": None,
        }

        def expire(_seconds):
            server_of(self.fake).keystone.expire_tokens()

        self.clock.before_sleep.append(expire)
        argv = ["database", "backup", "create", "db1", "new", "--wait"]
        result = run_openstack(argv, self.fake, env=env)
        self.assertEqual(1, result.exit_code)
        *_, why, follow, login = result.stderr.splitlines()
        self.assertIn("--os-token", login)
        self.assertIn("has expired or was revoked", why)
        self.assertIn("openstack database backup wait", follow)
        self.clock.before_sleep.clear()
        again = follow.rpartition("run: openstack ")[2].split()
        self.assertEqual(0, run_openstack(again, self.fake).exit_code, follow)
