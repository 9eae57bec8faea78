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

"""The table of requests and access rules in the documents, and the example."""

import json

import testtools

from trove_ext.tests import access_rules
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit import requires


@shows(Promise.ACCESS)
class TestAccessRules(testtools.TestCase):
    """If one fails, run ``python -m trove_ext.tests.access_rules``."""

    maxDiff = None

    @requires.tls
    def test_the_table_has_what_each_command_sends(self):
        self.assertEqual(access_rules.collect(), access_rules.read_table())

    def test_the_table_has_every_command(self):
        command = {"--upgrade-to": "backup verify"}
        options = access_rules.MORE_NEEDED.values()
        more = {f"{command.get(each, 'backup rotate')} {each}" for each in options}
        wanted = {*access_rules.COMMANDS, *more}
        self.assertEqual(wanted, set(access_rules.read_table()))

    def test_the_example_has_the_rules_of_the_scheduled_jobs(self):
        text = access_rules.EXAMPLE.read_text()
        self.assertEqual(access_rules.example(access_rules.read_table()), text)
        services = {rule["service"] for rule in json.loads(text)}
        self.assertEqual({"database", "object-store"}, services)
