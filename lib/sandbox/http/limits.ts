/** What the HTTP layer allows. Sizes are bytes, times are milliseconds. */
export const HTTP_LIMITS = {
  /** Body of a JSON request, except for `POST /sandbox/{id}/fs`. */
  jsonBytes: 1024 * 1024,
  /** A file that goes through JSON, in either direction; larger ones go through `fs/raw`. */
  jsonFileBytes: 16 * 1024 * 1024,
  /** Time for all headers of a request. */
  headersMs: 15_000,
  /** Time for the whole body of a JSON request. */
  jsonBodyMs: 30_000,
  /** Time between two pieces of an upload while the service is ready to take one. */
  uploadIdleMs: 60_000,
  /** The rest of a body that nobody wants is read and dropped for this long, so that the client can read why. */
  lingerMs: 5_000,
  /** Kept open for the next request; longer than a load balancer keeps its own end (60 s), so that it never meets a closed one. */
  keepAliveMs: 65_000,
  /** `sync` waits so long. */
  syncMs: 30_000,
  /** `wait` of an event, at most; below the idle limit of load balancers. */
  waitSeconds: 55,
  /** Open sockets of all clients. */
  connections: 20_000,
  /** Streams, uploads and WebSockets: of all keys, and of one. */
  streams: 10_000,
  streamsOfOneKey: 5_000,
} as const;

/** Comments on a silent stream; below the idle limits of load balancers. */
export const KEEP_ALIVE_COMMENT_MS = 15_000;
