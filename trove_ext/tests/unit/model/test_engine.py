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

import testtools

from trove_ext.model import engine


class TestRecognize(testtools.TestCase):
    def test_knows_an_engine_by_what_operators_call_its_datastore(self):
        for label, wanted in {
            "postgresql": "postgresql",
            "PostgreSQL 16 (HA)": "postgresql",
            "pg": "postgresql",
            "pgsql-prod": "postgresql",
            "MariaDB": "mariadb",
            "mysql": "mysql",
            "percona-xtradb": "mysql",
        }.items():
            self.assertEqual(wanted, engine.recognize(label).name, label)

    def test_does_not_know_what_a_name_does_not_show(self):
        for label in (None, "", "mongodb", "relational", "upgrades"):
            self.assertIsNone(engine.recognize(label), label)
            self.assertIs(engine.MYSQL, engine.of(label))


class TestFacts(testtools.TestCase):
    def test_postgresql_has_none_of_mysqls_guarantees(self):
        facts = [
            name
            for name in engine.Engine.__slots__
            if isinstance(getattr(engine.MYSQL, name), bool)
        ]
        self.assertEqual(12, len(facts))
        for name in facts:
            mysql, postgresql = engine.MYSQL, engine.POSTGRESQL
            self.assertNotEqual(getattr(mysql, name), getattr(postgresql, name), name)

    def test_mariadb_differs_from_mysql_by_name_only(self):
        for name in engine.Engine.__slots__:
            if name not in {"name", "title"}:
                mysql, mariadb = engine.MYSQL, engine.MARIADB
                self.assertEqual(getattr(mysql, name), getattr(mariadb, name), name)
