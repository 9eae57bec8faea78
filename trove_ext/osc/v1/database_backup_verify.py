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

"""``database backup verify``."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import TroveExtError, UsageError
from trove_ext.follow_up import Action, Verb, to
from trove_ext.osc.base import columns, command, prometheus, run, session
from trove_ext.osc.base.options import add_engine_option, add_timeout_option
from trove_ext.osc.base.policy_option import add_policy_option, policy_of
from trove_ext.osc.base.selection_options import (
    add_selection_options,
    refuse_without_all,
    selection_of,
)
from trove_ext.osc.v1 import backup_verify_metrics
from trove_ext.osc.v1.backup_source import add_source_options, source_of
from trove_ext.osc.v1.new_instance import add_settings_options, settings_options
from trove_ext.osc.v1.query_options import add_query_options, questions
from trove_ext.workflows.restore import scratch_instance, verify
from trove_ext.workflows.restore.rotation_check import questions_of
from trove_ext.workflows.restore.verify_all import newest_of_all, without_backup
from trove_ext.workflows.restore.verify_policy import (
    DueVerifications,
    due_verifications,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.restore.verify import Verification
    from trove_ext.workflows.restore.verify_all import Newest
    from trove_ext.workflows.restore.verify_journal import Step

COLUMNS = ("Backup", "Step", "Result", "Seconds", "Detail", "Backup ID")
TIMEOUT = (
    "Stop verifying a backup after this many seconds, delete its temporary instance, "
    "and exit with code 124 at the end"
)
NAME_ONE = (
    "Name at least one backup, or give --instance, --all, --policy or --clean-up."
)


class VerifyDatabaseBackup(command.Lister):
    """Restore backups into temporary instances, check them, and delete them.

    The total of a backup is "restored" if the instance became ACTIVE and HEALTHY and
    takes writes, "databases checked" if every --expect-database exists too, "data
    checked" if each --query returned the expected value, and "not tried" if only the
    settings of the temporary instance, a quota or a policy prevent the check. The exit
    code is 1 if any backup fails verification.

    The temporary instance is named trove-ext-verify-<backup>-<time>-<digits>, counts
    in the quota while it exists, and is deleted on failures and signals too. If a run
    is killed, the next run names its orphaned instance, and --clean-up deletes it.

    With --policy the newest backup of an instance is verified if it is the first of its
    period (verify_every), also again. With --all, and --policy, an instance without a
    restorable backup fails verification.
    """

    #: It logs in by itself, once the policy file is known to be good.
    auth_required = False

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument(
            "backup",
            metavar="<backup>",
            nargs="*",
            help="Backup to verify (name or ID); several are verified in turn; with "
            "--instance it can be left out, and can be latest or latest-full",
        )
        add_source_options(parser)
        add_selection_options(parser, "Verify the newest restorable backup of")
        add_policy_option(parser, "Verify what is due of")
        _add_checks(parser)
        add_settings_options(parser)
        _add_clean_up_options(parser)
        prometheus.add_option(parser)
        add_engine_option(parser)
        add_timeout_option(parser, TIMEOUT)

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Clean up, verify one after another, and show each step."""
        choose, request = _chooser(parsed_args), _request(parsed_args)
        requests = _named(parsed_args, request)
        session.log_in(self.app, self)
        chosen = choose(self.cloud)
        requests += [_found(request, each) for each in chosen.now if each.backup]
        prepared = verify.prepare(self.cloud, requests)
        left = scratch_instance.find_orphaned(self.cloud)
        found: list[Verification] = []
        if parsed_args.clean_up:
            _list(self.cloud, left)
            found += verify.clean_up(self.cloud, left)
        else:
            _warn(self.cloud, left)
        try:
            for verification in verify.run(self.cloud, prepared):
                found.append(verification)
        except run.Stopped:
            # Finished verifications are reported, whatever ends the others.
            if found:
                self.produce_output(parsed_args, *_shown(found))
            raise
        found += [without_backup(each) for each in chosen.now if each.backup is None]
        _write_metrics(self, parsed_args, found, chosen)
        self.fail(verify.error_of(found))
        return _shown(found)


def _chooser(
    parsed_args: argparse.Namespace,
) -> Callable[[Cloud], DueVerifications]:
    """Return what finds the backups that are not named; none if they are.

    :raises UsageError: the arguments, or the policy file, are wrong
    """
    args = parsed_args
    policy = policy_of(
        args,
        backup=args.backup,
        instance=args.instance,
        before=args.before,
        all=args.all,
        exclude=args.exclude,
        datastore=args.datastore,
        query=args.queries,
        expect=args.values,
        query_database=args.query_database,
    )
    if policy is not None:
        if not policy.verifies:
            raise UsageError(f"No rule of {policy.name} has verify_every.")
        return partial(due_verifications, policy=policy)
    named = [*args.backup, *filter(None, [args.instance])]
    if not (named or args.all):
        refuse_without_all(args)
        if not args.clean_up:
            raise UsageError(NAME_ONE)
        return lambda _cloud: DueVerifications(())
    selection = selection_of(args, named, what="backups")
    if selection is None:
        return lambda _cloud: DueVerifications(())
    return lambda cloud: DueVerifications(newest_of_all(cloud, selection))


def _write_metrics(
    cmd: VerifyDatabaseBackup,
    parsed_args: argparse.Namespace,
    found: Sequence[Verification],
    chosen: DueVerifications,
) -> None:
    """Update the file of metrics; of all instances deleted ones disappear from it.

    A file that can't be written is a warning: the result is more important.
    """
    if parsed_args.prometheus is None:
        return
    cloud = cmd.cloud
    try:
        whole = parsed_args.all or parsed_args.policy
        newest = chosen.now if whole else None
        done = backup_verify_metrics.verified(cloud, found, newest)
        labels = session.labels(cmd.app, cloud)
        made = backup_verify_metrics.gauges(done, cloud.clock.now(), labels)
        there = {each.instance_id or "" for each in chosen.now}
        only = there | chosen.later if whole else None
        prometheus.update(parsed_args.prometheus, made, only)
    except TroveExtError as exc:
        cloud.progress.warn(f"{parsed_args.prometheus} is left as it was: {exc}")


def _add_checks(parser: argparse.ArgumentParser) -> None:
    """Add the options for checks in the restored instance."""
    parser.add_argument(
        "--expect-database",
        dest="databases",
        metavar="<name>",
        action="append",
        default=[],
        help="Check that this database exists (repeatable)",
    )
    add_query_options(parser)
    parser.add_argument(
        "--upgrade-to",
        metavar="<version>",
        help="Rehearse an upgrade: after the restore, upgrade the temporary instance "
        "to this datastore version, and check the data after that",
    )


def _add_clean_up_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for temporary instances."""
    parser.add_argument(
        "--keep",
        action="store_true",
        help="Do not delete the temporary instance",
    )
    parser.add_argument(
        "--clean-up",
        action="store_true",
        help="First delete all temporary instances in this project, including those of "
        "runs still in progress elsewhere",
    )


def _shown(found: Sequence[Verification]) -> Any:
    steps = (step for verification in found for step in verification.steps)
    return columns.table(COLUMNS, steps, _cells)


def _cells(step: Step) -> dict[str, Any]:
    return {
        "Backup": columns.text(step.backup or None),
        "Step": step.name,
        "Result": step.result,
        "Seconds": columns.number(step.seconds),
        "Detail": columns.text(step.detail or None),
        "Backup ID": columns.text(step.backup_id),
    }


def _list(cloud: Cloud, left: Sequence[Instance]) -> None:
    """List the temporary instances that are deleted first."""
    if not left:
        cloud.progress.note("No temporary instance was left behind.")
    for instance in left:
        cloud.progress.note(f"Deleting what was left behind: {_described(instance)}")


def _warn(cloud: Cloud, left: Sequence[Instance]) -> None:
    """Name the temporary instances that are there."""
    if not left:
        return
    listed = "".join(f"\n  {_described(instance)}" for instance in left)
    cloud.progress.warn(
        "These instances are orphaned by earlier verifications, or still used by "
        f"running ones:{listed}",
        to("delete them", Action(Verb.CLEAN_UP_VERIFICATIONS)),
    )


def _described(instance: Instance) -> str:
    created = instance.created
    since = f", created {created.isoformat(timespec='seconds')}" if created else ""
    return f"{instance}, {instance.state}{since}"


def _request(parsed_args: argparse.Namespace) -> verify.VerifyRequest:
    """Return what all requests have in common.

    :raises UsageError: a query lacks its value
    """
    return verify.VerifyRequest(
        backup="",
        options=settings_options(parsed_args),
        databases=tuple(parsed_args.databases),
        questions=questions(parsed_args),
        query_database=parsed_args.query_database,
        upgrade_to=parsed_args.upgrade_to,
        keep=parsed_args.keep,
        timeout=parsed_args.timeout,
    )


def _named(
    parsed_args: argparse.Namespace, request: verify.VerifyRequest
) -> list[verify.VerifyRequest]:
    """Return a request for each backup that the command line names.

    :raises UsageError: an option has nothing to choose from
    """
    names: list[str | None] = [*parsed_args.backup]
    if parsed_args.instance and not names:
        names = [None]
    return [replace(request, backup=source_of(parsed_args, name)) for name in names]


def _found(request: verify.VerifyRequest, newest: Newest) -> verify.VerifyRequest:
    """Return the request for a backup that was found, with the queries of its rule."""
    backup = newest.backup.id if newest.backup else ""
    wanted = newest.verification
    if wanted is None:
        return replace(request, backup=backup)
    return replace(
        request,
        backup=backup,
        questions=questions_of(wanted),
        query_database=wanted.query_database,
    )
