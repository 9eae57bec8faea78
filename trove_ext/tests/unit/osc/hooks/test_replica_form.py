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

"""``instance create --replica-of`` with the options of older guides."""

import json

from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.osc.hooks.base import HookTestCase

NIC = "net-id=908816f1-933c-4ff2-8595-f0f57c689e48"


@shows(Promise.GUIDE)
class TestReplicaForm(HookTestCase):
    def test_the_replica_form_of_the_guide_drops_what_agrees(self):
        line = (
            "instance create r --flavor 10 --size 5 --volume-type fast --datastore "
            f"mysql --datastore-version 5.7.29 --nic {NIC} --replica-of db1 -f json"
        )
        result = self.succeed(line)
        self.assertEqual("r", json.loads(result.stdout)["name"])
        self.assertIn("--volume-type fast (it can't be compared)", result.stderr)
        (request,) = result.requests.changing
        for key in ("flavorRef", "volume", "datastore"):
            self.assertNotIn(key, request.body["instance"])

    def test_what_does_not_agree_is_named_with_both_values_at_once(self):
        line = f"instance create r --flavor 20 --size 9 --nic {NIC} --replica-of db1"
        result = self.run_line(line)
        self.assertEqual(1, result.exit_code)
        for text in ("--flavor 20", "--size 9", ": 10", ": 5"):
            self.assertIn(text, result.stderr)
        self.assertEqual([], result.requests.changing)
