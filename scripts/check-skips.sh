#!/bin/sh
# Usage: check-skips.sh LOG. Reports the tests that were skipped and fails when too many were.
#
# A skip for want of BURES_DATA or BURES_FIXTURES is expected where that variable is not set, and one for want of a data set of its own.
# Of all others at most
# BURES_MAX_SKIPS are allowed. Its default is 0 where $CI is set or both folders are given, and no limit elsewhere:
# a person without a GPU driver should still see the rest pass.
set -eu

log=$1
expected='^$|: BURES_DATA holds no [a-z0-9-]*$'
[ -n "${BURES_DATA:-}" ] || expected="$expected|: BURES_DATA is not set\$"
[ -n "${BURES_FIXTURES:-}" ] || expected="$expected|: BURES_FIXTURES is not set\$"

all=$(grep -c '^SKIPPED' "$log" || true)
unexpected=$(grep '^SKIPPED' "$log" | grep -Evc "$expected" || true)

if [ -n "${CI:-}" ] || { [ -n "${BURES_DATA:-}" ] && [ -n "${BURES_FIXTURES:-}" ]; }; then
    allowed=${BURES_MAX_SKIPS:-0}
else
    allowed=${BURES_MAX_SKIPS:-$unexpected}
fi

if [ "$all" -gt 0 ]; then
    sort "$log" | uniq -c
fi
echo "$all skipped, $unexpected of them unexpected, $allowed allowed"
if [ "$unexpected" -gt "$allowed" ]; then
    echo 'error: too many tests were skipped' >&2
    exit 1
fi
