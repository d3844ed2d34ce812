#!/usr/bin/env bash
# First program of a host. Removes the boot nonce from the environment, so that nothing can read it from /proc/1/environ
# or inherit it, and then runs boot.sh under an init that reaps orphans.
#
# Runs in the image as PID 1, and without a container as `bash entrypoint.sh` with MNGR_ROOT (docs/image.md). Everything
# that it uses is in the same folder. Limited to bash 3.2 and to options that BSD tools also have.
set -eu

case ${BASH_SOURCE[0]} in
  */*) here=${BASH_SOURCE[0]%/*} ;;
  *) here=. ;;
esac
nonce=${MNGR_BOOT_NONCE-}
# Whoever gives an empty nonce expects a proof that everybody could make: boot.sh refuses it.
if [[ -n ${MNGR_BOOT_NONCE+given} && -z $nonce ]]; then nonce=empty; fi
unset MNGR_BOOT_NONCE

# -s: PID 1 may already be the platform's init (ECS initProcessEnabled, docker run --init).
if [[ -z ${MNGR_ROOT-} ]] && command -v tini >/dev/null; then
  exec tini -s -- bash "$here/boot.sh" 3<<<"$nonce"
fi
exec bash "$here/boot.sh" 3<<<"$nonce"
