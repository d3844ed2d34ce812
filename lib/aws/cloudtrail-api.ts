import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import type {
  CloudTrailClientConfig,
  LookupEventsCommandInput,
  LookupEventsCommandOutput,
} from '@aws-sdk/client-cloudtrail';
import { RateLimiter } from './rate-limiter';

/** CloudTrail API, LookupEvents: calls per second, for the whole account and region. */
const PER_SECOND = 2;

/** The calls to CloudTrail. A module of its own, loaded by the first command that asks who did something. */
export class CloudTrailApi {
  private readonly client: CloudTrailClient;
  private readonly limiter = new RateLimiter(PER_SECOND, PER_SECOND);

  constructor(options: CloudTrailClientConfig) {
    this.client = new CloudTrailClient(options);
  }

  /** One page, newest events first. */
  async lookupEvents(input: LookupEventsCommandInput, abortSignal?: AbortSignal): Promise<LookupEventsCommandOutput> {
    await this.limiter.take(abortSignal);
    return this.client.send(new LookupEventsCommand(input), { abortSignal });
  }

  destroy(): void {
    this.client.destroy();
  }
}
