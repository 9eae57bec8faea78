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
"""Follow-ups as commands: each action, quoting, headings, options."""

import shlex

import testtools

from trove_ext.exceptions import BusyError, CheckError, PartialFailureError
from trove_ext.follow_up import (
    Action,
    FollowUp,
    Problem,
    Setting,
    Verb,
    merged,
    or_to,
    to,
    wait_for_instance,
)
from trove_ext.osc.base import follow_up
from trove_ext.tests.unit.shown import shown


class TestCommand(testtools.TestCase):
    def test_every_action_has_its_command(self):
        self.assertEqual(set(Verb), set(follow_up.WORDS))

    def test_every_setting_has_its_option(self):
        self.assertEqual(set(Setting), set(follow_up.OPTIONS))

    def test_arguments_are_quoted_for_the_shell(self):
        action = Action(Verb.CREATE_REPLICA, ("id1", "my $(db)"), wait=True)
        written = follow_up.command("openstack", action)
        self.assertEqual("my $(db)", shlex.split(written)[5])

    def test_the_goal_names_its_source(self):
        action = wait_for_instance("a", "b", goal="replica-of", source_id="c")
        self.assertEqual(
            "openstack --os-cloud x database instance wait a b --for replica-of=c",
            follow_up.command("openstack --os-cloud x", action),
        )


class TestRender(testtools.TestCase):
    def test_a_single_follow_up_stands_under_its_purpose(self):
        text = follow_up.render(
            "openstack", "Late.", [to("keep waiting", wait_for_instance("a"))]
        )
        self.assertEqual(
            "Late.\nTo keep waiting, run:\n  openstack database instance wait a", text
        )

    def test_several_steps_are_numbered_in_their_order(self):
        text = follow_up.render(
            "openstack",
            "Broken.",
            [
                FollowUp(
                    "reset it",
                    (Action(Verb.RESET_STATUS, ("a",)),),
                    detail="nothing else is accepted",
                    admin=True,
                ),
                to("delete it", Action(Verb.DELETE_INSTANCE, ("a",), wait=True)),
            ],
        )
        self.assertEqual(
            [
                "Broken.",
                "What to do, in this order:",
                "  1. Reset it: nothing else is accepted." + follow_up.ADMIN,
                "       openstack database instance reset status a",
                "  2. Delete it.",
                "       openstack database instance delete a --wait",
            ],
            text.splitlines(),
        )

    def test_an_alternative_to_a_single_follow_up_stands_under_its_own_purpose(self):
        text = follow_up.render(
            "openstack",
            "Broken.",
            [
                to("restart it", Action(Verb.RESTART_INSTANCE, ("a",))),
                or_to("delete it", Action(Verb.DELETE_INSTANCE, ("a",))),
            ],
        )
        self.assertEqual(
            [
                "Broken.",
                "To restart it, run:",
                "  openstack database instance restart a",
                "Or, to delete it, run:",
                "  openstack database instance delete a",
            ],
            text.splitlines(),
        )

    def test_an_alternative_to_a_step_has_no_number(self):
        steps = [
            to("restart it", Action(Verb.RESTART_INSTANCE, ("a",))),
            or_to("delete it", Action(Verb.DELETE_INSTANCE, ("a",))),
            to("see the rest", Action(Verb.LIST_INSTANCES)),
        ]
        self.assertEqual(
            [
                "Broken.",
                "What to do, in this order:",
                "  1. Restart it.",
                "       openstack database instance restart a",
                "     Or delete it.",
                "       openstack database instance delete a",
                "  2. See the rest.",
                "       openstack database instance list",
            ],
            follow_up.render("openstack", "Broken.", steps).splitlines(),
        )

    def test_a_detail_stands_before_the_command(self):
        restart = Action(Verb.RESTART_INSTANCE, ("a",))
        text = follow_up.render(
            "openstack", "Down.", [to("start it", restart, detail="it may take long")]
        )
        self.assertEqual(
            "Down.\nTo start it (it may take long), run:\n"
            "  openstack database instance restart a",
            text,
        )

    def test_a_setting_is_shown_as_the_option_to_add(self):
        text = follow_up.render(
            "openstack",
            "Two networks.",
            [FollowUp("specify the network", settings=(Setting.NETWORK,))],
        )
        self.assertEqual(
            "Two networks.\nTo specify the network, add: --nic net-id=<network>", text
        )

    def test_settings_among_steps_stand_in_the_line_of_their_step(self):
        network = FollowUp("specify the network", settings=(Setting.NETWORK,))
        text = follow_up.render(
            "openstack", "x", [network, to("wait", wait_for_instance("a"))]
        )
        self.assertIn("  1. Specify the network: --nic net-id=<network>\n", text)

    def test_a_command_for_an_administrator_names_no_cloud_of_the_user(self):
        reset = FollowUp("reset it", (Action(Verb.RESET_STATUS, ("a",)),), admin=True)
        text = follow_up.render("openstack --os-cloud mine", "Broken.", [reset])
        self.assertEqual(
            "Broken.\nTo reset it [only an admin of the cloud can do this], run:\n"
            "  openstack database instance reset status a",
            text,
        )


class TestErrors(testtools.TestCase):
    def test_the_text_of_an_error_holds_no_command(self):
        wait = to("wait for it", wait_for_instance("a"))
        error = CheckError("Can't do it", [Problem("it is busy", (wait,)), "and old"])
        self.assertNotIn("openstack", str(error))
        self.assertEqual(("it is busy", "and old"), error.problems)
        self.assertEqual((wait,), error.follow_ups)
        self.assertIn("  openstack database instance wait a", shown(error))

    def test_a_problem_of_another_error_keeps_what_to_do_about_it(self):
        wait = to("wait for it", wait_for_instance("a"))
        busy = BusyError("it is busy", follow_ups=[wait])
        error = CheckError("Can't do it", [busy])
        self.assertEqual(("it is busy",), error.problems)
        self.assertEqual((wait,), error.follow_ups)

    def test_several_errors_give_each_follow_up_once(self):
        wait = to("wait", wait_for_instance("a"))
        both = [PartialFailureError("x", follow_ups=[wait]) for _ in range(2)]
        self.assertEqual((wait,), merged(each.follow_ups for each in both))
