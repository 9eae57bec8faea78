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

"""``instance status`` as a command."""

import json

from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase


class TestCommand(ReplicaTestCase):
    def test_numbers_are_numbers_for_machines(self):
        self.fake.add_backup("b1", self.db1)
        self.clock.sleep(3600)
        shown = json.loads(self.succeed("instance status db1 -f json").stdout)
        self.assertEqual("replica source", shown["role"])
        self.assertEqual(2, len(shown["replica_set"]))
        self.assertIn("b1 (", shown["backup"])
        self.assertEqual(3600, shown["backup_age"])
        self.assertEqual((1, 50), (shown["backups_used"], shown["backups_limit"]))
        self.assertIsNone(shown["tls_days_left"])

    def test_nothing_is_changed(self):
        self.assertEqual([], self.succeed("instance status db1").requests.changing)

    def test_in_a_pipe_each_change_is_a_line(self):
        self.clock.after(30, lambda: self.fake.kill_database(self.db2))
        line = "instance status db2 --watch 10 --timeout 100"
        result = self.succeed(line)
        changes = [text for text in result.stdout.splitlines() if " -> " in text]
        self.assertIn("operating_status: HEALTHY -> SHUTDOWN", changes[0])
        self.assertEqual([], [text for text in changes if "heartbeat_age" in text])

    def test_at_a_terminal_the_fields_are_drawn_again(self):
        line = "instance status db2 --watch 10 --timeout 35"
        result = self.succeed(line, tty=True, env={"TERM": "xterm"})
        self.assertEqual(4, result.stdout.count("volume_used_percent  "))

    def test_it_sends_at_most_sixty_requests_a_minute(self):
        result = self.succeed("instance status db1 --watch 1 --timeout 120")
        requests = len(result.requests.to_trove())
        self.assertGreater(requests, 50)
        self.assertLessEqual(requests, 2 * 60 + 10)

    def test_a_format_for_machines_is_no_watch(self):
        for options in ("--watch 10 -f json", "--watch 0", "--watch x"):
            self.assertEqual(
                2, self.run_line(f"instance status db1 {options}").exit_code
            )
