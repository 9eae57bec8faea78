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


"""Determine whose guest agent still sends heartbeats.

``service_status_updated`` is the time of the last heartbeat, which Trove's eject
checks (``trove/instance/models.py``, ``eject_replica_source``). A guest sends one
each 30 s (``report_interval`` in ``trove/common/cfg.py``). Times of one cloud are
compared with one another, never with the clock of this machine, which may be wrong.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from trove_ext.exceptions import NotFoundError
from trove_ext.model.status import NOT_HEARD, Phase
from trove_ext.polling import Reading, Target
from trove_ext.trove import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud

#: Seconds to wait for a heartbeat: one and a half intervals.
WATCH = 45.0
#: How far a heartbeat may be behind the newest one of its set: two intervals.
LAG = timedelta(seconds=60)


def behind(members: Iterable[Instance]) -> frozenset[str]:
    """Return the IDs of the members whose heartbeat is far behind the others'.

    Costs no request, and detects nothing before a minute has passed.
    """
    known = [(member.id, member.heartbeat) for member in members if member.heartbeat]
    newest = max((beat for _id, beat in known), default=None)
    if newest is None:
        return frozenset()
    return frozenset(member for member, beat in known if newest - beat > LAG)


def silent(cloud: Cloud, members: Sequence[Instance]) -> frozenset[str]:
    """Wait for a heartbeat of each member; return the IDs of those without one.

    Takes up to WATCH seconds if one is silent, a heartbeat's interval otherwise.
    If Trove reports no heartbeats, none is silent.

    :param members: as they were read just before
    """
    targets = [_next_beat(cloud, member) for member in members if member.heartbeat]
    if not targets:
        return frozenset()
    outcomes = cloud.wait(targets, cloud.deadline(WATCH))
    watched = [member for member in members if member.heartbeat]
    return frozenset(
        member.id for member, end in zip(watched, outcomes, strict=True) if not end.ok
    )


def _next_beat(cloud: Cloud, before: Instance) -> Target:
    def poll() -> Reading:
        try:
            now = read.get_instance(cloud, before.id)
        except NotFoundError:
            return Reading(Phase.DONE, "deleted")
        if now.operating_status == NOT_HEARD:
            return Reading(Phase.FAILED, "not heard any more, says Trove")
        if now.heartbeat != before.heartbeat:
            return Reading(Phase.DONE, "its heartbeat arrives")
        return Reading(Phase.BUSY, "watching its heartbeat")

    return Target(f"Instance {before}", poll, None)
