#!/usr/bin/env bash
# First program of a host. Takes the boot nonce out of the environment, so that it can be read neither from
# /proc/1/environ nor from anything started later, and hands over to boot.sh under an init that reaps orphans.
#
# Runs in the image as PID 1, and without a container as `bash entrypoint.sh` with MNGR_ROOT (docs/image.md). Everything
# it uses lies beside it. Kept to bash 3.2 and to options that BSD tools know as well.
set -eu

case ${BASH_SOURCE[0]} in
  */*) here=${BASH_SOURCE[0]%/*} ;;
  *) here=. ;;
esac
nonce=${MNGR_BOOT_NONCE-}
unset MNGR_BOOT_NONCE

# -s: an init of the platform's own (ECS initProcessEnabled, docker run --init) may already be PID 1.
if [[ -z ${MNGR_ROOT-} ]] && command -v tini >/dev/null; then
  exec tini -s -- bash "$here/boot.sh" 3<<<"$nonce"
fi
exec bash "$here/boot.sh" 3<<<"$nonce"
