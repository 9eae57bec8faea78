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
"""``database backup check``."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import PartialFailureError, TroveExtError, UsageError
from trove_ext.osc.base import (
    alarm,
    columns,
    plugin,
    prometheus,
    retention_options,
    session,
)
from trove_ext.osc.base.options import seconds
from trove_ext.osc.base.policy_option import add_policy_option, policy_of
from trove_ext.osc.base.selection_options import (
    add_selection_options,
    selection_of,
)
from trove_ext.osc.v1.backup_check_report import gauges, nagios_report
from trove_ext.trove import quotas
from trove_ext.workflows.backup import check
from trove_ext.workflows.backup.check import Checked, Level, Limits

if TYPE_CHECKING:
    import argparse
    import pathlib
    from collections.abc import Callable, Sequence

    from cliff.app import App

    from trove_ext.model.selection import Selection
    from trove_ext.osc.base.nagios import Report
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.check import Verdict

COLUMNS = (
    "Instance",
    "Instance ID",
    "Result",
    "Backup",
    "Created",
    "Age",
    "Chain Length",
    "Problem",
    "Member",
)
CRITICAL = timedelta(hours=26)


class CheckDatabaseBackup(plugin.Lister):
    """Check that each instance has a restorable backup that is young enough.

    For monitoring: prints a row for each instance, and exits with 0 if each has such
    a backup, with 1 if not. A backup counts if its whole chain exists. In machine
    formats the age is in seconds. With --all, "Member" is the member of a replica set
    that the backup is of.

    With --nagios it is a plugin for Nagios, Icinga and Naemon: it prints a status line
    with performance data, then a line for each instance, and exits with 0 (OK), 1
    (WARNING), 2 (CRITICAL) or 3 (UNKNOWN: the check itself failed, for example the
    log-in).
    """

    service = "BACKUP"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument(
            "instance",
            metavar="<instance>",
            nargs="*",
            help="Instance to check (name or ID; the ID if it is deleted)",
        )
        add_selection_options(parser, "Check")
        add_policy_option(parser, "Check")
        _add_each_member(parser)
        _add_limits(parser)
        _add_monitoring(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Check them all, then fail if one has no good backup."""
        found = self._check(parsed_args)
        for left in found.left_out:
            self.cloud.progress.note(str(left))
        for verdict in found.verdicts:
            if verdict.level is Level.WARNING:
                self.cloud.progress.warn(f"{verdict.name}: {verdict.problem}")
        self.fail(_error_of(found.verdicts))
        return columns.table(COLUMNS, found.verdicts, _cells)

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Check them all; return what a monitor shows."""
        return nagios_report(self._check(parsed_args))

    def _check(self, parsed_args: argparse.Namespace) -> Checked:
        """Log in, check all, and write the metrics, within the time-out."""
        job = _job(parsed_args)
        with alarm.time_out(parsed_args.timeout):
            session.log_in(self.app, self)
            found = job(self.cloud)
            if parsed_args.prometheus is not None:
                _write(self.app, self.cloud, parsed_args.prometheus, found.verdicts)
        return found


def _job(parsed_args: argparse.Namespace) -> Callable[[Cloud], Checked]:
    """Return what checks the instances.

    :raises UsageError: the arguments, or the policy file, are wrong
    """
    args = parsed_args
    names, each_member = args.instance, args.each_member
    policy = policy_of(
        args,
        instance=names,
        all=args.all,
        exclude=args.exclude,
        datastore=args.datastore,
        each_member=each_member,
        critical=args.critical != CRITICAL,
    )
    if policy is not None:
        return partial(check.check_policy, policy=policy, warning=args.warning)
    limits = _limits(args)
    selection = selection_of(args, names, each_member=each_member)
    return partial(_checked, names=names, selection=selection, limits=limits)


def _checked(
    cloud: Cloud, *, names: list[str], selection: Selection | None, limits: Limits
) -> Checked:
    critical, warning = limits.critical, limits.warning
    if selection is None:
        return Checked(check.check(cloud, names, critical, warning=warning))
    return check.check_all(cloud, critical, warning=warning, selection=selection)


def _write(
    app: App, cloud: Cloud, path: pathlib.Path, found: Sequence[Verdict]
) -> None:
    """Replace the file of metrics, unless an instance could not be evaluated.

    :raises TroveExtError: it can't be written
    """
    unknown = [verdict for verdict in found if verdict.level is Level.UNKNOWN]
    if unknown:
        cloud.progress.warn(
            f"{path} is left as it was: {unknown[0].name}: {unknown[0].problem}"
        )
        return
    quota = quotas.read_quotas(cloud).get(quotas.BACKUPS)
    made = gauges(found, quota, cloud.clock.now(), session.labels(app, cloud))
    prometheus.save(path, made)


def _error_of(found: Sequence[Verdict]) -> TroveExtError | None:
    """Return what to end with if an instance has no good backup."""
    bad = [verdict for verdict in found if not check.is_good(verdict)]
    if not bad:
        return None
    return PartialFailureError(
        f"{len(bad)} of {len(found)} without a good backup: "
        + "; ".join(f"{verdict.name}: {verdict.problem}" for verdict in bad)
    )


def _add_each_member(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--each-member",
        action="store_true",
        help="With --all, check each member of a replica set by itself. Without it the "
        "newest restorable backup of any member counts for the set",
    )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--max-age",
        "--critical",
        dest="critical",
        metavar="<duration>",
        type=retention_options.duration,
        default="26h",
        help="Greatest age of the newest restorable backup, such as 26h or 7d "
        "(default: 26h)",
    )
    parser.add_argument(
        "--warning",
        metavar="<duration>",
        type=retention_options.duration,
        help="Age from which on the result is a warning; without --nagios the exit "
        "code stays 0",
    )


def _add_monitoring(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--nagios",
        action="store_true",
        help="Write the result as a plugin for Nagios, Icinga and Naemon, and nothing "
        "else to stdout; exit with 0, 1, 2 or 3",
    )
    parser.add_argument(
        "--prometheus",
        metavar="<file.prom>",
        type=prometheus.textfile,
        help="Also write the result to this file, for the textfile collector of "
        "node_exporter, which reads files named *.prom alone. The file is replaced at "
        "once; if the check itself fails, the old one stays",
    )
    parser.add_argument(
        "--timeout",
        metavar="<seconds>",
        type=seconds,
        help="Give up after this many seconds, the log-in included (default: 50 with "
        "--nagios, else no limit; 0: no limit)",
    )


def _limits(parsed_args: argparse.Namespace) -> Limits:
    """Read the two ages.

    :raises UsageError: the warning would never be seen
    """
    critical, warning = parsed_args.critical, parsed_args.warning
    if warning is not None and warning >= critical:
        raise UsageError("--warning has to be shorter than --critical.")
    return Limits(critical, warning)


def _cells(verdict: Verdict) -> dict[str, Any]:
    backup = verdict.backup
    return {
        "Instance": columns.text(verdict.name),
        "Instance ID": columns.text(verdict.instance_id),
        "Result": _result(verdict),
        "Backup": columns.text(backup.id if backup else None),
        "Created": columns.moment(backup.created if backup else None),
        "Age": columns.span(verdict.age),
        "Chain Length": verdict.chain_length,
        "Problem": columns.text(verdict.problem),
        "Member": columns.text(verdict.member.name if verdict.member else None),
    }


def _result(verdict: Verdict) -> str:
    if verdict.level is Level.OK:
        return "ok"
    return "warning" if verdict.level is Level.WARNING else "failed"
