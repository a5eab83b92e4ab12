# Brings a checkout to the point where it runs; sourced by ./eve, test/run and native/build.sh.
#
#   setup_packages   node_modules, Node 24 among them
#   setup_engine     libtorch, a compiler, and the native door built against it
#   setup_environment  what has to be in the environment before libtorch loads
#
# Where nothing is missing each costs a few milliseconds: one hash compared with a stamp.
# LIBTORCH=dir uses that libtorch (a directory with include/ and lib/) instead of Debian's.

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
node=$root/node_modules/node/bin/node
door=$root/native/build/door.node

say() { echo "eve: $*" >&2; }

give_up() {
  say "$*"
  exit 1
}

# Runs a step with its output hidden; shows the end of it if the step fails. Ctrl-C reaches the step, which
# may first put things in order; then the set-up ends.
quietly() {
  local what=$1 log status=0 stopped="" counter="" started=$SECONDS
  shift
  log=$(mktemp) ||
    give_up "a temporary file is needed and none can be made in ${TMPDIR:-/tmp}: set TMPDIR to a folder that can be written to."
  say "$what …"
  trap 'stopped=1' INT
  if [ -t 2 ]; then
    show_progress "$log" 9<&- &
    counter=$!
  fi
  "$@" >"$log" 2>&1 9<&- || status=$?
  if [ -n "$counter" ]; then end_progress "$counter"; fi
  trap - INT
  if [ -z "$stopped" ] && [ $status -ne 0 ]; then tail -n 30 "$log" >&2; fi
  local reason
  reason=$(reason_in "$log")
  rm -f "$log"
  if [ -n "$stopped" ]; then
    say "stopped; the same command again does what is missing"
    exit 130
  fi
  [ $status -eq 0 ] || give_up "$what failed after $((SECONDS - started)) s; $reason."
  say "$what: done in $((SECONDS - started)) s"
}

# On a terminal, a line that counts seconds and shows what the step said last; gone with this shell.
show_progress() {
  trap 'printf "\r\033[Keve: stopping as soon as this step allows it\n" >&2' INT
  while kill -0 $$ 2>/dev/null; do
    sleep 1 || true
    printf '\r\033[K  %d s  %s' $((SECONDS - started)) "$(tail -n 1 "$1" | tr -cd '[:print:]' | cut -c 1-60)" >&2
  done
}

end_progress() {
  kill "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
  printf '\r\033[K' >&2
}

# What npm's and apt's words for a common failure mean, and what to do.
reason_in() {
  if grep -qE 'EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT' "$1"; then
    echo "the npm registry was not reached: check the network and npm's proxy and registry, then run this again"
  elif grep -qE 'Temporary failure resolving|Could not (resolve|connect)|Unable to connect' "$1"; then
    echo "Debian's mirror was not reached: check the network and apt's proxy and sources, then run this again"
  elif grep -qE 'ENOSPC|No space left' "$1"; then
    echo "no space is left on the disk: make room, then run this again"
  elif grep -qE 'EACCES|EROFS|Permission denied|Read-only file system' "$1"; then
    echo "what it writes to belongs to somebody else or is read-only: run this once as its owner, where it can be written to"
  else
    echo "the end of its output is above"
  fi
}

# Makes LIBTORCH an absolute directory, or empty for the system's.
use_libtorch() {
  [ -z "$1" ] || [ -d "$1" ] || give_up "LIBTORCH: $1 is no directory"
  export LIBTORCH=${1:+$(cd "$1" && pwd)}
}

# One set-up at a time: the second waits here, then finds everything in place.
lock_setup() {
  command -v flock >/dev/null || return 0
  exec 9<"$root"
  flock -n 9 && return 0
  say "another set-up of this checkout is running; waiting for it"
  flock 9
}

unlock_setup() { exec 9<&-; }

# By content alone: a checkout that was moved keeps its engine.
hash_of() { cat -- "$@" 2>/dev/null | sha256sum; }

packages_hash() { sha256sum <"$root/package-lock.json"; }

engine_hash() {
  hash_of "$root"/native/*.cc "$root"/native/*.h "$root/native/build.sh" "$(torch_version_header)"
  echo "$LIBTORCH"
}

torch_version_header() {
  echo "${LIBTORCH:-/usr}/include/torch/csrc/api/include/torch/version.h"
}

has_stamp() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

packages_ready() {
  [ -x "$node" ] || return 1
  has_stamp "$root/node_modules/.eve/packages" "$(packages_hash)" && return 0
  # Installed by npm itself, after the lock file last changed: as good as our own stamp.
  [ "$root/node_modules/.package-lock.json" -nt "$root/package-lock.json" ] || return 1
  stamp_packages
}

stamp_packages() {
  mkdir -p "$root/node_modules/.eve"
  packages_hash >"$root/node_modules/.eve/packages"
}

engine_ready() {
  [ -f "$door" ] && has_stamp "$root/native/build/stamp" "$(engine_hash)"
}

# With `engine`, what that lacks and nobody here may install is told before anything is downloaded.
setup_packages() {
  packages_ready && return 0
  if [ "${1:-}" = engine ] && ! engine_ready; then require_installable "$(missing_debian_packages | xargs)"; fi
  lock_setup
  if ! packages_ready; then
    command -v npm >/dev/null ||
      give_up "npm is missing: install Node.js 20 or newer together with npm, then run this again."
    quietly "installing the npm packages (600 MB, as fast as the network allows)" install_packages
    [ -x "$node" ] || give_up "npm brought no Node 24 for this machine; see docs/running.md."
    stamp_packages
  fi
  unlock_setup
}

# Neither a user's ignore-scripts nor NODE_ENV=production may leave Node 24 out. node-av would also
# fetch an ffmpeg program from outside npm, which nothing here uses. Warnings, as of the system's Node, would
# hide why it failed; and without a network npm would wait for a minute and more before it said so.
install_packages() {
  (cd "$root" && SKIP_FFMPEG=true npm ci --include=dev --ignore-scripts=false --no-fund --no-audit \
    --loglevel=error --no-update-notifier --fetch-retry-maxtimeout=10000)
}

setup_engine() {
  engine_ready && return 0
  lock_setup
  if ! engine_ready; then
    setup_debian
    quietly "building the native engine (half a minute or more)" bash "$root/native/build.sh"
  fi
  unlock_setup
}

missing_debian_packages() {
  command -v g++ >/dev/null || echo g++
  [ -n "$LIBTORCH" ] && return 0
  [ -f "$(torch_version_header)" ] || echo libtorch-dev
  compgen -G "/usr/lib/*/openblas-pthread/libblas.so.3" >/dev/null || echo libopenblas0-pthread
}

# Ends with the command to run where packages are missing and cannot be installed from here.
require_installable() {
  local missing=$1
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null ||
    give_up "missing: $missing, and there is no apt-get here: install a C++ compiler and set LIBTORCH to a libtorch directory."
  [ "$(id -u)" -eq 0 ] ||
    give_up "Debian packages are missing, and only root may install them; run: sudo apt-get update && sudo apt-get install -y --no-install-recommends $missing"
}

setup_debian() {
  local missing
  missing=$(missing_debian_packages | xargs)
  require_installable "$missing"
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086 # a list of package names
  quietly "installing Debian packages: $missing" install_debian $missing
}

install_debian() {
  export DEBIAN_FRONTEND=noninteractive
  # A fresh machine may be updating itself: wait for that, five minutes at most.
  local install=(apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@")
  "${install[@]}" || { apt-get update && "${install[@]}"; }
}

# libtorch would settle for AVX2 unless told otherwise before it loads.
setup_environment() {
  [ -n "${ATEN_CPU_CAPABILITY:-}" ] && return 0
  if grep -qm1 avx512f /proc/cpuinfo 2>/dev/null; then export ATEN_CPU_CAPABILITY=avx512; fi
}

use_libtorch "${LIBTORCH:-}"
