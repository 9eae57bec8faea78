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

# Runs the tests: style and types, unit, functional (against a sandbox of its
# own), documents. Each check of style and documents counts as one test.
#
#   tools/test.sh [style|unit|functional|docs]...

set -u -o pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT" || exit 1

PARTS=(style unit functional docs)
passed=0 failed=0 skipped=0
STATE=

usage() {
    sed -n '/^# Runs the tests/,/^$/s/^# \{0,1\}//p' "$0"
}

heading() {
    printf '\n== %s\n' "$*"
}

count() {
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

# One check that passes or fails as a whole.
check() {
    heading "$*"
    if "$@" </dev/null; then
        count 1 0 0
    else
        echo "FAILED: $*"
        count 0 1 0
    fi
}

# The number in one line of stestr's totals.
total() {
    sed -n "s/^ - $1: *//p" "$2" | tail -n 1
}

# Runs stestr; a run without totals (nothing could be imported) is a failure.
run_tests() {
    local log rc good bad expected unexpected skip
    heading "stestr $1"
    log=$(mktemp)
    stestr --test-path "./trove_ext/tests/$1" run "${@:2}" \
        </dev/null 2>&1 | tee "$log"
    rc=${PIPESTATUS[0]}
    good=$(total Passed "$log") expected=$(total 'Expected Fail' "$log")
    bad=$(total Failed "$log") unexpected=$(total 'Unexpected Success' "$log")
    skip=$(total Skipped "$log")
    rm -f "$log"
    bad=$((${bad:-0} + ${unexpected:-0}))
    if [ "$rc" -ne 0 ] && [ "$bad" -eq 0 ]; then
        echo "FAILED: stestr $1 (exit code $rc)"
        bad=1
    fi
    count "$((${good:-0} + ${expected:-0}))" "$bad" "${skip:-0}"
}

style() {
    check ruff check .
    check ruff format --check .
    check mypy
    # The oldest releases that the sandbox runs need Python 3.10.
    check mypy --python-version 3.10 --follow-imports silent --package trove_ext.sandbox
    check codespell
    check tools/check-examples.sh
}

unit() {
    # More than the cores of a small machine: classes differ much in length.
    run_tests unit --concurrency 3
}

functional() {
    heading 'trove-sandbox up'
    if ! STATE=$(mktemp -d -t trove-ext-test.XXXXXX) \
            || ! trove-sandbox --dir "$STATE" up </dev/null; then
        echo 'FAILED: trove-sandbox up'
        count 0 1 0
        return
    fi
    TROVE_EXT_SANDBOX_DIR=$STATE run_tests functional \
        --concurrency 5 --worker-file trove_ext/tests/functional/workers.yaml
    stop_sandbox
}

docs() {
    check sphinx-build -q -W --keep-going -E -b html doc/source doc/build/html
    check reno --quiet lint
    check sphinx-build -q -W --keep-going -E -b html \
        releasenotes/source releasenotes/build/html
}

stop_sandbox() {
    [ -n "$STATE" ] || return 0
    trove-sandbox --dir "$STATE" down </dev/null >/dev/null 2>&1 || true
    rm -rf "$STATE"
    STATE=
}

for part in "$@"; do
    case $part in
        style|unit|functional|docs) ;;
        -h|--help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
done

trap stop_sandbox EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

prepare
[ $# -gt 0 ] || set -- "${PARTS[@]}"
for part in "$@"; do
    "$part"
done

echo
if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
