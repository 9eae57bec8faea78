#!/usr/bin/env bash
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

# Checks doc/examples with the programs that read them: systemd-analyze, promtool, sh.
# A program that is not installed is named, and its files are not checked; Debian has
# them in the packages systemd and prometheus. The unit tests check the forms of all.
#
#   tools/check-examples.sh

set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
EXAMPLES=$PWD/doc/examples
METRICS=$PWD/doc/source/sessions/check-prometheus.txt
failed=0

check() {
    if ! "$@" </dev/null; then
        echo "FAILED: $*"
        failed=1
    fi
}

has() {
    command -v "$1" >/dev/null && return
    echo "SKIPPED: $2, because $1 is not installed"
    return 1
}

# The units, with a program that exists here in place of theirs.
units() {
    local copies=$1 unit output code
    for unit in "$EXAMPLES"/systemd/*; do
        sed 's|/usr/bin/openstack|/bin/true|' "$unit" >"$copies/$(basename "$unit")"
    done
    output=$(SYSTEMD_UNIT_PATH=$copies: systemd-analyze verify --man=no "$copies"/* 2>&1)
    code=$?
    [ -z "$output" ] || printf '%s\n' "$output"
    # A key that is not known is a warning, with exit code 0.
    [ "$code" = 0 ] && ! grep -q "^$copies" <<<"$output"
}

# The metrics of a recorded run.
metrics() {
    grep -E '^ *(#|trove_backup)' "$METRICS" | sed 's/^ *//' | promtool check metrics
}

copies=$(mktemp -d) || exit 1
trap 'rm -rf "$copies"' EXIT
if has systemd-analyze 'the units of systemd'; then
    check units "$copies"
fi
if has promtool 'the rules and metrics of Prometheus'; then
    check promtool check rules "$EXAMPLES/prometheus-rules.yaml"
    check promtool test rules "$EXAMPLES/prometheus-rules-test.yaml"
    check metrics
fi
check sh -n "$EXAMPLES/healthchecks.sh"
exit "$failed"
