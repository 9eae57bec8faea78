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

"""The faults before Swift, and what its files need of a file system."""

import errno
from pathlib import Path
from unittest import mock

import fixtures
import testtools
import webob

from trove_ext.sandbox import state, swift_config
from trove_ext.sandbox.faults import Fault, Faults

ACCOUNT = "/v1/AUTH_p1"
ID = "d2a2f0c1-7a05-4e2b-8a0e-70c9a7d1f001"
BACKUP = f"{ACCOUNT}/database_backups/{ID}.xbstream"
NOT_BACKUPS = (
    ACCOUNT,
    f"{ACCOUNT}/database_backups/{ID}_00000000",
    f"{ACCOUNT}/database_logs/{ID}/mariadb-general/log-2026-11-30T03:57:30.322600",
)


class FaultsTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        root = Path(self.useFixture(fixtures.TempDir()).path)
        self.faults = Faults(root)
        # Importing the module of the server would patch this process.
        self.useFixture(fixtures.MockPatch("eventlet.monkey_patch"))
        from trove_ext.sandbox import swift_server

        self.application = swift_server.FaultyStore(
            webob.Response(status=204, headers=[("Etag", "abc"), ("X-A", "b")]),
            self.faults,
        )

    def ask(self, method, path):
        return webob.Request.blank(path, method=method).get_response(self.application)

    def test_a_backup_can_be_read_and_not_deleted_unlike_other_objects(self):
        self.faults.set(Fault("backup-delete", "error", "the store is down"))
        refused = self.ask("DELETE", BACKUP)
        self.assertEqual(403, refused.status_code)
        self.assertEqual("the store is down", refused.text)
        self.assertEqual(204, self.ask("GET", BACKUP).status_code)
        for path in NOT_BACKUPS:
            self.assertEqual(204, self.ask("DELETE", path).status_code)

    def test_etags_are_quoted_as_long_as_the_fault_is_set(self):
        self.assertEqual("abc", self.ask("HEAD", BACKUP).headers["etag"])
        self.faults.set(Fault("quoted-etag", "error", "x"))
        for _ in "12":
            found = self.ask("HEAD", BACKUP).headers
            self.assertEqual(('"abc"', "b"), (found["etag"], found["x-a"]))


class AttributesTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.root = Path(self.useFixture(fixtures.TempDir()).path)

    def test_a_probe_leaves_nothing(self):
        swift_config.check_attributes(self.root)
        self.assertEqual([], list(self.root.iterdir()))

    def test_a_file_system_without_them_is_refused(self):
        broken = OSError(errno.ENOTSUP, "Operation not supported")
        with mock.patch("os.setxattr", side_effect=broken):
            error = self.assertRaises(
                state.SandboxError, swift_config.check_attributes, self.root
            )
        self.assertIn("Operation not supported", str(error))
        self.assertIn("--dir", str(error))
        self.assertEqual([], list(self.root.iterdir()))
