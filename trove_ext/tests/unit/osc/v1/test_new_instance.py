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

"""The options for a new instance."""

import argparse
import contextlib
import io

import testtools

from trove_ext.osc.v1 import new_instance
from trove_ext.workflows.new_instance import InstanceOptions, Nic

NET = "11111111-2222-4333-8444-555555555555"
SUBNET = "22222222-3333-4444-8555-666666666666"


class OptionsTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.parser = argparse.ArgumentParser(prog="x")
        new_instance.add_settings_options(self.parser)

    def parse(self, *argv):
        return self.parser.parse_args(argv)

    def error(self, *argv):
        """What argparse writes about a line that it refuses."""
        stderr = io.StringIO()
        with contextlib.redirect_stderr(stderr):
            self.assertRaises(SystemExit, self.parse, *argv)
        return stderr.getvalue()


class TestNic(OptionsTestCase):
    def test_a_network_a_subnet_and_an_address_are_fields(self):
        nic = self.parse(
            "--nic", f"net-id={NET}, subnet-id={SUBNET},ip-address=10.0.0.5"
        ).nic
        self.assertEqual(Nic(NET, SUBNET, "10.0.0.5"), nic)

    def test_none_is_a_nic_without_any_field(self):
        self.assertEqual(Nic(), self.parse("--nic", "none").nic)
        self.assertIsNone(self.parse().nic)

    def test_an_address_needs_its_subnet(self):
        text = self.error("--nic", f"net-id={NET},ip-address=10.0.0.5")
        self.assertIn("subnet-id", text)

    def test_what_is_no_field_is_named(self):
        for text in ("public", "v4-fixed-ip=10.0.0.5", f"net-id={NET},subnet-id="):
            self.assertIn("is none of net-id=<uuid>", self.error("--nic", text))

    def test_a_network_is_named_by_its_id(self):
        self.assertIn("'private'", self.error("--nic", "net-id=private"))


class TestOptions(OptionsTestCase):
    def test_what_is_not_given_is_none(self):
        options = new_instance.settings_options(self.parse())
        self.assertEqual((None, None), (options.flavor, options.size))
        self.assertEqual(InstanceOptions(), new_instance.reach_options(self.parse()))

    def test_public_and_not_public_exclude_each_other(self):
        self.assertIs(True, self.parse("--is-public").is_public)
        self.assertIs(False, self.parse("--is-private").is_public)
        self.assertIs(False, self.parse("--not-public").is_public)
        self.assertIn("not allowed", self.error("--is-public", "--not-public"))

    def test_a_range_that_is_given_twice_is_sent_once(self):
        argv = ["--allowed-cidr=10.0.0.0/24", "--allowed-cidr=10.1.0.0/24"]
        options = new_instance.reach_options(self.parse(*argv, argv[0]))
        self.assertEqual(("10.0.0.0/24", "10.1.0.0/24"), options.allowed_cidrs)

    def test_a_size_is_a_whole_number_above_0(self):
        self.assertEqual(5, self.parse("--size", "5").size)
        for text in ("0", "-1", "1.5", "big"):
            self.assertIn(f"--size: '{text}'", self.error(f"--size={text}"))
