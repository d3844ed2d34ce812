#!/usr/bin/env bash
# Installs coding agents while the image is built. Arguments: names with or without a version, separated by spaces
# ("claude-code codex@0.169.0"), the directory that takes them (their commands are in its bin), and certificates to trust.
set -eu -o pipefail

versions=${BASH_SOURCE[0]%/*}/agents.txt

# pinned NAME COLUMN: the package (2) or the version (3) of NAME in agents.txt, '' where it isn't there.
pinned() {
  awk -v name="$1" -v column="$2" '$1 == name { print $column }' "$versions"
}

target=$2
certificates=${3-}
mkdir -p "$target/bin"
packages=()
# What the packages depend on, as it was on the day of agents.txt; versions of the user's own may be newer.
before=(--before "$(pinned before 2)")
for agent in $1; do
  name=${agent%%@*}
  version=${agent#"$name"}
  package=$(pinned "$name" 2)
  if [[ -z $package || ! $name =~ ^[a-z-]+$ || $name == node || $name == npm || $name == before ]]; then
    echo "install-agents.sh: unknown agent '$name' in AGENTS: use claude-code, codex, gemini-cli, opencode or pi, each with or without @VERSION" >&2
    exit 64
  fi
  if [[ ! ${version:-@0} =~ ^@[0-9A-Za-z][0-9A-Za-z.+-]*$ ]]; then
    echo "install-agents.sh: '$agent' in AGENTS has no valid version: write $name@1.2.3" >&2
    exit 64
  fi
  if [[ -n $version ]]; then before=(); fi
  packages+=("$package${version:-@$(pinned "$name" 3)}")
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
npm exec --yes "npm@$(pinned npm 3)" -- install --global --prefix "$target" --no-audit --no-fund \
  ${before[@]+"${before[@]}"} "node@$(pinned node 3)" "${packages[@]}"
npm cache clean --force
