#!/usr/bin/env bash
# Packs what a checkout on a machine without a network needs to train, Node among it (docs/running.md).
#
#   scripts/portable.sh FILE.tar.xz     here, where npm reaches its registry
#   tar xJf FILE.tar.xz                 there, in the checkout; then LIBTORCH=… ./eve train …
#
# Video files are neither read nor written there: node-av stays behind.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/setup.sh"

# What training imports, beside Node; node-api-headers is for the build of the native engine.
modules=(@huggingface/tokenizers @napi-rs/canvas citty node-api-headers zod)

[ $# -eq 1 ] || give_up "expected one file to write: scripts/portable.sh FILE.tar.xz"
target=$(realpath -m "$1")
[ -d "$(dirname "$target")" ] || give_up "there is no folder $(dirname "$target") to write into"
setup_packages

packed=$(mktemp -d)
trap 'rm -rf "$packed" "$target.part"' EXIT

cd "$root"
cp -r --parents node_modules/node/bin/node node_modules/.eve node_modules/@napi-rs/canvas-linux-* "$packed"
for module in "${modules[@]}"; do cp -r --parents "node_modules/$module" "$packed"; done
strip "$packed/node_modules/node/bin/node"
say "packing Node and ${#modules[@]} modules …"
tar -C "$packed" -c node_modules | xz -4 >"$target.part"
mv "$target.part" "$target"
say "$target: $(du -m "$target" | cut -f1) MB; unpack it in a checkout there"
