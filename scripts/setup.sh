#!/bin/bash
# Installs what building and testing need, if it is missing: Debian packages (scripts/packages.txt) and
# Apache Kafka's jars. Costs well under a second when nothing is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "setup: root is needed to install packages, and there is no sudo. As root, run:" >&2
    echo "  $*" >&2
    exit 1
  fi
}

if ! command -v apt-get >/dev/null; then
  echo "setup: made for Debian 12 (apt-get was not found). Install by hand what scripts/packages.txt" >&2
  echo "lists, then use cmake --preset dev and ctest; CMake finds the libraries." >&2
  exit 1
fi

mapfile -t wanted < <(grep -v '^#' scripts/packages.txt)
# shellcheck disable=SC2016  # ${…} is dpkg-query's, not the shell's
installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null |
  sed -n 's/ installed$//p' || true)
mapfile -t missing < <(printf '%s\n' "${wanted[@]}" | grep -vxF -f <(printf '%s\n' "$installed") || true)

if [ ${#missing[@]} -gt 0 ]; then
  echo "== Installing ${#missing[@]} Debian packages: ${missing[*]}"
  # Debian's PostgreSQL would make and start a server of its own. Tests and demo start theirs from a
  # private directory, so a new installation is told not to; an existing one is left alone.
  if [[ " ${missing[*]} " == *" postgresql-15 "* ]] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    echo "   (PostgreSQL without a default server: create_main_cluster = false in" \
      "/etc/postgresql-common/createcluster.conf)"
    as_root mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    -o Dpkg::Options::=--force-confold "${missing[@]}"
fi

exec python3 tests/support/peers/kafka_jars.py
