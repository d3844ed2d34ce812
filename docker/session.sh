#!/usr/bin/env bash
# ForceCommand of a host without a container: starts each SSH session in the host's home, and runs what was asked for as
# sshd itself would. Standard streams, terminal and exit code are unchanged, because exec replaces this shell.
cd "$HOME" || exit 1
unset OLDPWD
shell=${SHELL:-/bin/sh}
if [[ -z ${SSH_ORIGINAL_COMMAND+set} ]]; then
  exec -a "-${shell##*/}" "$shell"
fi
command=$SSH_ORIGINAL_COMMAND
unset SSH_ORIGINAL_COMMAND
exec "$shell" -c "$command"
