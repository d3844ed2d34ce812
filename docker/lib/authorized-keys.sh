# Who may log in: the public keys of MNGR_SSH_PUBLIC_KEY and MNGR_EXTRA_AUTHORIZED_KEYS, checked one by one. Sourced.

# Keys with options are refused: options such as `command=` run code.
KEY_TYPES='^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com)$'
RSA_MINIMUM_BITS=2048

# write_authorized_keys: root's authorized_keys, the launcher's key first. Keys that were added on the host since an
# earlier boot stay. Never prints a value: somebody may have pasted a private key.
write_authorized_keys() {
  local folder=$home/.ssh given line number=0
  given=${MNGR_SSH_PUBLIC_KEY-}
  while [[ $given == *[[:space:]] ]]; do given=${given%?}; done
  if [[ -z $given ]]; then
    fail "$EXIT_KEY" 'MNGR_SSH_PUBLIC_KEY is not set, so nobody could log in: set it to one OpenSSH public key'
  fi
  if [[ $given == *$'\n'* ]]; then
    fail "$EXIT_KEY" 'MNGR_SSH_PUBLIC_KEY has more than one line: set it to one OpenSSH public key, and put additional keys into MNGR_EXTRA_AUTHORIZED_KEYS'
  fi
  check_key MNGR_SSH_PUBLIC_KEY "$given"

  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    line=${line%$'\r'}
    if [[ $line =~ ^[[:space:]]*(#.*)?$ ]]; then continue; fi
    check_key "line $number of MNGR_EXTRA_AUTHORIZED_KEYS" "$line"
    given+=$'\n'$line
  done <<<"${MNGR_EXTRA_AUTHORIZED_KEYS-}"

  make_directories 700 "$home" "$folder"
  if [[ -s $folder/authorized_keys ]]; then
    given=$(printf '%s\n' "$given" | awk '!seen[$0]++' - "$folder/authorized_keys")
  fi
  write_file 600 "$folder/authorized_keys" "$given"
}

# check_key WHERE LINE: ends the boot unless LINE is one public key that sshd will accept.
check_key() {
  local where=$1 key=$2 found
  if [[ ! ${key%%[[:space:]]*} =~ $KEY_TYPES ]]; then
    fail "$EXIT_KEY" "$where is not a public key: it must begin with ssh-ed25519, ecdsa-sha2-nistp256, ssh-rsa or another OpenSSH key type, without options before it"
  fi
  if [[ $key =~ [[:cntrl:]] ]]; then
    fail "$EXIT_KEY" "$where is not a public key: it contains control characters"
  fi
  if ! found=$(ssh-keygen -lf - <<<"$key" 2>/dev/null) || [[ -z $found ]]; then
    fail "$EXIT_KEY" "$where is not a public key: ssh-keygen cannot read it; was it cut off?"
  fi
  if [[ $key == ssh-rsa[[:space:]]* ]] && ((${found%% *} < RSA_MINIMUM_BITS)); then
    fail "$EXIT_KEY" "$where is an RSA key of ${found%% *} bits: use one of at least $RSA_MINIMUM_BITS bits, or an ed25519 key"
  fi
  log "may log in: $found"
}
