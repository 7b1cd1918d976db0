#!/bin/bash
# Style as a failing check, over the files that git knows: clang-format, shellcheck, the tidy test of
# layout, clang-tidy. --format only rewrites files in place; --tidy FILE… runs clang-tidy on some files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage="Usage: ./dev lint                 all of it; ends with 1 if anything is not clean
       ./dev lint --format        clang-format, in place
       ./dev lint --tidy FILE…    clang-tidy of some files"

mapfile -t sources < <(git ls-files '*.cc' '*.h')
mapfile -t scripts < <(git ls-files dev '*.sh' .ci/run)

clang_tidy() {
  [ -f build/dev/build.ninja ] || cmake --preset dev
  cmake --build --preset dev --target watershed_grpc  # generated headers
  printf '%s\0' "$@" |
    xargs -0 -n 4 -P "$(nproc)" clang-tidy-16 -p build/dev --quiet --warnings-as-errors='*' 2> \
      >(grep -v -E 'warnings? generated|^Suppressed|^Use -header-filter' >&2)
}

case ${1:-} in
  --format) exec clang-format-16 -i "${sources[@]}" ;;
  --tidy)
    shift
    clang_tidy "$@"
    exit
    ;;
  -h | --help)
    echo "$usage"
    exit
    ;;
  '') ;;
  *)
    echo "lint: there is no option '$1'" >&2
    echo "$usage" >&2
    exit 2
    ;;
esac

failed=()
echo "== clang-format (${#sources[@]} files)"
clang-format-16 --dry-run -Werror "${sources[@]}" || failed+=(clang-format)
echo "== shellcheck"
shellcheck "${scripts[@]}" || failed+=(shellcheck)
echo "== layout and dependency direction (tests/tidy)"
python3 tests/tidy/tidy.py || failed+=(tidy)
mapfile -t units < <(git ls-files 'runtime/*.cc' 'jobmanager/*.cc' 'taskmanager/*.cc' 'wsctl/*.cc')
echo "== clang-tidy (${#units[@]} files; takes some minutes)"
clang_tidy "${units[@]}" || failed+=(clang-tidy)

if [ ${#failed[@]} -gt 0 ]; then
  echo "lint: failed: ${failed[*]} (./dev lint --format formats)" >&2
  exit 1
fi
echo "lint: clean"
