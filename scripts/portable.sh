#!/usr/bin/env bash
# Packs what a checkout on a machine without a network needs to train, Node among it (docs/running.md).
#
#   scripts/portable.sh FILE.tar.xz     here, where npm reaches its registry
#   tar xJf FILE.tar.xz                 there, in the checkout; then LIBTORCH=… ./eve train …
#
# Video files are neither read nor written there: node-av stays behind.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/setup.sh"

[ $# -eq 1 ] || give_up "expected one file to write: scripts/portable.sh FILE.tar.xz"
target=$(realpath -m "$1")
[ -d "$(dirname "$target")" ] || give_up "there is no folder $(dirname "$target") to write into"
for tool in strip xz; do
  command -v "$tool" >/dev/null || give_up "$tool is missing: install binutils and xz-utils"
done
setup_packages

packed=$(mktemp -d)
trap 'rm -rf "$packed" "$target.part"' EXIT

cd "$root"
# Training imports every dependency but the one for video files; node-api-headers is for the build of the native engine.
mapfile -t modules < <("$node" -p 'Object.keys(require("./package.json").dependencies).join("\n")' | grep -vx node-av)
modules+=(node-api-headers)
cp -r --parents node_modules/node/bin/node node_modules/.eve node_modules/@napi-rs/canvas-linux-* "$packed"
for module in "${modules[@]}"; do cp -r --parents "node_modules/$module" "$packed"; done
strip "$packed/node_modules/node/bin/node"
say "packing Node and ${#modules[@]} modules …"
tar -C "$packed" -c node_modules | xz -4 >"$target.part"
mv "$target.part" "$target"
say "$target: $(du -m "$target" | cut -f1) MB; unpack it in a checkout there"
