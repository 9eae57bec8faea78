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

"""What a policy accepts."""

from datetime import timedelta

import testtools

from trove_ext.model.retention import plan
from trove_ext.model.retention_policy import Policy, PolicyError
from trove_ext.tests.unit.model import strategies, trees

NOW = trees.day(400)


WEEK = timedelta(days=7)


class TestPolicy(testtools.TestCase):
    def test_without_a_keep_option_is_an_error(self):
        error = self.assertRaises(PolicyError, plan, [], Policy(), NOW)
        self.assertIn("--keep-last", str(error))
        self.assertIn("--keep-chains", error.problems[0])

    def test_a_name_pattern_alone_keeps_nothing(self):
        self.assertNotEqual((), Policy(keep_names=("release-*",)).problems)

    def test_lists_all_that_is_wrong(self):
        policy = Policy(keep_last=-1, keep_within=-WEEK, keep_daily=3)
        self.assertEqual(
            ("--keep-last can't be below zero.", "--keep-within can't be below zero."),
            policy.problems,
        )

    def test_any_one_option_is_enough(self):
        for name in strategies.COUNTS:
            self.assertEqual((), Policy(**{name: 1}).problems)
        self.assertEqual((), Policy(keep_within=WEEK).problems)
