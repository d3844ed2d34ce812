import { randomUUID } from 'node:crypto';
import type { Credential } from '../../iam/principal';
import { trail } from '../../services/cloudtrail/trail';
import type { TrailedCall } from '../../services/cloudtrail/trail';
import type { Call, Service } from '../../services/service';
import type { World } from '../../world';
import { AwsError } from '../aws-error';
import { awsJson11 } from '../json';
import { awsQuery } from '../query';
import { inputOf, missingMembers, outputOf } from '../schemas';
import type { RequestTarget, WireResponse } from '../wire-protocol';
import { authenticate } from './authentication';
import type { HttpRequest, RequestHead } from './request';
import type { Admission } from './server';
import { parseSignature } from './signature';

/** Larger than any request of the APIs that are served; ECS's own limit is far below. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
/** For requests that don't name an access key of the account: enough to tell them, in the service's words, what is wrong. */
const MAX_UNAUTHENTICATED_BODY_BYTES = 64 * 1024;

/** For requests that no service claims. */
const UNCLAIMED = {
  json: awsJson11({ targetPrefix: '' }),
  query: awsQuery({ version: '', xmlNamespace: '' }),
};

/**
 * Takes an HTTP request through routing, signature, policy, decoding, the operation and encoding. A request's service
 * is recognized by its `X-Amz-Target`, otherwise by its `Version`; never by host or signature, which clients get wrong.
 */
export class Dispatcher {
  constructor(
    private readonly world: World,
    private readonly services: readonly Service[],
  ) {}

  /** Callers that the account doesn't know can't make the endpoint hold much data. */
  admit(head: RequestHead): Admission {
    const signature = parseSignature(head);
    const known = typeof signature === 'object' && this.world.iam.credentials.find(signature.accessKeyId) !== undefined;
    return { maxBodyBytes: known ? MAX_BODY_BYTES : MAX_UNAUTHENTICATED_BODY_BYTES };
  }

  async dispatch(request: HttpRequest): Promise<WireResponse> {
    const requestId = randomUUID();
    const target = targetOf(request);
    const service = this.services.find(({ protocol }) => protocol.serves(target));
    if (service === undefined) return this.unknownService(request, target, requestId);
    const operationName = service.protocol.operationOf(target);
    const envelope = { operation: operationName ?? 'Unknown', requestId };
    try {
      const output = await this.perform(request, service, operationName, requestId);
      return service.protocol.encode(output.schema, output.value, envelope);
    } catch (error) {
      return service.protocol.encodeError(this.asAwsError(error), envelope);
    }
  }

  private async perform(
    request: HttpRequest,
    service: Service,
    operationName: string | undefined,
    requestId: string,
  ): Promise<{ schema: ReturnType<typeof outputOf>; value: unknown }> {
    const { clock, callLog, throttles, faults } = this.world;
    const credential = authenticate(request, service, this.world);
    const operation = service.operations.get(operationName ?? '');
    const handler = operation === undefined ? undefined : service.handlers[operation[2]];
    if (operation === undefined || handler === undefined) {
      throw unknownOperation(service, operationName, operation !== undefined);
    }
    const settle = callLog.begin(service.signingName, operation[2], clock.now());
    let input: Record<string, unknown> | undefined;
    const trailed = (outcome: TrailedCall['outcome']): void => {
      if (service.trailed?.has(operation[2]) !== true || input === undefined) return;
      const { signingName } = service;
      const userAgent = request.headers['user-agent'] ?? '';
      const call = { service: signingName, operation: operation[2], requestId, userAgent, credential, input, outcome };
      this.world.part(trail).record(call);
    };
    try {
      if (!throttles.admits(`${service.signingName}:${operation[2]}`)) throw service.errors.throttled();
      const fault = faults.takeError(service, operation[2]);
      if (fault?.afterwards === false) throw fault.error;
      const schema = inputOf(operation);
      input = service.protocol.decode(schema, request);
      const missing = missingMembers(schema, input);
      if (missing.length > 0) throw service.errors.missingMembers(missing);
      const call = this.callOf(service, credential, request, requestId);
      const value = await handler(input as never, call);
      if (fault !== undefined) throw fault.error;
      settle(undefined);
      trailed({ output: value });
      return { schema: outputOf(operation), value };
    } catch (error) {
      const awsError = this.asAwsError(error);
      settle(awsError.code);
      trailed({ error: awsError });
      throw awsError;
    }
  }

  private callOf(
    service: Service,
    { principal, accessKeyId }: Credential,
    { headers }: RequestHead,
    requestId: string,
  ): Call {
    const { iam } = this.world;
    return {
      requestId,
      principal,
      accessKeyId,
      host: headers.host ?? '',
      authorize: (request) => {
        const refusal = iam.refusalOf(principal, request);
        if (refusal !== undefined) throw service.errors.accessDenied(refusal);
      },
      allows: (request) => iam.refusalOf(principal, request) === undefined,
    };
  }

  private unknownService(request: HttpRequest, { header }: RequestTarget, requestId: string): WireResponse {
    const names = this.services.map(({ signingName }) => signingName).join(', ');
    const error = new AwsError(
      header === undefined ? 'InvalidAction' : 'UnknownOperationException',
      `the local endpoint does not serve "${header ?? `${request.method} ${request.path}`}": it serves ${names}`,
    );
    const protocol = header === undefined ? UNCLAIMED.query : UNCLAIMED.json;
    return protocol.encodeError(error, { operation: 'Unknown', requestId });
  }

  private asAwsError(error: unknown): AwsError {
    if (error instanceof AwsError) return error;
    this.world.onFault(error);
    return new AwsError('InternalFailure', 'The local endpoint failed to process the request; its log says why', {
      status: 500,
    });
  }
}

function targetOf({ headers, body }: HttpRequest): RequestTarget {
  const header = headers['x-amz-target'];
  if (header !== undefined) return { header, version: undefined, action: undefined };
  const parameters = new URLSearchParams(body.toString('utf8'));
  return { header, version: parameters.get('Version') ?? undefined, action: parameters.get('Action') ?? undefined };
}

function unknownOperation(service: Service, name: string | undefined, known: boolean): AwsError {
  const supported = Object.keys(service.handlers).sort().join(', ');
  const code = service.protocol.family === 'json' ? 'UnknownOperationException' : 'InvalidAction';
  const what = known ? 'is not served by the local endpoint' : 'is not an operation of this API';
  return new AwsError(code, `${service.signingName}:${name ?? '(none)'} ${what}; it serves ${supported}`);
}
