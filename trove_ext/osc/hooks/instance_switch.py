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

"""The stock commands that change replication roles, extended."""

from __future__ import annotations

import abc
from functools import partial
from typing import TYPE_CHECKING, Any

from trove_ext.model.replication import ReplicationSet
from trove_ext.osc.hooks import engine_warnings
from trove_ext.osc.hooks.instance_action import InstanceAction
from trove_ext.trove import find, send
from trove_ext.workflows.replica import detach, failover, failover_run, promote, sets

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from trove_ext.exceptions import TroveExtError
    from trove_ext.polling import Deadline


class SwitchAction(InstanceAction, abc.ABC):
    """An action that changes roles, with the wait and report of our own commands."""

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Read the whole set, send the action, wait, and verify the result."""
        deadline = self.cloud.start(parsed_args.timeout)
        before = sets.of(self.cloud, find.instance(self.cloud, parsed_args.instance))
        parsed_args.instance = before.instance.id
        before = self.send(before, partial(self.action, parsed_args))
        error = self.follow(before, deadline)
        self.fail(error)
        if error is None:
            self.cloud.progress.note(f"{self.verb} of {before.instance}: done.")

    def send(
        self, before: sets.Membership, action: Callable[[], object]
    ) -> sets.Membership:
        """Send the action once; return what to wait for."""
        send.act(
            self.cloud,
            f"{self.verb} of {before.instance}",
            before.instance,
            action,
        )
        return before

    @abc.abstractmethod
    def follow(
        self, before: sets.Membership, deadline: Deadline
    ) -> TroveExtError | None:
        """Wait for the new roles, and return what went wrong."""


class InstancePromote(SwitchAction):
    """``instance promote``: done when the roles have changed."""

    verb = "promote"

    def resolve(self, parsed_args: argparse.Namespace) -> None:
        """Replace the name by the ID; warn if writes will be lost."""
        super().resolve(parsed_args)
        engine_warnings.before_promote(self.cloud, parsed_args.instance)

    def follow(
        self, before: sets.Membership, deadline: Deadline
    ) -> TroveExtError | None:
        """Wait for the new role of every member."""
        instance = before.instance
        found = before.set or ReplicationSet(None, (instance,))
        return promote.follow(self.cloud, found, instance, deadline).error


class InstanceEject(SwitchAction):
    """``instance eject``: done when every remaining member has its new role."""

    verb = "eject"

    def resolve(self, parsed_args: argparse.Namespace) -> None:
        """Replace the name by the ID; warn if the eject can't succeed."""
        super().resolve(parsed_args)
        engine_warnings.before_eject(self.cloud, parsed_args.instance)

    def follow(
        self, before: sets.Membership, deadline: Deadline
    ) -> TroveExtError | None:
        """Wait for every remaining member."""
        found = before.set or ReplicationSet(before.instance, ())
        switch = failover.follow(self.cloud, found, before.instance, deadline)
        if switch.error is None:
            failover_run.outcome(self.cloud, before.instance, switch)
        return switch.error


class InstanceDetach(SwitchAction):
    """``instance detach``: done when the role has changed; it may fail silently."""

    verb = "detach"

    def send(
        self, before: sets.Membership, action: Callable[[], object]
    ) -> sets.Membership:
        """Send the detach, and determine whether it had begun before a refusal."""
        instance = detach.send_once(self.cloud, before.instance, action)
        return sets.Membership(instance, before.set)

    def follow(
        self, before: sets.Membership, deadline: Deadline
    ) -> TroveExtError | None:
        """Wait until it replicates from no other."""
        return detach.follow(self.cloud, before.instance, deadline).error
