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

"""From the outcomes of a wait to errors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    PartialFailureError,
    ResourceFailedError,
    TroveExtError,
    WaitTimeoutError,
)
from trove_ext.follow_up import FollowUp, merged, to

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trove_ext.follow_up import Action
    from trove_ext.polling import Outcome, Target


def error_of(
    outcomes: Sequence[Outcome], *, whole_set: bool = False
) -> TroveExtError | None:
    """Return what went wrong, or None if all are done.

    A failure takes precedence over a time-out; both have the action that keeps waiting
    for what is still in progress.

    :param whole_set: also name those that are done, because each explains the others
    """
    failed = [
        outcome for outcome in outcomes if not outcome.ok and not outcome.timed_out
    ]
    running = [outcome for outcome in outcomes if outcome.timed_out]
    lines = [_failure(outcome) for outcome in failed] + [
        _timeout(outcome) for outcome in running
    ]
    if whole_set and lines:
        lines += [
            f"{outcome.target.label} is {outcome.state}"
            for outcome in outcomes
            if outcome.ok
        ]
    if running:
        lines += ["The operation continues on the server."]
    if len(failed) + len(running) > 0 and len(outcomes) > 1:
        bad = len(failed) + len(running)
        lines.append(f"{bad} of {len(outcomes)} {_verb(failed, running)}.")
    text = "\n".join(lines)
    follow_ups = keep_waiting([outcome.target for outcome in running])
    if failed:
        return ResourceFailedError(text, follow_ups=follow_ups)
    return WaitTimeoutError(text, follow_ups=follow_ups) if running else None


def with_others(
    error: TroveExtError | None, others: Sequence[TroveExtError], total: int
) -> TroveExtError | None:
    """Add the errors of targets that could not be found.

    :param total: how many targets there were in all
    """
    if not others or total == 1:
        return others[0] if others else error
    every = [*others, *([error] if error else [])]
    return joined(every, f"{len(others)} of {total} could not be found.")


def joined(
    errors: Sequence[TroveExtError], count: str, otherwise: Sequence[FollowUp] = ()
) -> TroveExtError:
    """Make one error of several: a time-out only if all of them are time-outs.

    :param count: the last line: how many of how many, and what they have in common
    :param otherwise: the follow-ups if none of the errors has one
    """
    late = all(isinstance(error, WaitTimeoutError) for error in errors)
    kind = WaitTimeoutError if late else PartialFailureError
    follow_ups = merged(error.follow_ups for error in errors) or tuple(otherwise)
    return kind("\n".join([*map(str, errors), count]), follow_ups=follow_ups)


def raise_for(outcomes: Sequence[Outcome]) -> None:
    """Raise what went wrong, if anything did.

    :raises ResourceFailedError: something ended in an error state
    :raises WaitTimeoutError: nothing failed, but not all are done
    """
    error = error_of(outcomes)
    if error is not None:
        raise error


def keep_waiting(targets: Iterable[Target]) -> tuple[FollowUp, ...]:
    """Return the actions that keep waiting, one for all with the same goal."""
    alike: dict[Action, list[str]] = {}
    for target in targets:
        if target.follow is not None:
            goal = replace(target.follow, arguments=())
            alike.setdefault(goal, []).extend(target.follow.arguments)
    actions = [
        replace(goal, arguments=tuple(dict.fromkeys(ids)))
        for goal, ids in alike.items()
    ]
    return (to("keep waiting", *actions),) if actions else ()


def _failure(outcome: Outcome) -> str:
    reason = outcome.reading.reason if outcome.reading else ""
    return f"{outcome.target.label} is {outcome.state}: {reason}"


def _timeout(outcome: Outcome) -> str:
    return (
        f"{outcome.target.label} is still {outcome.state} after "
        f"{outcome.elapsed:.0f} s."
    )


def _verb(failed: Sequence[Outcome], running: Sequence[Outcome]) -> str:
    if failed and running:
        return "failed or are still running"
    return "failed" if failed else "still running"
