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

"""Trove's raw status strings as data: settled, failed or still busy.

Source: ``trove/instance/models.py`` (``InstanceStatus``, ``SimpleInstance.status``)
and ``trove/instance/service_status.py``. ``status`` is ACTIVE also while a hidden
task runs; ``operating_status`` is empty then. Settled is both together.
"""

from __future__ import annotations

import enum

HEALTHY = "HEALTHY"
#: The server accepts an action in these (``trove/instance/models.py``,
#: ``validate_can_perform_action``).
READY_STATUSES = frozenset({"ACTIVE", "RESTART_REQUIRED"})
#: Trove leaves these only by an admin's reset or a delete.
FAILED_STATUSES = frozenset({"ERROR", "FAILED"})


class Phase(enum.Enum):
    """What a waiter makes of a state."""

    BUSY = "busy"
    DONE = "done"
    FAILED = "failed"


def is_settled(status: str, operating_status: str | None) -> bool:
    """Tell whether nothing is going on and the database serves.

    :param operating_status: None where an older Trove does not send the field:
        then ``status`` alone decides
    """
    return status in READY_STATUSES and operating_status in {HEALTHY, None}


def instance_phase(status: str, operating_status: str | None) -> Phase:
    """Sort the two raw strings into one phase."""
    if status in FAILED_STATUSES:
        return Phase.FAILED
    return Phase.DONE if is_settled(status, operating_status) else Phase.BUSY


def describe(status: str, operating_status: str | None) -> str:
    """Join the two raw strings as they are shown: ``ACTIVE/HEALTHY``, ``BUILD``."""
    return f"{status}/{operating_status}" if operating_status else status
