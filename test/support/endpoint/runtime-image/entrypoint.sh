#!/usr/bin/env bash
# The smallest image that keeps the contract of lib/contract: sshd with a host key made at boot and its proof. With
# arguments it runs these instead, so that the runtimes' tests can look at what a task is given.
set -euo pipefail

if (($# > 0)); then exec "$@"; fi

root=${MNGR_ROOT:-}
umask 077
mkdir -p "$root/etc/ssh" "$root/root/.ssh" "$root/mngr"
(umask 022 && mkdir -p "$root/run/sshd")
ssh-keygen -q -t ed25519 -N '' -C '' -f "$root/etc/ssh/boot_key"
printf '%s\n' "$MNGR_SSH_PUBLIC_KEY" > "$root/root/.ssh/authorized_keys"
read -r _ blob _ < "$root/etc/ssh/boot_key.pub"
proof=$(printf '%s' "$blob" | openssl dgst -sha256 -hmac "$MNGR_BOOT_NONCE" -binary | base64 | tr '+/' '-_' | tr -d '=\n')

# SHLVL: an outermost bash would read the ~/.bashrc of the machine's user where there is no container.
cat > "$root/etc/ssh/boot_config" << CONFIG
Port ${MNGR_SSH_PORT:-22}
ListenAddress ${MNGR_SSH_LISTEN_ADDRESS:-0.0.0.0}
HostKey $root/etc/ssh/boot_key
PidFile none
AuthorizedKeysFile $root/root/.ssh/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
VersionAddendum mngr-host-proof=$proof
SetEnv MNGR_HOST_DIR=$root/mngr SHLVL=1
CONFIG

/usr/sbin/sshd -D -e -f "$root/etc/ssh/boot_config" &
sshd=$!
trap 'kill "$sshd"; exit 0' TERM
printf '%s\n' "$$" > "$root/mngr/pid"
echo "sshd is up"
wait "$sshd"
