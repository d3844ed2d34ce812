import type { Algorithms } from 'ssh2';

/**
 * What we offer, all of it spoken by OpenSSH since 6.5: our image makes an Ed25519 host key and nothing else, so no other
 * kind is acceptable. Curve25519 is the cheapest key exchange that ssh2 has, AES-GCM the cheapest cipher on CPUs with AES
 * instructions (bench/handshake).
 */
export const ALGORITHMS: Algorithms = {
  serverHostKey: ['ssh-ed25519'],
  kex: ['curve25519-sha256', 'curve25519-sha256@libssh.org'],
  cipher: ['aes128-gcm@openssh.com', 'chacha20-poly1305@openssh.com', 'aes256-gcm@openssh.com', 'aes256-ctr'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com'],
  compress: ['none'],
};
