#!/usr/bin/env bash
# Compiles the native door, native/*.cc, into one Node-API addon.
#
#   native/build.sh [--libtorch DIR] [--out DIR]
#
#   --libtorch DIR  a libtorch with include/ and lib/ (a download, or a pip install's torch folder);
#                   default $LIBTORCH, else the system's (Debian: libtorch-dev)
#   --out DIR       where door.node goes; default native/build
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
source "$here/../scripts/setup.sh"
libtorch=${LIBTORCH:-}
out=$here/build

fail() {
  echo "native/build.sh: $*" >&2
  exit 1
}

while [ $# -gt 0 ]; do
  case $1 in
    --libtorch) libtorch=${2:?"--libtorch needs a directory"} && shift 2 ;;
    --out) out=${2:?"--out needs a directory"} && shift 2 ;;
    *) fail "unknown argument $1; usage: native/build.sh [--libtorch DIR] [--out DIR]" ;;
  esac
done

use_libtorch "$libtorch"
libtorch=$LIBTORCH
headers=${libtorch:-/usr}/include
version_header=$(torch_version_header)
node_headers=$here/../node_modules/node-api-headers/include
[ -f "$version_header" ] ||
  fail "no libtorch in ${libtorch:-/usr}: install libtorch-dev, or name a libtorch with --libtorch DIR"
[ -f "$node_headers/node_api.h" ] || fail "the Node-API headers are missing: run npm ci first"

# The headers refuse a standard that is too old; since 2.14 that is anything before C++20.
standard=c++17
grep -qs '__cplusplus < 202002L' "$headers/ATen/ATen.h" && standard=c++20

compile=(-std=$standard -O2 -fPIC -fvisibility=hidden -DNAPI_VERSION=9
  -Wall -Wno-stringop-overflow # a false alarm of GCC 12 inside libtorch's own headers
  -isystem "$node_headers" -isystem "$headers/torch/csrc/api/include")
link=(-shared -Wl,--as-needed -ltorch_cpu -lc10)
if [ -n "$libtorch" ]; then
  compile+=(-isystem "$headers") # naming /usr/include itself would hide C's headers from C++'s
  link+=("-L$libtorch/lib" "-Wl,-rpath,$libtorch/lib")
  # Older downloads are built with the C++ ABI from before GCC 5: their symbols name no __cxx11.
  nm -D "$libtorch/lib/libc10.so" | grep '5ErrorC.*__cxx11' >/dev/null ||
    compile+=(-D_GLIBCXX_USE_CXX11_ABI=0)
  # Nothing of ours calls into CUDA by name; it registers its kernels when it is loaded.
  cuda=$libtorch/lib/libtorch_cuda.so
  if [ -f "$cuda" ]; then
    missing=$(ldd "$cuda" | sed -n 's/^\t*\(.*\) => not found.*/\1/p' | sort -u | xargs)
    if [ -z "$missing" ]; then
      link+=(-Wl,--no-as-needed -ltorch_cuda -lc10_cuda)
    else
      echo "leaving CUDA out: libtorch_cuda.so needs what is not installed: $missing"
    fi
  fi
fi

version=$(echo '#include <torch/version.h>
TORCH_VERSION' | g++ "${compile[@]}" -E -P -x c++ - | tail -n 1 | tr -d '"')

mkdir -p "$out"
stamp=$(engine_hash)
objects=$(mktemp -d)
fresh=$out/.door.node.$$ # beside door.node: a process that has that one loaded must keep it whole
trap 'rm -rf "$objects" "$fresh"' EXIT
started=$SECONDS
echo "libtorch $version from ${libtorch:-the system}, $standard"
for source in "$here"/*.cc; do
  [ -f "$source" ] || fail "no C++ source in $here"
  echo "$source"
done | xargs -P "$(nproc)" -I{} \
  sh -c 'out=$1/$(basename "$2").o; in=$2; shift 2; exec g++ "$@" -c "$in" -o "$out"' _ "$objects" {} "${compile[@]}"
g++ "$objects"/*.o "${link[@]}" -o "$fresh"
mv -f "$fresh" "$out/door.node"
echo "$stamp" >"$out/stamp"
echo "built $out/door.node in $((SECONDS - started)) s"
