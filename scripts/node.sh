#!/bin/sh
# Runs Node 24 or newer with the given arguments, bringing it into the checkout if the system has none.
#   sh scripts/node.sh --test test/domain/order.test.ts
set -eu
here=$PWD
cd "$(dirname "$0")/.."
. scripts/prepare.sh
lock_preparation
ensure_node
unlock_preparation
cd "$here"
exec "$root/.node/node" "$@"
