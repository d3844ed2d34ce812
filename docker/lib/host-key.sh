# The host's key, generated at its first boot and never part of an image, and its proof. Sourced.

# make_host_key: sets host_key. A restarted container keeps its key, because launchers have pinned it.
make_host_key() {
  host_key=$run_directory/ssh_host_ed25519_key
  if [[ -s $host_key && -s $host_key.pub ]]; then return; fi
  rm -f "$host_key" "$host_key.pub"
  if ! ssh-keygen -q -t ed25519 -N '' -C '' -f "$host_key"; then
    fail "$EXIT_CANT_CREATE" "cannot generate the host key $host_key"
  fi
}

# make_proof NONCE: sets proof, empty without a nonce.
make_proof() {
  proof=''
  if [[ -z $1 ]]; then return; fi
  proof=$(host_key_proof "$1") || true
  if [[ ! $proof =~ ^[A-Za-z0-9_-]{43}$ ]]; then
    fail "$EXIT_UNAVAILABLE" 'openssl could not compute the proof of the host key'
  fi
}

# host_key_proof NONCE: base64url of HMAC-SHA256(NONCE, base64 blob of the public key), without padding.
# Computed as RFC 2104 defines it, because openssl takes an HMAC key only as an argument, which anybody can read in the
# process table. The nonce is as long as one SHA-256 block, so it needs no padding.
host_key_proof() {
  local nonce=$1 blob inner_pad='' outer_pad='' code index proof
  read -r _ blob _ <"$host_key.pub"
  for ((index = 0; index < 64; index++)); do
    printf -v code '%d' "'${nonce:index:1}"
    printf -v inner_pad '%s\\%03o' "$inner_pad" $((code ^ 0x36))
    printf -v outer_pad '%s\\%03o' "$outer_pad" $((code ^ 0x5c))
  done
  # shellcheck disable=SC2059 # the pads are octal escapes that we generate, and may represent NUL
  proof=$({
    printf "$outer_pad"
    { printf "$inner_pad" && printf '%s' "$blob"; } | openssl dgst -sha256 -binary
  } | openssl dgst -sha256 -binary | openssl base64 -A)
  proof=${proof//+/-}
  proof=${proof//\//_}
  printf '%s' "${proof%=}"
}

# check_nonce NONCE: empty, or 64 hexadecimal digits. Never prints the value.
check_nonce() {
  if [[ -n $1 && ! $1 =~ ^[0-9a-fA-F]{64}$ ]]; then
    fail "$EXIT_SETTING" 'MNGR_BOOT_NONCE must be 64 hexadecimal digits'
  fi
}
