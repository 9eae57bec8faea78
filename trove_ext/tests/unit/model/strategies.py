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

"""Random forests and policies."""

from datetime import timedelta

from hypothesis import strategies as st

from trove_ext.model.backup import REPLICATION_SNAPSHOT_PREFIX
from trove_ext.model.retention_policy import Policy
from trove_ext.tests.unit.model import trees

STATES = ["COMPLETED"] * 8 + [
    "FAILED",
    "FAILED",
    "BUILDING",
    "DELETE_FAILED",
    "RESTORED",
    "MOVING",
]
NAMES = ["nightly", "nightly", "release-1", REPLICATION_SNAPSHOT_PREFIX + "r1"]
COUNTS = (
    "keep_last",
    "keep_hourly",
    "keep_daily",
    "keep_weekly",
    "keep_monthly",
    "keep_yearly",
    "keep_chains",
)


@st.composite
def forests(draw, max_size=25):
    """Any list that Trove could send, and some that it should not: cycles, orphans."""
    count = draw(st.integers(0, max_size))
    return [_backup(draw, number, count) for number in range(count)]


def _backup(draw, number, count):
    # Mostly below an older backup, sometimes below none, any, itself or a lost one.
    below = st.integers(0, max(number - 1, 0)).map(
        lambda n: f"b{n}" if number else None
    )
    anywhere = st.integers(0, count).map(lambda n: f"b{n}")
    parent_id = draw(st.one_of(st.none(), below, below, below, anywhere))
    status = draw(st.sampled_from(STATES))
    return trees.backup(
        f"b{number}",
        name=draw(st.sampled_from(NAMES)),
        instance_id=None
        if status == "RESTORED"
        else draw(st.sampled_from(["db1", "db1", "db1", "db2"])),
        status=status,
        parent_id=parent_id,
        created=trees.EPOCH + timedelta(hours=draw(st.integers(0, 24 * 500))),
        datastore_version_id=draw(st.sampled_from(["v1"] * 5 + ["v2"])),
        storage_driver=draw(st.sampled_from(["swift"] * 6 + ["cinder", None])),
        project_id=draw(st.sampled_from(["p1"] * 6 + ["p2", None])),
    )


def _policy_fields():
    fields = {name: st.sampled_from([0, 0, 1, 2, 3, 5]) for name in COUNTS}
    fields["keep_within"] = st.sampled_from(
        [None, timedelta(hours=5), timedelta(days=40), timedelta(days=400)]
    )
    fields["keep_names"] = st.sampled_from([(), (), ("release-*",)])
    return fields


def policies():
    """Any policy that can be used."""
    built = st.builds(Policy, **_policy_fields())
    return built.filter(lambda policy: not policy.problems)


@st.composite
def stricter_pairs(draw):
    """A policy, and one that keeps no more in any field."""
    loose = draw(policies())
    fields = {name: draw(st.integers(0, getattr(loose, name))) for name in COUNTS}
    fields["keep_within"] = draw(
        st.sampled_from(
            [None, loose.keep_within, loose.keep_within and loose.keep_within / 2]
        )
    )
    fields["keep_names"] = draw(st.sampled_from([(), loose.keep_names]))
    strict = Policy(**fields)
    return loose, strict if not strict.problems else loose
