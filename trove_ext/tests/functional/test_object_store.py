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

"""What guests store in the sandbox's real Swift: backups and logs."""

import json
from pathlib import Path
from unittest import mock

import fixtures
import yaml
from swiftclient.client import Connection
from swiftclient.exceptions import ClientException

from trove_ext.sandbox import clouds
from trove_ext.sandbox.guest import backup_store
from trove_ext.sandbox.labels import DEFAULT_NETWORK
from trove_ext.tests.functional.base import PROGRESS, FunctionalTestCase
from trove_ext.tests.promises import Promise, shows

CONTAINER = "parts"


@shows(Promise.RESTORE)
class ObjectStoreTest(FunctionalTestCase):
    def setUp(self):
        super().setUp()
        self.swift = self.connection(self.cloud)
        self.store = backup_store.BackupStore(self.swift, CONTAINER)
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.addCleanup(self.empty)

    def connection(self, cloud):
        path = Path(self.environment["OS_CLIENT_CONFIG_FILE"])
        entry = yaml.safe_load(path.read_text())["clouds"][cloud]
        auth = entry["auth"]
        return Connection(
            authurl=auth["auth_url"],
            user=auth["username"],
            key=auth["password"],
            auth_version="3",
            os_options={
                "project_name": auth["project_name"],
                "user_domain_name": "Default",
                "project_domain_name": "Default",
                "region_name": entry["region_name"],
            },
            retries=0,
        )

    def empty(self):
        for row in self.swift.get_container(CONTAINER)[1]:
            self.swift.delete_object(CONTAINER, row["name"])
        self.swift.delete_container(CONTAINER)

    def names(self):
        return [row["name"] for row in self.swift.get_container(CONTAINER)[1]]

    def save(self, backup_id, content, parent=None):
        archive = self.directory / f"{backup_id}.xbstream"
        archive.write_bytes(content)
        return self.store.save(archive.name, archive, {"lsn": "7"}, parent)

    def content(self, stored):
        with (self.directory / "read").open("w+b") as target:
            self.store.load(stored, target)
            return target.read()

    def test_a_small_backup_is_one_object_whose_etag_has_no_quotes(self):
        full = self.save("b0", b"x" * 3_000_000)
        self.assertEqual(["b0.xbstream"], self.names())
        headers = self.swift.head_object(CONTAINER, "b0.xbstream")
        self.assertEqual(full.checksum, headers["etag"])
        self.assertEqual("7", headers["x-object-meta-lsn"])
        self.assertEqual(b"x" * 3_000_000, self.content(full))
        added = self.save("b1", b"y", full)
        self.assertEqual(
            [full, added], self.store.chain(added.location, added.checksum)
        )

    def test_a_large_backup_has_segments_and_an_etag_in_quotes(self):
        content = b"0123456789" * 25
        with mock.patch.object(backup_store, "SEGMENT_BYTES", 100):
            stored = self.save("b0", content)
        self.assertEqual(
            ["b0.xbstream", "b0_00000000", "b0_00000001", "b0_00000002"], self.names()
        )
        headers = self.swift.head_object(CONTAINER, "b0.xbstream")
        self.assertEqual(f'"{stored.checksum}"', headers["etag"])
        self.assertEqual("True", headers["x-static-large-object"])
        self.assertEqual(content, self.content(stored))
        # As Trove deletes it.
        query = "multipart-manifest=delete"
        self.swift.delete_object(CONTAINER, "b0.xbstream", query_string=query)
        self.assertEqual([], self.names())

    def test_another_project_is_refused(self):
        self.save("b0", b"x")
        stranger = self.connection(clouds.ADMIN_CLOUD)
        stranger.url, stranger.token = self.swift.url, stranger.get_auth()[1]
        error = self.assertRaises(
            ClientException, stranger.head_object, CONTAINER, "b0.xbstream"
        )
        self.assertEqual(403, error.http_status)

    def test_clients_find_it_in_the_catalogue(self):
        self.save("b0", b"abc")
        found = json.loads(
            self.openstack("object", "show", CONTAINER, "b0.xbstream", "-f", "json")
        )
        self.assertEqual("3", found["content-length"])


@shows(Promise.SANDBOX)
class LogsTest(FunctionalTestCase):
    """Stock commands: the sandbox does what Trove's guest does."""

    def test_a_log_is_switched_on_published_read_and_discarded(self):
        self.openstack(
            *("database", "instance", "create", "db-1", "--flavor", "db.small"),
            *("--size", "1", "--datastore", "mysql", "--datastore-version", "5.7.29"),
            *("--nic", f"net-id={DEFAULT_NETWORK.id}", "--wait"),
            stderr=PROGRESS,
        )
        logs = self.openstack_json("database", "log", "list", "db-1")
        found = {row["Name"]: row["Status"] for row in logs}
        # Trove shows the log of errors to administrators alone.
        self.assertEqual({"general": "Disabled", "slow_query": "Disabled"}, found)
        self.log("set", "db-1", "general", "--enable")
        self.openstack("database", "db", "list", "db-1")
        published = json.loads(self.log("set", "db-1", "general", "--publish"))
        # Queries of the agent may be added between the upload and the response.
        self.assertIn(published["status"], {"Published", "Partial"})
        self.assertGreater(published["published"], 0)
        shown = self.openstack("database", "log", "tail", "db-1", "general")
        self.assertIn("SCHEMATA", shown.upper())
        self.log("set", "db-1", "general", "--discard")
        objects = ("object", "list", published["container"], "-f", "json")
        self.assertEqual([], json.loads(self.openstack(*objects)))
        refused = self.run_openstack(
            "database", "log", "set", "db-1", "error", "--publish"
        )
        self.assertEqual(1, refused.exit_code)
        self.assertIn("You must be admin", refused.stderr)

    def log(self, *argv):
        return self.openstack("database", "log", *argv, "-f", "json")
