/**
 * Environment variables that the launcher puts into the container override of RunTask and the image reads at boot.
 * DescribeTasks shows them to anybody who may call it, so they must not hold a secret that is still valid after the boot.
 */
export const BOOT_ENVIRONMENT = {
  /** One OpenSSH public key, the first line of root's authorized_keys. Required: the container stops without it. */
  sshPublicKey: 'MNGR_SSH_PUBLIC_KEY',
  /** More public keys, one per line. */
  extraAuthorizedKeys: 'MNGR_EXTRA_AUTHORIZED_KEYS',
  /** `host-<32 hex>`; generated at boot if absent. */
  hostId: 'MNGR_HOST_ID',
  /** The host's name. Default: the container's host name. */
  hostName: 'MNGR_HOST_NAME',
  /** mngr's host directory. Default `/mngr`. */
  hostDirectory: 'MNGR_HOST_DIR',
  /** Name of the provider block that launched the host. Default `fargate`. */
  provider: 'MNGR_PROVIDER',
  /** One-time nonce, 64 hex digits: the HMAC key of the host-key proof. Without it no proof is shown. */
  bootNonce: 'MNGR_BOOT_NONCE',
  /** Seconds until the container stops if nobody has logged in. Default 600; 0 disables the lease. */
  bootLeaseSeconds: 'MNGR_BOOT_LEASE_SECONDS',
  /** Idle timeout in seconds, written to data.json. Default 3600; 0 means never. */
  idleTimeoutSeconds: 'MNGR_IDLE_TIMEOUT_SECONDS',
  /** Maximum age in seconds, written to data.json. Absent: no limit. */
  maxHostAgeSeconds: 'MNGR_MAX_HOST_AGE_SECONDS',
  /** User tags as a JSON object of strings, written to data.json as `user_tags`. */
  userTags: 'MNGR_USER_TAGS',
  /**
   * Shell script that the host runs at boot, in the environment of an SSH session: the command and variables of a host
   * that nobody logs in to. DescribeTasks shows it like all of these, so it must not hold a secret.
   */
  setup: 'MNGR_BOOT_SETUP',
  /** Port of sshd. Default 22. */
  sshPort: 'MNGR_SSH_PORT',
  /** Address that sshd listens on. Default: every address. */
  sshListenAddress: 'MNGR_SSH_LISTEN_ADDRESS',
  /** Prefix of every path that the image writes, so that its scripts can run without a container. Default empty. */
  root: 'MNGR_ROOT',
} as const;

/** Default of `MNGR_HOST_DIR`. */
export const DEFAULT_HOST_DIRECTORY = '/mngr';

/** Default boot lease in seconds. */
export const DEFAULT_BOOT_LEASE_SECONDS = 600;
