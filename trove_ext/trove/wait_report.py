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

"""From outcomes of waiting to errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    PartialFailureError,
    ResourceFailedError,
    TroveExtError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trove_ext.polling import Outcome, Target
    from trove_ext.trove.client import Cloud


def error_of(
    cloud: Cloud, outcomes: Sequence[Outcome], *, whole_set: bool = False
) -> TroveExtError | None:
    """Return what went wrong, or None where everything has arrived.

    A failure outweighs a time-out; what still runs is named with the command that
    goes on waiting in both.

    :param whole_set: name those too that are done, because each explains the others
    """
    failed = [one for one in outcomes if not one.ok and not one.timed_out]
    running = [one for one in outcomes if one.timed_out]
    lines = [_failure(one) for one in failed] + [_timeout(one) for one in running]
    if whole_set and lines:
        lines += [f"{one.target.label} is {one.state}" for one in outcomes if one.ok]
    if running:
        lines += ["It goes on at the server; wait for it with:"]
        lines += follow_lines(cloud, [one.target for one in running])
    if len(failed) + len(running) > 0 and len(outcomes) > 1:
        bad = len(failed) + len(running)
        lines.append(f"{bad} of {len(outcomes)} {_verb(failed, running)}.")
    text = "\n".join(lines)
    if failed:
        return ResourceFailedError(text)
    return WaitTimeoutError(text) if running else None


def with_others(
    error: TroveExtError | None, others: Sequence[TroveExtError], total: int
) -> TroveExtError | None:
    """Add what went wrong with targets that could not even be waited for.

    :param total: how many targets there were in all
    """
    if not others or total == 1:
        return others[0] if others else error
    lines = [*map(str, others), *([str(error)] if error else [])]
    lines.append(f"{len(others)} of {total} could not be found.")
    return PartialFailureError("\n".join(lines))


def raise_for(cloud: Cloud, outcomes: Sequence[Outcome]) -> None:
    """Raise what went wrong, if anything did.

    :raises ResourceFailedError: something ended in an error state
    :raises WaitTimeoutError: nothing failed, but not everything has arrived
    """
    error = error_of(cloud, outcomes)
    if error is not None:
        raise error


def follow_lines(cloud: Cloud, targets: Iterable[Target]) -> list[str]:
    """Spell the commands that go on waiting, one for all that have the same goal."""
    goals: dict[tuple[str, ...], list[str]] = {}
    for target in targets:
        noun, verb, one, *goal = target.follow
        goals.setdefault((noun, verb, *goal), []).append(one)
    return [
        f"  {cloud.command(noun, verb, *dict.fromkeys(ids), *goal)}"
        for (noun, verb, *goal), ids in goals.items()
    ]


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
