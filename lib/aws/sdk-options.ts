import { RequestHandler } from './request-handler';

/** Attempts that the SDK makes by itself; throttled calls go on longer (lib/aws/aws-call.ts). */
const MAX_ATTEMPTS = 4;

/** What every client of the SDK is made with: time-outs, attempts, proxy, certificates, and what it calls itself. */
export const sdkOptions = (customUserAgent = 'mngr-fargate', profile?: string) => ({
  customUserAgent,
  maxAttempts: MAX_ATTEMPTS,
  requestHandler: new RequestHandler(profile),
});
