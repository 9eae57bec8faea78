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


"""A question is asked at a terminal only, and only yes is a yes."""

from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase

#: Seconds after the eject at which a failover on the fake cloud reads the set last.
AT_THE_END = 15.3


class TestQuestion(ReplicaTestCase):
    def test_it_prompts_at_a_terminal_and_accepts_a_no(self):
        self.fake.host_off(self.db1)
        self.clock.sleep(100)
        line = "replica failover db1 --wait"
        result = self.refuse(line, "Eject it", stdin="n\n", tty=True)
        self.assertIn("nothing was changed", result.stderr)
        self.succeed(line, stdin="y\n", tty=True)

    def test_the_time_out_starts_when_the_prompt_is_answered(self):
        self.fake.host_off(self.db1)
        self.clock.sleep(100)
        sent = []

        def is_at_the_final_reading(request):
            if request.changing:
                sent.append(request.at)
            age = request.at - sent[0] if sent else 0
            return request.method == "GET" and AT_THE_END < age < AT_THE_END + 10

        result = self.succeed(
            "replica failover db1 --wait --timeout 140",
            stdin="y\n",
            tty=True,
            answer_time=112.0,
            faults=[Fault(Kind.HTTP_503, only=is_at_the_final_reading, lasting=True)],
        )
        self.assertIn("503", result.requests.text())

    def test_without_a_terminal_yes_is_required(self):
        self.fake.host_off(self.db1)
        self.clock.sleep(100)
        result = self.run_line("replica failover db1 --wait")
        self.assertEqual((2, []), (result.exit_code, result.requests.changing))
