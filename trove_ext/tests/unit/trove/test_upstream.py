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

"""Private parts of python-troveclient and keystoneauth1, and warnings without them."""

import io
import sys
from types import SimpleNamespace
from unittest import mock

import testtools

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import make_client
from trove_ext.trove import upstream


class UpstreamTestCase(testtools.TestCase):
    """Collects the warnings of a process that has given none so far."""

    def setUp(self):
        super().setUp()
        self.stderr = io.StringIO()
        for patch in (
            mock.patch.object(sys, "stderr", self.stderr),
            mock.patch.object(upstream, "_reported", set()),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def assert_warned(self, *names):
        """There is one warning, and it has these names."""
        self.assertEqual(1, self.stderr.getvalue().count("WARNING: "))
        for name in names:
            self.assertIn(name, self.stderr.getvalue())


class TestWarning(UpstreamTestCase):
    def test_a_part_is_named_once_with_the_version_of_its_library(self):
        for _ in range(2):
            upstream.changed("cliff", "Command.run", "nothing works")
        self.assertRegex(
            self.stderr.getvalue(),
            r"^WARNING: cliff \d\S* has changed Command.run, .*: nothing works.\n$",
        )

    def test_a_closed_stderr_and_an_unknown_library_are_no_error(self):
        upstream.changed("no-such-library", "a", "b")
        with mock.patch.object(sys, "stderr", None):
            upstream.changed("cliff", "b", "c")
        self.assert_warned("no-such-library")


class TestClient(UpstreamTestCase):
    def setUp(self):
        super().setUp()
        self.cloud = FakeCloud(FakeClock())
        self.client = make_client(self.cloud)
        self.session = self.client.client.session

    def test_keystoneauth_still_has_a_time_out_for_each_request(self):
        before = self.session.timeout
        with upstream.request_timeout(self.client, 7.0):
            self.assertEqual(7.0, self.session.timeout, "keystoneauth1 changed timeout")
        self.assertEqual(before, self.session.timeout)
        self.assertEqual("", self.stderr.getvalue())

    def test_keystoneauth_still_calls_the_hooks_of_its_inner_session(self):
        seen = []
        with upstream.response_hook(
            self.client, lambda response, *_a, **_k: seen.append(response.status_code)
        ):
            self.client.instances.list()
        self.client.instances.list()
        self.assertEqual([200], seen, "keystoneauth1 changed Session.session.hooks")
        self.assertEqual("", self.stderr.getvalue())

    def test_troveclient_still_has_the_address_of_the_service(self):
        url = self.client.client.management_url
        self.assertTrue(url.startswith("http"), "troveclient changed management_url")

    def test_troveclient_still_sends_an_action(self):
        db = self.cloud.add_instance("db1")
        upstream.send_action(self.client.instances, db.id, {"restart": {}})
        request = self.cloud.log[-1]
        self.assertEqual("POST", request.method, "troveclient changed _action")
        self.assertIn(f"/instances/{db.id}/action", request.path)

    def test_a_client_without_a_session_works_with_a_warning(self):
        called = []
        client = SimpleNamespace(client=SimpleNamespace())
        with upstream.request_timeout(client, 7.0):
            called.append(1)
        self.assertEqual([1], called)
        self.assert_warned("python-troveclient", "Client.client.session")

    def test_a_session_without_a_time_out_works_with_a_warning(self):
        session = SimpleNamespace()
        client = SimpleNamespace(client=SimpleNamespace(session=session))
        with upstream.request_timeout(client, 7.0):
            pass
        self.assertEqual({}, vars(session))
        self.assert_warned("keystoneauth1", "Session.timeout")

    def test_a_session_without_hooks_works_with_a_warning(self):
        inner = SimpleNamespace(hooks={})
        session = SimpleNamespace(session=inner)
        client = SimpleNamespace(client=SimpleNamespace(session=session))
        with upstream.response_hook(client, print):
            pass
        self.assert_warned("keystoneauth1", "Session.session.hooks")

    def test_an_action_that_cannot_be_sent_is_named(self):
        self.assertRaises(
            AttributeError, upstream.send_action, SimpleNamespace(), "id", {}
        )
        self.assert_warned("python-troveclient", "Instances._action")
