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

"""The datastores, versions and flavors that a sandbox offers."""

from unittest import mock

import testtools

from trove_ext.sandbox import (
    database,
    labels,
)


class TestLabels(testtools.TestCase):
    def test_the_guides_labels_are_there(self):
        self.assertEqual("e3feb785-af2e-41f7-899b-6bbc4e0b526e", labels.FLAVORS[0].id)
        self.assertEqual("b1.standard", labels.VOLUME_TYPES[0].name)
        guide = "908816f1-933c-4ff2-8595-f0f57c689e48"
        self.assertEqual(guide, labels.GUIDE_NETWORK.id)
        versions = {(v.datastore, v.name) for v in labels.datastore_versions("10.11")}
        self.assertIn(("mysql", "5.7.29"), versions)

    def test_mariadb_has_an_upgrade_and_one_that_trove_refuses(self):
        names = [
            v.name
            for v in labels.datastore_versions("10.11")
            if v.datastore == "mariadb"
        ]
        self.assertEqual(["10.11", "10.12", "11.0"], names)

    def test_postgresql_has_an_upgrade_and_one_that_trove_refuses(self):
        found = [
            (v.name, v.default, v.manager)
            for v in labels.datastore_versions("10.11", "15")
            if v.datastore == "postgresql"
        ]
        manager = "postgresql"
        versions = [("15", True), ("15.99", False), ("16", False)]
        self.assertEqual([(*version, manager) for version in versions], found)

    def test_without_postgresql_it_is_not_offered(self):
        names = {v.datastore for v in labels.datastore_versions("10.11", None)}
        self.assertEqual({"mariadb", "mysql"}, names)

    def test_the_engine_is_read_from_what_mariadbd_says(self):
        text = "mariadbd  Ver 11.4.2-MariaDB-deb12 for debian-linux-gnu on x86_64\n"
        programs = "trove_ext.sandbox.database.programs"
        with mock.patch(f"{programs}.find"), mock.patch(f"{programs}.run") as run:
            run.return_value = text
            self.assertEqual("11.4", database.engine_version())
