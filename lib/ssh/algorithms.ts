import type { Algorithms } from 'ssh2';

/**
 * The algorithms that we offer; OpenSSH has supported all of them since 6.5. Our image generates only an Ed25519 host key,
 * so no other type is accepted. Curve25519 is the fastest key exchange that ssh2 has, and AES-GCM the fastest cipher on CPUs
 * with AES instructions.
 */
export const ALGORITHMS: Algorithms = {
  serverHostKey: ['ssh-ed25519'],
  kex: ['curve25519-sha256', 'curve25519-sha256@libssh.org'],
  cipher: ['aes128-gcm@openssh.com', 'chacha20-poly1305@openssh.com', 'aes256-gcm@openssh.com', 'aes256-ctr'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com'],
  compress: ['none'],
};
