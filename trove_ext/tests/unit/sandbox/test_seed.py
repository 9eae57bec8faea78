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

import datetime as dt

import testtools

from trove_ext.sandbox import seed

NOW = dt.datetime(2026, 3, 1)  # noqa: DTZ001 - as Trove stores it
PLACE = seed._Place("tenant", "version", NOW, "version")


class TestInstances(testtools.TestCase):
    def test_names_and_ids_are_unique(self):
        rows = seed.instances(100, PLACE)
        self.assertEqual(100, len({row["name"] for row in rows}))
        self.assertEqual(100, len({row["id"] for row in rows}))

    def test_each_ten_have_a_source_with_two_replicas(self):
        rows = seed.instances(30, PLACE)
        replicas = [row for row in rows if row["slave_of_id"]]
        self.assertEqual(6, len(replicas))
        for replica in replicas:
            source = next(row for row in rows if row["id"] == replica["slave_of_id"])
            self.assertIsNone(source["slave_of_id"])

    def test_a_source_comes_before_its_replicas(self):
        seen = set()
        for row in seed.instances(50, PLACE):
            if row["slave_of_id"]:
                self.assertIn(row["slave_of_id"], seen)
            seen.add(row["id"])


class TestBackups(testtools.TestCase):
    def _make(self, instances=3, backups=30):
        return list(seed.backups(backups, seed.instances(instances, PLACE), PLACE))

    def test_there_are_as_many_as_asked_for(self):
        for number in (1, 29, 30, 31):
            self.assertEqual(number, len(self._make(backups=number)))

    def test_a_chain_is_a_week_from_a_full_backup(self):
        rows = self._make(1, 14)
        kinds = [row["backup_type"] for row in rows]
        self.assertEqual((["full"] + ["incremental"] * 6) * 2, kinds)

    def test_a_parent_is_older_whole_and_of_the_same_instance(self):
        by_id = {}
        for row in self._make(5, 400):
            if row["parent_id"]:
                parent = by_id[row["parent_id"]]
                self.assertEqual("COMPLETED", parent["state"])
                self.assertEqual(row["instance_id"], parent["instance_id"])
                self.assertLess(parent["created"], row["created"])
            by_id[row["id"]] = row

    def test_one_of_fifty_failed_and_is_no_parent(self):
        rows = self._make(1, 100)
        failed = {row["id"] for row in rows if row["state"] == "FAILED"}
        self.assertEqual(2, len(failed))
        self.assertEqual(set(), failed & {row["parent_id"] for row in rows})

    def test_none_is_dated_in_the_future(self):
        self.assertTrue(all(row["created"] < PLACE.now for row in self._make()))

    def test_they_have_the_version_of_their_instance_or_none(self):
        self.assertEqual(
            {"version"}, {row["datastore_version_id"] for row in self._make()}
        )
        bare = seed._Place("tenant", "version", NOW)
        rows = seed.backups(10, seed.instances(2, bare), bare)
        self.assertEqual({None}, {row["datastore_version_id"] for row in rows})

    def test_all_rows_have_the_same_columns(self):
        self.assertEqual(1, len({tuple(row) for row in self._make(1, 100)}))
