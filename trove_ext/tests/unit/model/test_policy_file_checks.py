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

"""Mistakes of a policy file that no value has by itself."""

import testtools

from trove_ext.model.policy_file_checks import mistakes

KEYS = ("match", "skip", "every", "max_age", "keep_name", "query", "expect")


def places(*rules, **defaults):
    return [place for place, _ in mistakes({"defaults": defaults, "rules": [*rules]})]


class TestMistakes(testtools.TestCase):
    def test_a_rule_needs_every_or_skip(self):
        last = {"match": {"instance": "x"}}
        self.assertEqual([("rules", 0)], places(last))
        self.assertEqual([], places(last, every="1d"))
        self.assertEqual([], places({**last, "skip": True}))

    def test_a_rule_after_one_for_all_is_never_used(self):
        for match in ({}, {"match": {"instance": "*"}}, {"match": {"instance": ["*"]}}):
            self.assertEqual(
                [("rules", 1), ("rules", 2)], places(match, {}, {}, every="1d")
            )

    def test_max_age_has_to_be_longer_than_every(self):
        self.assertEqual(
            [("rules", 0, "max_age")], places({"every": "1d", "max_age": "24h"})
        )
        self.assertEqual([("rules", 0)], places({"every": "1d"}, max_age="6h"))
        self.assertEqual([], places({"every": "1d", "max_age": "25h"}))

    def test_names_alone_are_no_policy(self):
        given = {"every": "1d", "keep_name": "x"}
        self.assertEqual([("rules", 0, "keep_name")], places(given))
        self.assertEqual([], places(given, keep_last=3))

    def test_a_rule_that_skips_has_nothing_else(self):
        given = {"skip": True, "every": "1d", "match": {"instance": "x"}}
        self.assertEqual([("rules", 0, "every")], places(given))

    def test_queries_need_verify_every(self):
        given = {"every": "1d", "query": "x", "expect": 1}
        places_of = [("rules", 0, "query"), ("rules", 0, "expect")]
        self.assertEqual(places_of, places(given))
        self.assertEqual([], places(given, verify_every="week"))
        self.assertEqual([("rules", 0)], places({"every": "1d"}, query_database="x"))

    def test_each_query_needs_its_value(self):
        given = {"every": "1d", "verify_every": "week"}
        wrong = {**given, "query": ["x", "y"], "expect": 1}
        self.assertEqual([("rules", 0, "query")], places(wrong))
        self.assertEqual([("rules", 0, "expect")], places({**given, "expect": 1}))
        self.assertEqual([("rules", 0)], places(given, query="x"))
        self.assertEqual([], places({**given, "expect": ["", 1]}, query=["x", "y"]))

    def test_a_database_needs_a_query(self):
        given = {"every": "1d", "verify_every": "week", "query_database": "shop"}
        self.assertEqual([("rules", 0, "query_database")], places(given))
        self.assertEqual([], places(given, query="x", expect="1"))

    def test_values_of_any_form_raise_nothing(self):
        odd = (None, 1, "x", [], {}, [1], {"instance": 1}, {"instance": [1]}, True)
        for value in odd:
            list(mistakes(value))
            list(mistakes({"rules": value, "defaults": value}))
            for key in KEYS:
                rule = {"verify_every": "week", key: value}
                list(mistakes({"rules": [value, {key: value}, rule]}))
