/**
 * Environment variables that the launcher puts into the container override of RunTask and the image reads at boot.
 * DescribeTasks shows them to everybody who may call it, so no secret that outlives the boot may be among them.
 */
export const BOOT_ENVIRONMENT = {
  /** One OpenSSH public key; becomes the first line of root's authorized_keys. Required: without it the container stops. */
  sshPublicKey: 'MNGR_SSH_PUBLIC_KEY',
  /** Further public keys, one a line. */
  extraAuthorizedKeys: 'MNGR_EXTRA_AUTHORIZED_KEYS',
  /** `host-<32 hex>`; made up at boot when absent. */
  hostId: 'MNGR_HOST_ID',
  /** The host's name; the container's host name when absent. */
  hostName: 'MNGR_HOST_NAME',
  /** mngr's host directory. Default `/mngr`. */
  hostDirectory: 'MNGR_HOST_DIR',
  /** Name of the provider block that launched the host. Default `fargate`. */
  provider: 'MNGR_PROVIDER',
  /** One-time nonce, 64 hex digits: the HMAC key of the host-key proof. Without it no proof is shown. */
  bootNonce: 'MNGR_BOOT_NONCE',
  /** Seconds that the container lives without anybody logging in. Default 600; 0 switches the lease off. */
  bootLeaseSeconds: 'MNGR_BOOT_LEASE_SECONDS',
  /** Idle timeout in seconds, written to data.json. Default 3600; 0 means never. */
  idleTimeoutSeconds: 'MNGR_IDLE_TIMEOUT_SECONDS',
  /** Maximum age in seconds, written to data.json. Absent: no limit. */
  maxHostAgeSeconds: 'MNGR_MAX_HOST_AGE_SECONDS',
  /** User tags as a JSON object of strings, written to data.json as `user_tags`. */
  userTags: 'MNGR_USER_TAGS',
  /**
   * Shell script that the host runs at its boot, in the environment of an SSH session: the command and the variables of
   * a host that nobody logs in to. Readable in DescribeTasks like all of these, so it may hold no secret.
   */
  setup: 'MNGR_BOOT_SETUP',
  /** Port of sshd. Default 22. */
  sshPort: 'MNGR_SSH_PORT',
  /** Address that sshd listens on. Default: every address. */
  sshListenAddress: 'MNGR_SSH_LISTEN_ADDRESS',
  /** Directory that stands for `/` in every path the image writes. Default empty; lets the image's scripts run without a container. */
  root: 'MNGR_ROOT',
} as const;

/** Default of `MNGR_HOST_DIR`. */
export const DEFAULT_HOST_DIRECTORY = '/mngr';

/** Default boot lease in seconds. */
export const DEFAULT_BOOT_LEASE_SECONDS = 600;
