#!/bin/sh
# Runs one task of package.json ("npm run TASK") on a checkout that may lack everything but npm.
#   sh scripts/run.sh demo|test|test:long|check|build|bench|sim|fuzz|histories|images [arguments of the task]
# Brings Node, packages and the build first (prepare.sh). npm's own pre and post scripts are off here.
set -eu
cd "$(dirname "$0")/.."
. scripts/prepare.sh

task=${1:-}
[ $# -eq 0 ] || shift
case $task in
  demo) script=scripts/demo.ts needs_build=yes ;;
  test) script=scripts/test.ts needs_build=yes ;;
  test:long) script=scripts/test.ts needs_build=yes; set -- --long "$@" ;;
  check) script=scripts/check.ts needs_build=no ;;
  build) script=scripts/build.ts needs_build=no ;;
  bench) script=bench/main.ts needs_build=yes ;;
  sim) script=scripts/sim.ts needs_build=no ;;
  fuzz) script=scripts/fuzz.ts needs_build=no ;;
  histories) script=scripts/histories.ts needs_build=yes ;;
  images) script=scripts/images.ts needs_build=no ;;
  *) fail "Unknown task '$task'. There are: demo, test, test:long, check, build, bench, sim, fuzz, histories, images." ;;
esac

lock_preparation
ensure_node
ensure_modules
[ "$needs_build" = no ] || ensure_build
unlock_preparation

# Child processes of the task that ask for "node" get the same one.
PATH=$PWD/.node:$PATH
export PATH
exec .node/node "$script" "$@"
