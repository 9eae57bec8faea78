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

"""Prove that a restored instance has ended its recovery: it takes writes.

PostgreSQL is HEALTHY as soon as ``pg_isready`` succeeds
(``trove/guestagent/datastore/postgres/service.py``, ``HEALTHCHECK``): the server
responds, and shows old data, while it replays the WAL of the incrementals. It takes
writes only when all WAL is replayed.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    LoginError,
    LostAnswerError,
    PolicyError,
    RefusedError,
    ResourceFailedError,
    ServiceError,
    TroveExtError,
    WaitTimeoutError,
)
from trove_ext.model.status import Phase
from trove_ext.polling import Reading, Target
from trove_ext.trove import databases
from trove_ext.trove.client import is_refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from trove_ext.model.engine import Engine
    from trove_ext.model.instance import Instance
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud

PREFIX = "trove_ext_recovery_"
#: Seconds after which a create without an effect is sent again: during the recovery
#: the guest can't carry it out, which Trove reports to nobody.
RESEND = 3.0
#: Seconds for the database to appear if the engine is HEALTHY only with its data.
APPEARS_WITHIN = 60.0
#: HTTP statuses of a create: the database exists; one of the names can't be listed.
_BAD_REQUEST = 400
#: The instance is not ready: its status changes while the server starts.
_NOT_READY = 422


class UnprovedError(TroveExtError):
    """Trove does not allow what would prove it, so nothing is known."""


def prove(
    cloud: Cloud,
    instance: Instance,
    engine: Engine,
    deadline: Deadline,
    *,
    drop: bool = True,
    may_enable_root: bool = False,
) -> str:
    """Wait until a database that is created on an instance is seen there.

    :param drop: drop the database again; without, the instance is to be deleted
    :param may_enable_root: if Trove can't list the databases, because of a name that it
        does not allow, enable root with a random password instead
    :returns: the name of the database, which may exist also if root was enabled
    :raises UnprovedError: Trove refuses it, so it is not known
    :raises WaitTimeoutError: it still takes no writes at the deadline
    :raises ResourceFailedError: it takes no writes, on an engine without a recovery
        after HEALTHY
    """
    probe = _Probe(cloud, instance)
    try:
        _wait(cloud, instance, engine, probe.poll, deadline)
    except (PolicyError, LoginError) as exc:
        # The latter also if an access rule is missing.
        raise UnprovedError(str(exc)) from exc
    except RefusedError as exc:
        if engine.healthy_has_data or not may_enable_root:
            raise UnprovedError(str(exc)) from exc
        root = _RootProbe(cloud, instance)
        _wait(cloud, instance, engine, root.poll, deadline)
    finally:
        if drop and probe.sent:
            databases.drop(cloud, instance, probe.name)
    return probe.name


def describe(engine: Engine) -> str:
    """Describe what HEALTHY does not show; empty if it shows that the data are there.

    >>> from trove_ext.model.engine import MYSQL
    >>> describe(MYSQL)
    ''
    """
    if engine.healthy_has_data:
        return ""
    return (
        f" {engine.title} is HEALTHY before all of its data are there; it takes writes "
        "only afterwards."
    )


def _wait(
    cloud: Cloud,
    instance: Instance,
    engine: Engine,
    poll: Callable[[], Reading],
    deadline: Deadline,
) -> None:
    limit = deadline
    if engine.healthy_has_data:
        limit = cloud.deadline(max(1.0, min(APPEARS_WITHIN, deadline.remaining)))
    target = Target(f"Recovery of {instance}", poll, None)
    (outcome,) = cloud.wait([target], limit)
    if outcome.ok:
        return
    if engine.healthy_has_data and not deadline.passed:
        raise ResourceFailedError(
            "the restored instance takes no writes: a database that Trove accepted to "
            f"create has not appeared within {outcome.elapsed:.0f} s"
        )
    raise WaitTimeoutError(
        f"the restored instance takes no writes after {outcome.elapsed:.0f} s: "
        + (
            "a database that Trove accepted to create has not appeared"
            if engine.healthy_has_data
            else "it still replays its WAL, or does so for ever, as what is restored "
            f"from the backup of a {engine.title} replica does"
        )
    )


class _Probe:
    """Creates a database, and looks for it."""

    def __init__(self, cloud: Cloud, instance: Instance) -> None:
        self._cloud = cloud
        self._instance = instance
        self._sent_at: float | None = None
        self.name = f"{PREFIX}{secrets.token_hex(8)}"

    @property
    def sent(self) -> bool:
        """Whether it may have been created."""
        return self._sent_at is not None

    def poll(self) -> Reading:
        """Look for it; create it if it is not there."""
        if self._sent_at is None:
            self._send()
        if databases.has(self._cloud, self._instance, self.name):
            return Reading(Phase.DONE, "takes writes")
        waited = self._cloud.clock.monotonic() - (self._sent_at or 0.0)
        if waited >= RESEND:
            self._send()
        return Reading(Phase.BUSY, "takes no writes yet")

    def _send(self) -> None:
        """Send the request; a lost answer, or "it exists", is seen by the next look."""
        again, self._sent_at = self.sent, self._cloud.clock.monotonic()
        try:
            databases.create(self._cloud, self._instance, self.name)
        except RefusedError as exc:
            exists = again and is_refusal(exc, _BAD_REQUEST)
            if not exists and not is_refusal(exc, _NOT_READY):
                raise
        except LostAnswerError:
            return


class _RootProbe:
    """Enables root, which the server refuses until it takes writes."""

    def __init__(self, cloud: Cloud, instance: Instance) -> None:
        self._cloud = cloud
        self._instance = instance
        self._password = f"Aa1-{secrets.token_urlsafe(24)}"

    def poll(self) -> Reading:
        """Try it once; Trove passes on the server's refusal.

        :raises UnprovedError: the policy forbids it
        """
        manager = self._cloud.client.root
        try:
            self._cloud.change(
                f"enabling of root on {self._instance}",
                lambda: manager.create_instance_root(self._instance.id, self._password),
            )
        except (PolicyError, LoginError) as exc:
            raise UnprovedError(str(exc)) from exc
        except ServiceError as exc:
            return Reading(Phase.BUSY, "takes no writes yet", str(exc))
        return Reading(Phase.DONE, "takes writes")
