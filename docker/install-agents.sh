#!/usr/bin/env bash
# Installs coding agents while the image is built. Arguments: names with or without a version, separated by spaces
# ("claude-code codex@0.169.0"), the directory that takes them (their commands are in its bin), and certificates to trust.
set -eu -o pipefail

# Newest Node.js line that all of them run on; those that are programs of their own don't use it.
NODE_VERSION=24

# package_of NAME: the agent's package, with the command that it brings.
package_of() {
  case $1 in
    claude-code) echo '@anthropic-ai/claude-code' ;;
    codex) echo '@openai/codex' ;;
    gemini-cli) echo '@google/gemini-cli' ;;
    opencode) echo 'opencode-ai' ;;
    pi) echo '@mariozechner/pi-coding-agent' ;;
    *) return 1 ;;
  esac
}

target=$2
certificates=${3-}
mkdir -p "$target/bin"
packages=()
for agent in $1; do
  name=${agent%%@*}
  version=${agent#"$name"}
  if ! package=$(package_of "$name"); then
    echo "install-agents.sh: unknown agent '$name' in AGENTS: use claude-code, codex, gemini-cli, opencode or pi, each with or without @VERSION" >&2
    exit 64
  fi
  if [[ ! ${version:-@latest} =~ ^@[0-9A-Za-z][0-9A-Za-z.+-]*$ ]]; then
    echo "install-agents.sh: '$agent' in AGENTS has no valid version: write $name@1.2.3" >&2
    exit 64
  fi
  # Without `latest` npm would choose the newest release for the Node.js that npm itself runs on.
  packages+=("$package${version:-@latest}")
done
if ((${#packages[@]} == 0)); then exit 0; fi

apt-get update
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates nodejs npm
# Debian's npm doesn't tell glibc from musl and would install agents' programs for both. Its Node.js is too old for some
# agents; the package `node` brings the wanted one for this machine's architecture.
if [[ -n $certificates ]]; then
  printf '%s\n' "$certificates" >/tmp/ca-certificates.pem
  export NODE_EXTRA_CA_CERTS=/tmp/ca-certificates.pem
fi
npm exec --yes npm@10 -- install --global --prefix "$target" --no-audit --no-fund "node@$NODE_VERSION" "${packages[@]}"
npm cache clean --force
