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

"""Durations and retention policies on the command line."""

import argparse
from datetime import timedelta

import testtools

from trove_ext.exceptions import UsageError
from trove_ext.osc.base import retention_options


class TestPolicy(testtools.TestCase):
    def parse(self, *argv):
        parser = argparse.ArgumentParser()
        retention_options.add_keep_options(parser)
        return parser.parse_args(argv)

    def test_each_option_is_a_field_of_the_policy(self):
        numbers = {name: n for n, (name, _) in enumerate(retention_options.COUNTS, 1)}
        argv = [f"--keep-{name}={n}" for name, n in numbers.items()]
        policy = retention_options.policy_of(
            self.parse(*argv, "--keep-within=14d", "--keep-name=a*", "--keep-name=b*")
        )
        for name, n in numbers.items():
            self.assertEqual(n, getattr(policy, f"keep_{name}"))
        self.assertEqual(timedelta(days=14), policy.keep_within)
        self.assertEqual(("a*", "b*"), policy.keep_names)

    def test_without_an_option_there_is_no_policy_and_no_prune(self):
        given = self.parse()
        self.assertIsNone(retention_options.policy_if_any(given))
        self.assertRaises(UsageError, retention_options.policy_of, given)

    def test_names_alone_are_no_policy(self):
        given = self.parse("--keep-name", "release-*")
        self.assertRaises(UsageError, retention_options.policy_if_any, given)

    def test_a_negative_number_is_a_usage_error(self):
        given = self.parse("--keep-last=-1")
        self.assertRaises(UsageError, retention_options.policy_of, given)


class TestDurations(testtools.TestCase):
    def test_m_is_minutes_in_a_duration_and_refused_in_a_period(self):
        self.assertEqual(timedelta(minutes=90), retention_options.duration("90m"))
        self.assertRaises(argparse.ArgumentTypeError, retention_options.period, "90m")

    def test_what_is_no_duration_is_an_error_with_examples(self):
        error = self.assertRaises(
            argparse.ArgumentTypeError, retention_options.duration, "soon"
        )
        self.assertIn("'soon'", str(error))
