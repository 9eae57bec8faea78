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

"""What an instance has beside its data, and a restored one does not get: TLS, modules.

Both are read from an instance that is settled only: Trove asks its guest agent for the
first (``trove/instance/service.py``, ``ssl_show``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import OutOfTimeError, TroveExtError
from trove_ext.trove import resources, tls
from trove_ext.trove.find import Finder

if TYPE_CHECKING:
    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud


@dataclass(frozen=True, slots=True)
class Module:
    """A module, which Trove applies to instances."""

    id: str
    name: str


def modules(cloud: Cloud) -> Finder[Module]:
    """Find modules of the project; the list is read at most once."""
    return Finder(
        "module",
        lambda module: module.id,
        read_all=lambda: cloud.read(
            "List of modules", lambda: list(map(_module, cloud.client.modules.list()))
        ),
    )


def modules_of(cloud: Cloud, instance: Instance) -> tuple[Module, ...]:
    """Read the modules of an instance; none if that can't be read.

    :raises OutOfTimeError: the time of the run is over
    """
    try:
        return cloud.read(
            f"Modules of {instance}",
            lambda: tuple(map(_module, cloud.client.instances.modules(instance.id))),
        )
    except OutOfTimeError:
        raise
    except TroveExtError:
        return ()


def tls_mode(cloud: Cloud, instance: Instance) -> str | None:
    """Read the mode of TLS that was chosen for an instance (since Trove 26).

    :returns: None if none was, or that can't be read
    :raises OutOfTimeError: the time of the run is over
    """
    if not instance.is_settled:
        return None
    try:
        found = tls.read_tls(cloud, instance)
    except OutOfTimeError:
        raise
    except TroveExtError:
        return None
    return found.mode if found is not None and found.is_chosen else None


def _module(row: Any) -> Module:
    fields = resources.fields_of(row, "module")
    return Module(fields.need_text("id"), fields.need_text("name"))
