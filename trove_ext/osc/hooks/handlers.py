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

"""What hooked stock commands do beyond the stock client, one class a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.osc.hooks import backup, instance

if TYPE_CHECKING:
    from cliff.command import Command

    from trove_ext.osc.hooks.base import Stock

HANDLERS: dict[str, type[Stock]] = {
    one.__name__: one
    for one in (
        backup.BackupCreate,
        backup.BackupDelete,
        backup.BackupList,
        instance.InstanceCreate,
        instance.InstanceDelete,
        instance.InstancePromote,
        instance.InstanceEject,
        instance.InstanceDetach,
        instance.InstanceRestart,
        instance.InstanceReboot,
        instance.InstanceRebuild,
        instance.InstanceUpgrade,
        instance.InstanceResizeFlavor,
        instance.InstanceResizeVolume,
    )
}


def handler(command: Command, hook: str) -> Stock:
    """Return the handler of a hook, which bears its name."""
    return HANDLERS[hook](command)
