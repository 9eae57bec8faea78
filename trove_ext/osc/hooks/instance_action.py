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

"""The stock actions on one instance, extended: restart, rebuild, resize and so on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import CheckError, NotFoundError, RefusedError
from trove_ext.follow_up import to, wait_for_instance
from trove_ext.osc.hooks.base import HookedCommand, backs_up_first
from trove_ext.trove import (
    catalog,
    conditions,
    configuration_groups,
    find,
    read,
    send,
    wait_report,
)
from trove_ext.workflows.backup import last_backup
from trove_ext.workflows.restore import upgrade

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.polling import Deadline, Target


class InstanceAction(HookedCommand):
    """An action on one instance: the stock command sends it, then this waits."""

    verb: str

    def resolve(self, parsed_args: argparse.Namespace) -> None:
        """Replace the name by the ID."""
        parsed_args.instance = self.instance_id(parsed_args.instance)

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Read the state, send the action, wait until it is done."""
        deadline = self.cloud.start(parsed_args.timeout)
        before = find.instance(self.cloud, parsed_args.instance)
        parsed_args.instance = before.id
        problems = list(self.untrue(before, parsed_args))
        if problems:
            raise CheckError(f"No {self.verb} of {before} is possible", problems)
        targets = self.targets(before, parsed_args)
        if backs_up_first(parsed_args):
            before = self.back_up(before, parsed_args, deadline)
            targets = self.targets(before, parsed_args)
        send.act(
            self.cloud,
            f"{self.verb} of {before}",
            before,
            partial(self.action, parsed_args),
        )
        if not parsed_args.wait:
            wait = wait_for_instance(before.id)
            self.cloud.progress.note(
                f"{self.verb} of {before}: accepted, not verified.",
                to("wait for it", wait),
            )
            return
        found = self.cloud.wait(targets, deadline)
        self.fail(wait_report.error_of(found, whole_set=len(targets) > 1))
        if all(probe.ok for probe in found):
            self.verify(before, targets)

    def back_up(
        self, before: Instance, parsed_args: argparse.Namespace, deadline: Deadline
    ) -> Instance:
        """Take a last backup; return the instance as it is read after it.

        :raises TroveExtError: there is no good backup; nothing was done to it
        """
        problems = list(self.refusals(before, parsed_args))
        if problems:
            raise CheckError(f"No {self.verb} of {before} is possible", problems)
        planned = last_backup.check(self.cloud, [before], parsed_args.backup_name)
        last_backup.take(self.cloud, planned, deadline)
        return read.get_instance(self.cloud, before.id)

    def refusals(
        self, before: Instance, parsed_args: argparse.Namespace
    ) -> Iterator[str]:
        """Say why Trove would refuse the action: then a backup would be in vain."""
        del before, parsed_args
        yield from ()

    def untrue(
        self, before: Instance, parsed_args: argparse.Namespace
    ) -> Iterator[str]:
        """Say why Trove would report the action as done although it is not."""
        del before, parsed_args
        yield from ()

    def targets(
        self, before: Instance, parsed_args: argparse.Namespace
    ) -> list[Target]:
        """Return what to wait for."""
        del parsed_args
        return [conditions.settled(self.cloud, before)]

    def verify(self, before: Instance, targets: Sequence[Target]) -> None:
        """Report what was verified."""
        del targets
        self.cloud.progress.note(f"{self.verb} of {before}: done.")

    def others(self, before: Instance) -> list[Instance]:
        """Read the other members of the replica set."""
        source = (
            read.get_instance(self.cloud, before.replica_of)
            if before.replica_of
            else before
        )
        ids = [source.id, *source.replicas]
        return [
            source
            if member_id == source.id
            else read.get_instance(self.cloud, member_id)
            for member_id in ids
            if member_id != before.id
        ]


class InstanceRestart(InstanceAction):
    """``instance restart``."""

    verb = "restart"


class InstanceReboot(InstanceAction):
    """``instance reboot``."""

    verb = "reboot"


class InstanceRebuild(InstanceAction):
    """``instance rebuild``."""

    verb = "rebuild"


class InstanceUpgrade(InstanceAction):
    """``instance upgrade``: the new version is stored before it starts."""

    verb = "upgrade"

    def refusals(
        self, before: Instance, parsed_args: argparse.Namespace
    ) -> Iterator[str]:
        """Refuse a version that its datastore does not have, by name or ID."""
        version = parsed_args.datastore_version
        try:
            catalog.get_version(self.cloud, str(before.datastore), version)
        except (NotFoundError, RefusedError) as exc:
            yield f"there is no version {version} of {before.datastore}: {exc}"

    def untrue(
        self, before: Instance, parsed_args: argparse.Namespace
    ) -> Iterator[str]:
        """Refuse another major version."""
        version = parsed_args.datastore_version
        why = upgrade.why_not_upgraded(self.cloud, before, version)
        yield from [why] if why else []

    def verify(self, before: Instance, targets: Sequence[Target]) -> None:
        """Report that it is done, and whether the configuration group was lost."""
        super().verify(before, targets)
        now = read.get_instance(self.cloud, before.id)
        configuration_groups.warn_if_lost(self.cloud, before, now)


class InstanceResizeFlavor(InstanceAction):
    """``instance resize flavor``."""

    verb = "resize"

    def refusals(
        self, before: Instance, parsed_args: argparse.Namespace
    ) -> Iterator[str]:
        """Refuse the flavor that it has (``Instance.resize_flavor`` of Trove)."""
        flavors = find.flavors(catalog.list_flavors(self.cloud))
        if flavors.find(parsed_args.flavor).id == before.flavor_id:
            yield f"it has the flavor {parsed_args.flavor} already"

    def targets(
        self, before: Instance, parsed_args: argparse.Namespace
    ) -> list[Target]:
        """Wait for the new flavor."""
        name = parsed_args.flavor
        flavor_id = find.flavors(catalog.list_flavors(self.cloud)).find(name).id
        return [
            conditions.settled(
                self.cloud,
                before,
                change_is_visible=lambda now: now.flavor_id == flavor_id,
                wanted=f"of flavor {name}",
            )
        ]


class InstanceResizeVolume(InstanceAction):
    """``instance resize volume``: a source resizes its replicas too."""

    verb = "resize of the volume"

    def refusals(
        self, before: Instance, parsed_args: argparse.Namespace
    ) -> Iterator[str]:
        """Refuse a size that is no larger (``Instance.resize_volume`` of Trove)."""
        if before.size is not None and parsed_args.size <= before.size:
            yield f"it has {before.size} GB, and a volume can only become larger"

    def targets(
        self, before: Instance, parsed_args: argparse.Namespace
    ) -> list[Target]:
        """Wait for the new size on every member that Trove resizes."""
        members = [before]
        if before.replicas:
            members += self.others(before)
        return [
            conditions.settled(
                self.cloud,
                member,
                change_is_visible=lambda now: now.size == parsed_args.size,
                wanted=f"of {parsed_args.size} GB",
                patience=conditions.PATIENCE_WITH_OTHERS,
            )
            for member in members
        ]
