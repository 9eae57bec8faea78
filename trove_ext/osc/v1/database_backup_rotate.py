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
"""``database backup rotate``."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import TroveExtError, UsageError
from trove_ext.model.backup import CINDER, SWIFT
from trove_ext.model.rotation_naming import DEFAULT_PATTERN
from trove_ext.osc.base import (
    command,
    prometheus,
    retention_options,
    session,
)
from trove_ext.osc.base.options import (
    add_dry_run_option,
    add_engine_option,
    add_timeout_option,
    name_pattern,
    positive,
)
from trove_ext.osc.base.policy_option import add_policy_option, policy_of
from trove_ext.osc.base.selection_options import add_selection_options, selection_of
from trove_ext.osc.v1 import backup_rotate_metrics, backup_rotate_table
from trove_ext.osc.v1.query_options import (
    add_verify_options,
    policy_checks,
    rotation_check,
)
from trove_ext.workflows.backup import rotate, rotate_job
from trove_ext.workflows.backup.rotate_all import rotate_all
from trove_ext.workflows.backup.rotate_policy import rotate_policy
from trove_ext.workflows.backup.rotate_start import How

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from trove_ext.model.policy_file import PolicyFile, Settings
    from trove_ext.model.selection import Selection
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.rotate_job import RotateRequest, RotateRow
    from trove_ext.workflows.backup.rotate_policy import CheckOf

SOURCE, REPLICA = "source", "replica"
#: Without either of the two the first full backup is the only one.
ENDLESS = (
    "Without --full-every or --chain-length one chain grows without limit, and "
    "retention can delete nothing of it: what is kept keeps its ancestors."
)

ENDLESS_RULE = (
    "without full_every or chain_length one chain grows without limit, and retention "
    "can delete nothing of it"
)
ENDLESS_BUT = f"{ENDLESS_RULE} (on PostgreSQL each backup is a full one)"


class RotateDatabaseBackup(command.Lister):
    """Take a backup of each instance, wait for it, and then prune: for cron.

    With --all the project is read once, and a replica set is backed up at one member;
    the --keep options then apply to the backups of this rotation alone, those of all
    members of a set together. What remains of deleted instances is listed and kept.

    With --policy the rules of a file say for each instance how often a backup is taken,
    what is kept, and which backups are verified. The run takes the backups that are
    due, and says when the others are; it may run as often as you like.

    The backup is an incremental on the newest one that can be built on, and a full
    one if there is none, or if --full-every or --chain-length requires it. The --keep
    options are those of "database backup prune"; without one no restore point is
    deleted, nor is any if the backup fails. If the quota of backups is full, FAILED
    backups whose names match --name are deleted, and the request is sent again.

    The command can be killed at any time and run again, or run twice at once: a
    backup in progress whose name matches is waited for, and one that was completed
    less than --min-age ago counts as this run's. Exit code 75 means that another
    backup is in progress; one in progress for more than a day is a failure.
    """

    #: It logs in by itself, once the policy file is known to be good.
    auth_required = False

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        _add_instances(parser)
        _add_chain_options(parser)
        retention_options.add_keep_options(parser)
        _add_name_options(parser)
        prometheus.add_option(parser)
        add_verify_options(parser)
        add_dry_run_option(
            parser, "Print what would be taken, kept and deleted, as far as it is known"
        )
        add_timeout_option(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Back all up, prune, and show a row for each instance."""
        job = _job(parsed_args)
        session.log_in(self.app, self)
        deadline = self.cloud.start(parsed_args.timeout)
        rows = job(self.cloud, deadline)
        if parsed_args.dry_run:
            self.cloud.progress.note("Nothing was changed.")
        else:
            _write_metrics(self, parsed_args, rows)
        self.fail(rotate.error_of(rows))
        return backup_rotate_table.table(rows)


def _job(
    parsed_args: argparse.Namespace,
) -> Callable[[Cloud, Deadline], Sequence[RotateRow]]:
    """Return what is to be done.

    :raises UsageError: the arguments, or the policy file, are wrong
    """
    policy = _policy_file(parsed_args)
    replica = parsed_args.prefer == REPLICA
    if policy is not None:
        checks = policy_checks(parsed_args, policy)
        return partial(
            _rotate_policy,
            policy=policy,
            replica=replica,
            check_of=checks,
            dry_run=parsed_args.dry_run,
        )
    request, selection = _request(parsed_args), _selection(parsed_args)
    return partial(_rotate, request=request, selection=selection, replica=replica)


def _rotate(
    cloud: Cloud,
    deadline: Deadline,
    *,
    request: RotateRequest,
    selection: Selection | None,
    replica: bool,
) -> Sequence[RotateRow]:
    if selection is None:
        rows: Sequence[RotateRow] = rotate.rotate(cloud, request, deadline)
    else:
        rows = rotate_all(
            cloud, request, selection, deadline, prefer_replica=replica
        ).rows
    if _grows_without_limit(cloud, request, rows):
        cloud.progress.warn(ENDLESS)
    return rows


def _rotate_policy(
    cloud: Cloud,
    deadline: Deadline,
    *,
    policy: PolicyFile,
    replica: bool,
    check_of: CheckOf,
    dry_run: bool,
) -> Sequence[RotateRow]:
    for rule in policy.rules:
        settings = rule.settings
        if settings is not None and _is_endless(settings):
            text = ENDLESS_RULE if settings.incremental else ENDLESS_BUT
            cloud.progress.warn(f"{policy.name}:{rule.line}: {text}.")
    return rotate_policy(
        cloud,
        policy,
        deadline,
        prefer_replica=replica,
        check_of=check_of,
        dry_run=dry_run,
    )


def _is_endless(settings: Settings) -> bool:
    """Whether retention can delete nothing by a rule, but on PostgreSQL."""
    return settings.keep is not None and not _limits_a_chain(settings)


def _policy_file(parsed_args: argparse.Namespace) -> PolicyFile | None:
    """Read the policy file; nothing that its rules say may be given too."""
    args = parsed_args
    return policy_of(
        args,
        instance=args.instance,
        all=args.all,
        exclude=args.exclude,
        datastore=args.datastore,
        full_every=args.full_every,
        chain_length=args.chain_length,
        incremental=args.incremental,
        storage_driver=args.storage_driver,
        keep_=retention_options.policy_if_any(args),
        name=args.name.pattern != DEFAULT_PATTERN,
        min_age=args.min_age != rotate_job.MIN_AGE,
        verify_each=args.verify_each,
        query=args.queries,
        expect=args.values,
        query_database=args.query_database,
    )


def _write_metrics(
    cmd: RotateDatabaseBackup,
    parsed_args: argparse.Namespace,
    rows: Sequence[RotateRow],
) -> None:
    """Update the file of metrics; of all instances deleted ones disappear from it.

    An instance whose backup is not due keeps the metrics of its last one. A file that
    can't be written is a warning: the backups are there.
    """
    if parsed_args.prometheus is None:
        return
    cloud = cmd.cloud
    labels = session.labels(cmd.app, cloud)
    at_work = [row for row in rows if row.error or row.how is not How.NOT_DUE]
    made = backup_rotate_metrics.gauges(at_work, cloud.clock.now(), labels)
    whole = parsed_args.all or parsed_args.policy
    only = backup_rotate_metrics.ids(rows) if whole else None
    try:
        prometheus.update(parsed_args.prometheus, made, only)
    except TroveExtError as exc:
        cloud.progress.warn(str(exc))


def _add_instances(parser: argparse.ArgumentParser) -> None:
    """Add the instances, or what selects them."""
    parser.add_argument(
        "instance",
        metavar="<instance>",
        nargs="*",
        help="Instance to back up (name or ID)",
    )
    add_selection_options(parser, "Back up")
    add_policy_option(parser, "Back up")
    parser.add_argument(
        "--prefer",
        metavar="<role>",
        choices=(SOURCE, REPLICA),
        help="With --all, back up the source of a replica set (the default), or a "
        "replica that a probe at the beginning of this run proves to replicate: it "
        "creates a database on the source and drops it. The source is used if no "
        "replica is proved, and on PostgreSQL",
    )


def _selection(parsed_args: argparse.Namespace) -> Selection | None:
    """Read which instances are wanted; None if they are named.

    :raises UsageError: both, or neither, or what only --all can have
    """
    if parsed_args.prefer is not None and not parsed_args.all:
        raise UsageError("--prefer is about the replica sets of --all: give it too.")
    return selection_of(parsed_args, parsed_args.instance)


def _add_chain_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that decide between a full backup and an incremental."""
    parser.add_argument(
        "--full-every",
        metavar="<duration>",
        type=retention_options.duration,
        help="Take a full backup if the last one is older than this, such as 7d",
    )
    parser.add_argument(
        "--chain-length",
        metavar="<n>",
        type=positive,
        help="Take a full backup if a restore would otherwise read more than this many "
        "backups, the full one included; volume snapshots are not counted",
    )
    parser.add_argument(
        "--incremental",
        action="store_true",
        help="Take incrementals on PostgreSQL too, where every backup is otherwise a "
        "full one, if nothing shows that they would miss rows: the parent is the "
        "newest backup in any state, and the instance has no replicas. A backup or "
        "replica that was deleted since its parent was taken "
        "can't be seen: verify each. On MySQL and MariaDB incrementals are the default",
    )
    parser.add_argument(
        "--storage-driver",
        metavar="<driver>",
        choices=(SWIFT, CINDER),
        help="Store the backups in swift, or as volume snapshots in cinder, and build "
        "only on backups stored there (default: where the newest backup is stored, or "
        "the cloud's default for a full one; needs Trove 23 or later)",
    )
    add_engine_option(parser)


def _add_name_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that identify the backups of this rotation."""
    parser.add_argument(
        "--name",
        metavar="<pattern>",
        type=name_pattern,
        default=DEFAULT_PATTERN,
        help="Name of the backups, in which {instance}, {type} and {time} are replaced "
        "and the time is UTC, as {time:%%Y-%%m-%%d} if given a format (default: "
        f"{DEFAULT_PATTERN})",
    )
    parser.add_argument(
        "--min-age",
        metavar="<duration>",
        type=_min_age,
        default="1h",
        help="Take no new backup if one of this rotation was completed less than this "
        "ago; set it below the interval of the cron job, or to 0 to take one in any "
        "case (default: 1h)",
    )


def _request(parsed_args: argparse.Namespace) -> RotateRequest:
    return rotate_job.RotateRequest(
        instances=tuple(parsed_args.instance),
        pattern=parsed_args.name,
        full_every=parsed_args.full_every,
        chain_length=parsed_args.chain_length,
        min_age=parsed_args.min_age,
        policy=retention_options.policy_if_any(parsed_args),
        storage_driver=parsed_args.storage_driver,
        incremental=parsed_args.incremental,
        check=rotation_check(parsed_args),
        dry_run=parsed_args.dry_run,
    )


def _grows_without_limit(
    cloud: Cloud, request: RotateRequest, rows: Sequence[RotateRow]
) -> bool:
    """Whether a policy can delete nothing of a chain, as no new one is begun."""
    if request.policy is None or _limits_a_chain(request):
        return False
    instances = [row.found.instance for row in rows if row.found.instance]
    return any(
        request.incremental or cloud.engines.look(instance.datastore).any_parent
        for instance in instances
    )


def _limits_a_chain(request: RotateRequest | Settings) -> bool:
    """Whether new chains are started; volume snapshots don't make a chain longer."""
    if request.storage_driver == CINDER:
        return bool(request.full_every) or request.chain_length == 1
    return bool(request.full_every or request.chain_length)


def _min_age(text: str) -> timedelta:
    return timedelta(0) if text == "0" else retention_options.duration(text)
