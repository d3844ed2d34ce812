import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { failure } from '../agent-task/failure';

/** CloudFormation's request to a custom resource (CloudFormation user guide, "Custom resource request objects"). */
export interface CloudFormationRequest {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly RequestId: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
  /** Absent in Create. */
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Readonly<Record<string, unknown>>;
  /** Pre-signed: whoever has it may answer. Never logged. */
  readonly ResponseURL: string;
}

/** The part of Lambda's context that is used. */
export interface InvocationContext {
  getRemainingTimeInMillis(): number;
}

const ATTEMPTS = 5;
const PAUSE_MS = 2_000;
const TIMEOUT_MS = 10_000;

/**
 * A function that CloudFormation calls itself and waits for: does the work, and answers whatever comes of it.
 *
 * @param work gives the physical id, and throws what the stack's events should say
 */
export const answering =
  (work: (request: CloudFormationRequest, context: InvocationContext) => Promise<string>) =>
  async (request: CloudFormationRequest, context: InvocationContext): Promise<void> => {
    const { RequestId, StackId, LogicalResourceId, PhysicalResourceId = LogicalResourceId } = request;
    const ids = { RequestId, StackId, LogicalResourceId };
    try {
      const physicalId = await work(request, context);
      await send(request.ResponseURL, { ...ids, Status: 'SUCCESS', PhysicalResourceId: physicalId });
    } catch (error) {
      const { message } = failure(error);
      console.log({ notice: 'custom-resource-failed', request: request.RequestType, problem: message });
      await send(request.ResponseURL, { ...ids, Status: 'FAILED', PhysicalResourceId, Reason: message });
    }
  };

async function send(url: string, answer: object): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await put(url, JSON.stringify(answer));
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

/** The URL is signed for an empty content type. */
function put(url: string, body: string): Promise<void> {
  const send = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': '', 'content-length': Buffer.byteLength(body) };
    const call = send(url, { method: 'PUT', headers, timeout: TIMEOUT_MS }, (response) => {
      response.resume();
      const { statusCode = 0 } = response;
      if (statusCode >= 200 && statusCode < 300) response.once('end', resolve);
      else reject(new Error(`CloudFormation did not accept the response: HTTP status ${statusCode}`));
    });
    call.once('timeout', () => call.destroy(new Error('CloudFormation did not accept the response in time')));
    call.once('error', reject);
    call.end(body);
  });
}
