#!/bin/bash
# Runs the targets of tests/fuzz with libFuzzer, each for so long, from the inputs in tests/fuzz/corpus. What
# it makes on the way stays in build/fuzz/; an input that ends a target is written to tests/fuzz/found/, to be
# mended and then kept in the corpus.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=300
if [ "${1:-}" = --seconds ]; then
  seconds=${2:?--seconds needs a number}
  shift 2
fi
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for folder in tests/fuzz/corpus/*/; do targets+=("$(basename "$folder")"); done
fi

scripts/setup.sh
[ -f build/fuzz/build.ninja ] || cmake --preset fuzz
cmake --build --preset fuzz --target "${targets[@]/#/fuzz_}"
mkdir -p tests/fuzz/found
for target in "${targets[@]}"; do
  printf '\n== %s for %s s\n' "$target" "$seconds"
  mkdir -p "build/fuzz/inputs/$target"
  "build/fuzz/bin/fuzz_$target" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -verbosity=0 -artifact_prefix="tests/fuzz/found/$target-" \
    "build/fuzz/inputs/$target" "tests/fuzz/corpus/$target"
done
