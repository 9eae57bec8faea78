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

"""The replication of a set, as ``database replica show`` reports it to Nagios."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.osc.base.nagios import Metric, Report, State
from trove_ext.workflows.replica.probe import PROBE_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.model.replication import ReplicationSet
    from trove_ext.workflows.replica.probe import Probed


def nagios_report(found: ReplicationSet, probed: Sequence[Probed]) -> Report:
    """Return the output of a monitoring plugin, with a line for each replica.

    The delay of a replica is the time from the probe on the source to its arrival, at
    the resolution of the polls; a longer one than PROBE_TIMEOUT is CRITICAL.
    """
    name = found.source.name if found.source else "(no source)"
    good = [each for each in probed if each.ok]
    text = f"{name}: {len(good)} of {len(probed)} replicate"
    bad = [f"{each.replica.name} ({_brief(each)})" for each in probed if not each.ok]
    return Report(
        max((_state(each) for each in probed), key=_severity, default=State.OK),
        "; ".join([text, *bad]),
        (*map(_delay, good), _count(probed)),
        (*(_detail(name, each) for each in probed), *map(str, found.oddities)),
    )


def critical(reason: str) -> Report:
    """Return the report of a set that is certainly broken."""
    return Report(State.CRITICAL, reason)


def _state(probed: Probed) -> State:
    if probed.ok:
        return State.OK
    return State.CRITICAL if probed.readable else State.UNKNOWN


def _severity(state: State) -> int:
    """Order them: a replica that does not replicate is certain, UNKNOWN is not."""
    return [State.OK, State.UNKNOWN, State.CRITICAL].index(state)


def _brief(probed: Probed) -> str:
    return "not replicating" if probed.readable else "can't be probed"


def _detail(source: str, probed: Probed) -> str:
    if probed.seconds is not None:
        said = f"replicates from {source}, seen after {probed.seconds:.1f} s"
    else:
        said = probed.describe()
    return f"{probed.replica.name} {_state(probed).name} - {said}"


def _delay(probed: Probed) -> Metric:
    name, seconds = f"{probed.replica.name}_delay", probed.seconds or 0.0
    return Metric(name, seconds, "s", critical=PROBE_TIMEOUT, least=0)


def _count(probed: Sequence[Probed]) -> Metric:
    bad = sum(not each.ok for each in probed)
    return Metric("bad", bad, critical=0, least=0, most=len(probed))
