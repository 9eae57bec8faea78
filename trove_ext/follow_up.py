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
"""What to do next, as data: an action, the IDs it concerns, and what it is for.

Errors, plans and progress carry these. A script acts on them; only
:mod:`trove_ext.osc.base.follow_up` writes them as commands.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Verb(enum.Enum):
    """What an action does."""

    LIST_BACKUPS = "list backups"
    SHOW_BACKUP = "show a backup"
    WAIT_FOR_BACKUP = "wait for backups"
    DELETE_BACKUP = "delete a backup"
    LIST_CHAINS = "list backup chains"
    PREVIEW_PRUNE = "show what pruning would delete"
    CLEAN_UP_VERIFICATIONS = "delete the temporary instances of verifications"
    LIST_INSTANCES = "list instances"
    SHOW_INSTANCE = "show an instance"
    WAIT_FOR_INSTANCE = "wait for instances"
    RESTART_INSTANCE = "restart the database of an instance"
    DELETE_INSTANCE = "delete an instance"
    CLONE_INSTANCE = "clone an instance"
    RESET_STATUS = "reset the status of an instance"
    ATTACH_CONFIGURATION = "attach a configuration group to an instance"
    DETACH_CONFIGURATION = "detach the configuration group of an instance"
    SET_PARAMETERS = "change values of a configuration group"
    DELETE_CONFIGURATION = "delete a configuration group"
    CREATE_REPLICA = "create a replica"
    SHOW_REPLICAS = "show a replica set"
    PROMOTE_REPLICA = "promote a replica"
    DETACH_REPLICA = "detach a replica"
    REPLACE_REPLICA = "replace a replica"
    RESTART_REPLICAS = "restart the members of a replica set"
    FAIL_OVER = "fail over from a replica source"
    ENABLE_TLS = "set the TLS mode of an instance"
    LIST_DATABASES = "list databases"
    DELETE_DATABASE = "delete a database"


@dataclass(frozen=True, slots=True)
class Action:
    """One action.

    :ivar arguments: what it is done to, in the order of the action: IDs; after the ID
        of the instance, for CREATE_REPLICA and DELETE_DATABASE a name, for
        ATTACH_CONFIGURATION the ID of the group; for SET_PARAMETERS the values, as
        JSON, after the ID of the group
    :ivar wait: wait until it is done
    :ivar probe: prove that replication works
    :ivar goal: what to wait for: ``completed``, ``deleted``, ``settled``, ``source``,
        ``detached`` or ``replica-of``
    :ivar source_id: the ID of the source, for the goal ``replica-of`` and for
        REPLACE_REPLICA
    :ivar replacement_id: the ID of the new replica, for REPLACE_REPLICA
    :ivar accept_loss: promote although writes may be lost
    :ivar fence: stop the writes during a promote
    :ivar target_id: the replica that replaces the source, for FAIL_OVER
    :ivar keep_last: how many backups PREVIEW_PRUNE keeps
    :ivar skip: the IDs of the members that RESTART_REPLICAS leaves out
    :ivar source_first: restart the source before its replicas
    :ivar pending: restart only the members that Trove reports as RESTART_REQUIRED
    :ivar switchover: promote a replica before the source is restarted
    :ivar backup_id: the backup that CLONE_INSTANCE uses
    :ivar region: the region that it is done in; None for the one in use
    """

    verb: Verb
    arguments: tuple[str, ...] = ()
    wait: bool = False
    probe: bool = False
    goal: str | None = None
    source_id: str | None = None
    replacement_id: str | None = None
    keep_last: int | None = None
    accept_loss: bool = False
    fence: bool = False
    target_id: str | None = None
    skip: tuple[str, ...] = ()
    source_first: bool = False
    pending: bool = False
    switchover: bool = False
    backup_id: str | None = None
    region: str | None = None


class Setting(enum.Enum):
    """What can be added to the request that made this follow-up necessary."""

    ALLOWED_CIDRS = "addresses that may connect"
    AVAILABILITY_ZONE = "availability zone"
    BACKUP_NAME = "pattern for the name of a last backup"
    DATASTORE_VERSION = "datastore version"
    FORCE_VERSION = "use an older datastore version"
    CONFIGURATION_OR_NONE = "configuration group, or none"
    FLAVOR = "flavor"
    LOCALITY = "locality of replicas"
    MODULE = "module"
    LIKE = "instance to take the settings from"
    NAME_PATTERN = "pattern for the names of backups"
    NETWORK = "network"
    NETWORK_OR_NONE = "network, or none"
    PUBLIC = "public address"
    QUERY_DATABASE = "database to query"
    SIZE = "size of the volume"
    SOURCE = "source of a new replica"
    ONE_STORE = "both regions have one object store"
    TOKEN = "token"  # noqa: S105 - no password
    VOLUME_TYPE = "volume type"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What a user can do next, and why.

    :ivar purpose: what for, as it stands after "to": "keep waiting"
    :ivar actions: what does it; empty if no request of this project can
    :ivar settings: do the same again with these
    :ivar value: the value of the one setting; empty to leave it to the user
    :ivar detail: more about it, in whole sentences without the last full stop
    :ivar admin: only an administrator of the cloud can do it
    :ivar alternative: do this instead of the follow-up before it, or if that fails
    """

    purpose: str
    actions: tuple[Action, ...] = ()
    settings: tuple[Setting, ...] = ()
    value: str = ""
    detail: str = ""
    admin: bool = False
    alternative: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong, and what to do about it."""

    text: str
    follow_ups: tuple[FollowUp, ...] = ()

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Note:
    """A choice that may be unexpected, and how to choose otherwise."""

    text: str
    follow_ups: tuple[FollowUp, ...] = ()

    def __str__(self) -> str:
        return self.text


def wait_for_backup(*ids: str, goal: str | None = None) -> Action:
    """Wait until backups are completed, or what the goal says."""
    return Action(Verb.WAIT_FOR_BACKUP, ids, goal=goal)


def wait_for_instance(
    *ids: str, goal: str | None = None, source_id: str | None = None
) -> Action:
    """Wait until instances are settled, or what the goal says."""
    return Action(Verb.WAIT_FOR_INSTANCE, ids, goal=goal, source_id=source_id)


def to(purpose: str, *actions: Action, detail: str = "") -> FollowUp:
    """Make a follow-up: ``to("keep waiting", wait_for_instance(id))``."""
    return FollowUp(purpose, actions, detail=detail)


def add(purpose: str, *settings: Setting, alternative: bool = False) -> FollowUp:
    """Make a follow-up that adds settings to the same request."""
    return FollowUp(purpose, settings=settings, alternative=alternative)


def or_to(
    purpose: str, *actions: Action, detail: str = "", admin: bool = False
) -> FollowUp:
    """Make a follow-up that is an alternative to the one before it."""
    return FollowUp(purpose, actions, detail=detail, admin=admin, alternative=True)


def merged(groups: Iterable[Iterable[FollowUp]]) -> tuple[FollowUp, ...]:
    """Put the follow-ups of several errors together, each once."""
    return tuple(dict.fromkeys(each for group in groups for each in group))
