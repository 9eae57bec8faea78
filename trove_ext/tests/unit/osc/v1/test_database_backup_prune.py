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

"""``backup prune`` as a command."""

import json
from unittest import mock

from trove_ext.tests.unit.osc.v1.base import ChainTestCase


class TestPrune(ChainTestCase):
    def test_prune_refuses_what_makes_no_sense_before_any_request(self):
        for line in (
            "backup prune db1",
            "backup prune --keep-last 1",
            "backup prune db1 --all --keep-last 1 --yes",
            "backup prune db1 --keep-last -1 --yes",
            "backup prune db1 --keep-name x --yes",
            "backup prune db1 --keep-last 1",
            "backup prune db1 --keep-within 5m --yes",
        ):
            with self.subTest(line):
                result = self.run_line(line)
                self.assertEqual((2, ""), (result.exit_code, result.stdout))
                self.assertEqual([], result.requests.to_trove())

    def test_prune_dry_run_shows_every_backup_and_deletes_none(self):
        self.add("new", 1)
        line = "backup prune db1 --keep-last 1 --dry-run -f json"
        rows = json.loads(self.run_line(line).stdout)
        self.assertEqual(
            {"new": "keep", "two": "delete", "one": "delete", "full": "delete"},
            {row["Name"]: row["Action"] for row in rows},
        )
        self.assertEqual([], self.fake.log.changing)

    def test_prune_prompts_at_a_terminal(self):
        self.add("new", 1)
        line = "backup prune db1 --keep-last 1"
        self.assertEqual(1, self.run_line(line, tty=True, stdin="n\n").exit_code)
        self.assertEqual([], self.fake.log.changing)
        result = self.run_line(line, tty=True, stdin="y\n")
        self.assertEqual((0, {"new"}), (result.exit_code, self.names()))

    def test_the_time_at_the_prompt_does_not_count_in_the_time_out(self):
        self.add("new", 1)
        hours = self.fake.clock.advance
        thinking = mock.patch(
            "trove_ext.osc.base.confirm.ask", side_effect=lambda *_: hours(7200)
        )
        with thinking:
            line = "backup prune db1 --keep-last 1"
            result = self.run_line(line, tty=True)
        self.assertEqual((0, {"new"}), (result.exit_code, self.names()))

    def test_prune_with_nothing_to_delete_does_not_prompt(self):
        result = self.run_line("backup prune db1 --keep-last 1", tty=True)
        self.assertEqual(0, result.exit_code, result.stderr)
