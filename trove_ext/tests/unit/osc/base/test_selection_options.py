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

"""Which instances of a project a command line selects."""

import argparse

import testtools

from trove_ext.exceptions import UsageError
from trove_ext.model.selection import Selection
from trove_ext.osc.base.selection_options import add_selection_options, selection_of


class TestSelectionOptions(testtools.TestCase):
    def selected(self, *words, **kwargs):
        parser = argparse.ArgumentParser()
        parser.add_argument("instance", nargs="*")
        add_selection_options(parser, "Check")
        parsed_args = parser.parse_args(words)
        return selection_of(parsed_args, parsed_args.instance, **kwargs)

    def test_named_instances_are_no_selection(self):
        self.assertIsNone(self.selected("db1", "db2"))

    def test_all_can_be_narrowed_down(self):
        self.assertEqual(Selection(), self.selected("--all"))
        words = ("--all", "--exclude", "a*", "--exclude", "b", "--datastore", "mysql")
        self.assertEqual(
            Selection(("a*", "b"), "mysql", each_member=True),
            self.selected(*words, each_member=True),
        )

    def test_names_and_all_exclude_each_other(self):
        for words in ((), ("db1", "--all")):
            self.assertRaises(UsageError, self.selected, *words)

    def test_what_narrows_down_all_is_refused_without_it(self):
        for words in (("--exclude", "a"), ("--datastore", "mysql")):
            self.assertRaises(UsageError, self.selected, "db1", *words)
        self.assertRaises(UsageError, self.selected, "db1", each_member=True)
