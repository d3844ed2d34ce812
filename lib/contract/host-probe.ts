/**
 * What the function of `lambda/host-probe` is asked and answers. It sits in the hosts' network, where sshd can be
 * reached whatever the rest of the world may reach, and has no permissions of its own.
 */
export interface HostProbeRequest {
  readonly host: string;
  readonly port: number;
  /** The host's boot nonce, the key of its host-key proof. */
  readonly nonce: string;
}

export type HostProbeAnswer =
  /** sshd answers and has proved its key, which is given as in a known_hosts line: `ssh-ed25519 AAAA…`. */
  | { readonly outcome: 'proved'; readonly hostKey: string }
  /** Nothing answers yet. */
  | { readonly outcome: 'silent'; readonly problem: string }
  /** Another machine answers, or one that can't prove that it is the host. */
  | { readonly outcome: 'stranger'; readonly problem: string };
