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
"""Format follow-ups as ``openstack`` commands that a user can paste."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from trove_ext.follow_up import Setting, Verb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trove_ext.follow_up import Action, FollowUp

#: The words of each command after ``openstack database``.
WORDS = {
    Verb.LIST_BACKUPS: ("backup", "list"),
    Verb.SHOW_BACKUP: ("backup", "show"),
    Verb.WAIT_FOR_BACKUP: ("backup", "wait"),
    Verb.DELETE_BACKUP: ("backup", "delete"),
    Verb.LIST_CHAINS: ("backup", "chain", "list"),
    Verb.PREVIEW_PRUNE: ("backup", "prune", "--dry-run"),
    Verb.CLEAN_UP_VERIFICATIONS: ("backup", "verify", "--clean-up"),
    Verb.LIST_INSTANCES: ("instance", "list"),
    Verb.SHOW_INSTANCE: ("instance", "show"),
    Verb.WAIT_FOR_INSTANCE: ("instance", "wait"),
    Verb.RESTART_INSTANCE: ("instance", "restart"),
    Verb.DELETE_INSTANCE: ("instance", "delete"),
    Verb.CLONE_INSTANCE: ("instance", "clone"),
    Verb.RESET_STATUS: ("instance", "reset", "status"),
    Verb.ATTACH_CONFIGURATION: ("configuration", "attach"),
    Verb.DETACH_CONFIGURATION: ("configuration", "detach"),
    Verb.SET_PARAMETERS: ("configuration", "parameter", "set"),
    Verb.DELETE_CONFIGURATION: ("configuration", "delete"),
    Verb.CREATE_REPLICA: ("replica", "create"),
    Verb.SHOW_REPLICAS: ("replica", "show"),
    Verb.PROMOTE_REPLICA: ("replica", "promote"),
    Verb.DETACH_REPLICA: ("replica", "detach"),
    Verb.REPLACE_REPLICA: ("replica", "replace"),
    Verb.RESTART_REPLICAS: ("replica", "restart"),
    Verb.FAIL_OVER: ("replica", "failover"),
    Verb.ENABLE_TLS: ("ssl", "enable"),
    Verb.LIST_DATABASES: ("db", "list"),
    Verb.DELETE_DATABASE: ("db", "delete"),
}
#: The option of each setting.
OPTIONS = {
    Setting.ALLOWED_CIDRS: "--allowed-cidr <range>",
    Setting.AVAILABILITY_ZONE: "--availability-zone <zone>",
    Setting.BACKUP_NAME: "--backup-name <pattern>",
    Setting.DATASTORE_VERSION: "--datastore-version <version>",
    Setting.FORCE_VERSION: "--force-version",
    Setting.CONFIGURATION_OR_NONE: "--configuration <group> (or --no-configuration)",
    Setting.FLAVOR: "--flavor <flavor>",
    Setting.LOCALITY: "--locality <policy>",
    Setting.MODULE: "--module <module>",
    Setting.LIKE: "--like <instance>",
    Setting.NAME_PATTERN: "--name <pattern>",
    Setting.NETWORK: "--nic net-id=<network>",
    Setting.NETWORK_OR_NONE: "--nic net-id=<network> (or --nic none)",
    Setting.PUBLIC: "--is-public",
    Setting.QUERY_DATABASE: "--query-database <name>",
    Setting.SIZE: "--size <GB>",
    Setting.SOURCE: "--source <instance>",
    Setting.ONE_STORE: "--one-store",
    Setting.TOKEN: "--os-token <token> (or set OS_TOKEN)",
    Setting.VOLUME_TYPE: "--volume-type <type>",
}
#: An administrator has other credentials than those of this command.
ADMIN_PREFIX = "openstack"
ADMIN = " [only an admin of the cloud can do this]"


def command(prefix: str, action: Action) -> str:
    """Format one action as a command.

    :param prefix: how it begins, for instance ``openstack --os-cloud prod``
    """
    words = [*WORDS[action.verb], *action.arguments]
    if action.goal is not None:
        source = f"={action.source_id}" if action.source_id else ""
        words += ["--for", f"{action.goal}{source}"]
    elif action.source_id is not None:
        words += ["--source", action.source_id]
    if action.replacement_id is not None:
        words += ["--with", action.replacement_id]
    if action.keep_last is not None:
        words += ["--keep-last", str(action.keep_last)]
    words += ["--to", action.target_id] if action.target_id else []
    words += ["--from", action.backup_id] if action.backup_id else []
    words += ["--order", "source-first"] if action.source_first else []
    words += ["--pending"] if action.pending else []
    words += ["--switchover"] if action.switchover else []
    words += [word for member in action.skip for word in ("--skip", member)]
    words += ["--fence"] if action.fence else []
    words += ["--accept-loss"] if action.accept_loss else []
    words += ["--probe"] if action.probe else []
    words += ["--wait"] if action.wait else []
    # The last of several counts.
    region = f" --os-region-name {shlex.quote(action.region)}" if action.region else ""
    return f"{prefix}{region} database {shlex.join(words)}"


def render(prefix: str, text: str, follow_ups: Iterable[FollowUp]) -> str:
    """Append what to do next to a text; several follow-ups are numbered."""
    return "\n".join([text, *lines(prefix, tuple(follow_ups))])


def lines(prefix: str, follow_ups: tuple[FollowUp, ...]) -> Iterator[str]:
    """Format what to do next, line by line; several steps are numbered."""
    if all(each.alternative for each in follow_ups[1:]):
        for position, each in enumerate(follow_ups):
            yield from _alone(prefix, each, "Or, to" if position else "To")
        return
    yield "What to do, in this order:"
    number = 0
    for each in follow_ups:
        alternative = each.alternative and number > 0
        number += not alternative
        yield f"     Or {_step(each)}" if alternative else f"  {number}. {_first(each)}"
        yield from (f"       {words}" for words in _commands(prefix, each))


def _alone(prefix: str, follow_up: FollowUp, start: str) -> Iterator[str]:
    detail = f" ({follow_up.detail})" if follow_up.detail else ""
    purpose = f"{start} {follow_up.purpose}{detail}{ADMIN if follow_up.admin else ''}"
    if follow_up.settings:
        yield f"{purpose}, add: {_options(follow_up)}"
    else:
        yield f"{purpose}, run:" if follow_up.actions else f"{purpose}."
    yield from (f"  {words}" for words in _commands(prefix, follow_up))


def _commands(prefix: str, follow_up: FollowUp) -> list[str]:
    start = ADMIN_PREFIX if follow_up.admin else prefix
    return [command(start, action) for action in follow_up.actions]


def _options(follow_up: FollowUp) -> str:
    if follow_up.value:
        option = OPTIONS[follow_up.settings[0]].partition(" ")[0]
        return f"{option} {shlex.quote(follow_up.value)}"
    return " ".join(OPTIONS[setting] for setting in follow_up.settings)


def _first(follow_up: FollowUp) -> str:
    step = _step(follow_up)
    return step[:1].upper() + step[1:]


def _step(follow_up: FollowUp) -> str:
    detail = f": {follow_up.detail}" if follow_up.detail else ""
    options = f": {_options(follow_up)}" if follow_up.settings else "."
    return f"{follow_up.purpose}{detail}{options}{ADMIN if follow_up.admin else ''}"
