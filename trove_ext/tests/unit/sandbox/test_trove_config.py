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

"""What the sandbox's trove.conf says."""

import configparser
import dataclasses
from pathlib import Path

from trove_ext.sandbox import (
    state,
    trove_config,
)
from trove_ext.tests.unit.sandbox.base import FilesTestCase


class TestTroveConfig(FilesTestCase):
    def _read(self):
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_string(trove_config.config(self.where, self.settings))
        return parser

    def test_it_listens_on_loopback_at_the_chosen_port(self):
        found = self._read()["DEFAULT"]
        self.assertEqual("127.0.0.1", found["bind_host"])
        self.assertEqual(str(self.settings.trove_port), found["bind_port"])

    def test_trove_waits_for_an_agent_as_long_as_requested(self):
        self.settings = dataclasses.replace(self.settings, agent_seconds=99)
        found = self._read()["DEFAULT"]
        self.assertEqual("99", found["agent_call_high_timeout"])

    def test_the_rate_is_the_requested_one(self):
        found = self._read()["DEFAULT"]
        for method in ("get", "post", "put", "delete", "mgmt_post"):
            self.assertEqual("77", found[f"http_{method}_rate"])

    def test_every_stand_in_can_be_named(self):
        found = self._read()["DEFAULT"]
        for service in ("nova", "cinder", "neutron", "glance", "guest"):
            module, _, _ = found[f"remote_{service}_client"].rpartition(".")
            name = module.removeprefix("trove_ext.sandbox.standins.")
            path = Path(state.__file__).parent / "standins" / f"{name}.py"
            self.assertTrue(path.is_file(), path)

    def test_page_sizes_are_not_changed(self):
        self.assertNotIn("page_size", trove_config.config(self.where, self.settings))
