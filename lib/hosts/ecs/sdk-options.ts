import { NodeHttpHandler } from '@smithy/node-http-handler';

/** A slow endpoint must not freeze its caller: mngr's own AWS provider uses the same two. */
const CONNECTION_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;
const SOCKETS_PER_SERVICE = 32;
/** Attempts that the SDK makes by itself; throttled calls go on longer (aws-call.ts). */
const MAX_ATTEMPTS = 4;

/** What every client of the SDK is made with: time-outs, attempts, and what it calls itself. */
export function sdkOptions(customUserAgent = 'mngr-fargate') {
  const agent = { keepAlive: true, maxSockets: SOCKETS_PER_SERVICE };
  return {
    customUserAgent,
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    }),
  };
}
