/**
 * Request and response of the Lambda function `lambda/host-probe`. It runs in the hosts' network, where it can reach sshd
 * even if nothing else may, and has no permissions of its own.
 */
export interface HostProbeRequest {
  readonly host: string;
  readonly port: number;
  /** The host's boot nonce, the key of its host-key proof. */
  readonly nonce: string;
}

export type HostProbeAnswer =
  /** sshd answers and has proved its key. `hostKey` is in the form of a known_hosts line: `ssh-ed25519 AAAA…`. */
  | { readonly outcome: 'proved'; readonly hostKey: string }
  /** Nothing answers yet. */
  | { readonly outcome: 'silent'; readonly problem: string }
  /** Something answers that can't prove that it is the host. */
  | { readonly outcome: 'stranger'; readonly problem: string };
