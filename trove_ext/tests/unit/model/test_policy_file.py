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

"""Which rule an instance has, and what it says."""

from datetime import timedelta

import testtools

from trove_ext.model.instance import Instance
from trove_ext.model.policy_file import (
    PolicyFile,
    Verification,
    read_keep,
    read_rule,
    read_verification,
)
from trove_ext.model.retention_policy import Policy

EVERY = {"every": "1d"}


def instance(name, datastore="mysql"):
    return Instance(f"id-{name}", name, "ACTIVE", "HEALTHY", datastore=datastore)


def policy(*rules, **defaults):
    return PolicyFile(
        "b.yaml",
        tuple(read_rule(rule, defaults, line) for line, rule in enumerate(rules, 1)),
    )


class TestMatch(testtools.TestCase):
    def line(self, rules, name="shop", **fields):
        found = policy(*rules).rule_for(instance(name, **fields))
        return found and found.line

    def test_the_first_rule_that_matches_applies(self):
        rules = [{"match": {"instance": x}, **EVERY} for x in ("a*", "s*", "*")]
        self.assertEqual([1, 2, 3], [self.line(rules, x) for x in ("ab", "sh", "x")])

    def test_all_that_is_given_has_to_match(self):
        match = {"instance": ["shop", "blog"], "datastore": "mysql"}
        rules = [{"match": match, **EVERY}]
        self.assertEqual(1, self.line(rules, datastore="mysql"))
        self.assertIsNone(self.line(rules, datastore="postgresql"))
        self.assertIsNone(self.line(rules, "other", datastore="mysql"))

    def test_an_id_is_of_one_instance(self):
        one = instance("shop")
        rules = policy({"match": {"id": one.id}, **EVERY}, {**EVERY})
        self.assertEqual(1, rules.rule_for(one).line)
        self.assertEqual(2, rules.rule_for(instance("shop2")).line)


class TestSettings(testtools.TestCase):
    def settings(self, rule, **defaults):
        return policy(rule, **defaults).rules[0].settings

    def test_a_rule_has_the_defaults_that_it_does_not_give(self):
        found = self.settings({"every": "6h"}, every="1d", full_every="7d")
        self.assertEqual(timedelta(hours=6), found.every)
        self.assertEqual(timedelta(days=7), found.full_every)

    def test_without_max_age_a_backup_may_be_a_twelfth_late(self):
        self.assertEqual(timedelta(hours=26), self.settings({"every": "1d"}).max_age)
        given = {"every": "1d", "max_age": "30h"}
        self.assertEqual(timedelta(hours=30), self.settings(given).max_age)

    def test_a_rule_that_skips_has_no_settings(self):
        self.assertIsNone(self.settings({"skip": True}, every="1d"))

    def test_what_is_kept(self):
        given = {"keep_daily": 7, "keep_within": "2d", "keep_name": ["a", "b"]}
        wanted = Policy(
            keep_daily=7, keep_within=timedelta(days=2), keep_names=("a", "b")
        )
        self.assertEqual(wanted, read_keep(given))
        self.assertIsNone(read_keep(EVERY))

    def test_how_backups_are_verified(self):
        given = {"verify_every": "week", "query": "SELECT 1", "expect": 1}
        wanted = Verification("week", (("SELECT 1", "1"),))
        self.assertEqual(wanted, read_verification(given))
        given |= {"query": ["a", "b"], "expect": [7, "x"], "query_database": "shop"}
        wanted = Verification("week", (("a", "7"), ("b", "x")), "shop")
        self.assertEqual(wanted, read_verification(given))
        self.assertIsNone(read_verification(EVERY))

    def test_a_file_verifies_if_a_rule_does(self):
        skipped = {"skip": True, "match": {"instance": "x"}}
        self.assertFalse(policy(skipped, EVERY).verifies)
        self.assertTrue(policy(skipped, {**EVERY, "verify_every": "day"}).verifies)

    def test_incrementals_of_postgresql_have_to_be_wanted(self):
        self.assertFalse(self.settings(EVERY).incremental)
        self.assertTrue(self.settings(EVERY, incremental=True).incremental)
