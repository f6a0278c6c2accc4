# Runs steps, keeps their time and counts, and sums up. Sourced by tests/run.

REPORT=${REPARSE_TEST_REPORT:-$(mktemp)}
export REPARSE_TEST_REPORT=$REPORT

# step NAME COMMAND…: runs the command, shows and keeps its output, notes seconds and counts.
step() {
  local name=$1 started status log=$LOGS/$1.log
  shift
  printf '\n=== %s\n' "$name"
  started=$(date +%s)
  "$@" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  printf '%s %s %s\n' "$name" "$(($(date +%s) - started))" "$(count "$status" "$log")" >> "$REPORT"
  return "$status"
}

# count STATUS LOG: "passed failed" out of the result lines of cargo test, node:test and the replayer. A step without such
# lines is one test. What a runner skipped counts as failed: nothing may be skipped.
count() {
  plain "$2" | awk -v status="$1" '
    /^test result: /                { passed += $4; failed += $6; seen = 1 }
    /^ℹ (pass) [0-9]+$/             { passed += $3; seen = 1 }
    /^ℹ (fail|cancelled|skipped|todo) [0-9]+$/ { failed += $3; seen = 1 }
    /^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3; seen = 1 }
    END {
      if (!seen) passed = (status == 0)
      if (status != 0 && !failed) failed = 1
      print passed + 0, failed + 0
    }'
}

# plain LOG: a log without its colours.
plain() { sed 's/\x1b\[[0-9;]*m//g' "$1"; }

# failures NAME: the last lines of a step that failed, and what it says of each failure, to be read beside the table.
failures() {
  local log=$LOGS/$1.log
  printf '\n=== %s failed: its last lines\n' "$1"
  tail -20 "$log"
  printf -- '--- each failure\n'
  plain "$log" | grep -E '\.\.\. FAILED$' | head -20
  plain "$log" | grep -nE -A9 '^ *(✖|﹣)|panicked at|^error' | head -160
}

# The table of all steps; the exit status of the whole run.
summary() {
  local name seconds passed failed all=0 bad=0 time=0
  while read -r name seconds passed failed; do
    [ "$failed" -eq 0 ] || failures "$name"
  done < "$REPORT"
  printf '\n%-14s %8s %8s %8s\n' suite seconds passed failed
  while read -r name seconds passed failed; do
    printf '%-14s %8s %8s %8s\n' "$name" "$seconds" "$passed" "$failed"
    all=$((all + passed)) bad=$((bad + failed)) time=$((time + seconds))
  done < "$REPORT"
  rm -f "$REPORT"
  printf '%-14s %8s\n%d passed, %d failed\n' total "$time" "$all" "$bad"
  [ "$bad" -eq 0 ]
}
