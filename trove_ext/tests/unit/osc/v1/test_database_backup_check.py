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

"""``backup check`` as a command."""

import json

from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.unit.osc.v1.base import ChainTestCase


class TestCheck(ChainTestCase):
    def test_the_exit_code_of_check_depends_on_its_result(self):
        self.assertEqual(0, self.run_line("backup check db1 --max-age 26h").exit_code)
        result = self.run_line("backup check db1 nobody --max-age 5h -f json")
        self.assertEqual(1, result.exit_code)
        rows = json.loads(result.stdout)
        self.assertEqual(["failed", "failed"], [row["Result"] for row in rows])
        self.assertEqual(36000, rows[0]["Age"])

    def test_check_fails_if_the_cloud_does_not_respond(self):
        dead = Fault(Kind.REFUSED, only=lambda r: r.service == "trove", lasting=True)
        result = self.run_line("backup check db1", faults=[dead])
        self.assertEqual((1, ""), (result.exit_code, result.stdout))
