import { randomUUID } from 'node:crypto';
import type { Clock } from '../../state/clock';
import type { CallLog } from '../../control/call-log';
import type { FaultPlan } from '../../control/faults';
import type { Throttles } from '../../control/throttles';
import { decide, refusal } from '../../iam/access';
import type { Credentials } from '../../iam/credentials';
import type { Role } from '../../iam/roles';
import { AwsError } from '../aws-error';
import { json11 } from '../json';
import { inputOf, missingMembers, outputOf } from '../schemas';
import type { Envelope, WireResponse } from '../wire-protocol';
import { query } from '../query';
import type { Call, Service } from '../../services/service';
import { authenticate } from './authentication';
import type { HttpRequest } from './request';

export interface DispatcherOptions {
  readonly services: readonly Service[];
  readonly credentials: Credentials;
  readonly roles: () => ReadonlyMap<string, Role>;
  readonly region: string;
  readonly clock: Clock;
  readonly callLog: CallLog;
  readonly throttles: Throttles;
  readonly faults: FaultPlan;
  /** Hears of errors that are the endpoint's own fault. */
  readonly onFault: (error: unknown) => void;
}

/** Takes an HTTP request through routing, signature, policy, decoding, the operation and encoding. */
export class Dispatcher {
  constructor(private readonly options: DispatcherOptions) {}

  async dispatch(request: HttpRequest): Promise<WireResponse> {
    const requestId = randomUUID();
    const service = this.serviceOf(request);
    if (service === undefined) return this.unknownService(request, requestId);
    const operationName = service.protocol.operationOf(request);
    const envelope: Envelope = {
      operation: operationName ?? 'Unknown',
      requestId,
      xmlNamespace: service.xmlNamespace,
    };
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
    const { credentials, region, clock, callLog, throttles, faults } = this.options;
    const credential = authenticate(request, service, { credentials, region, clock });
    const operation = service.operations.get(operationName ?? '');
    const handler = operation === undefined ? undefined : service.handlers[operation[2]];
    if (operation === undefined || handler === undefined) {
      throw this.unknownOperation(service, operationName, operation !== undefined);
    }
    const settle = callLog.begin(service.signingName, operation[2], clock.now());
    try {
      throttles.admit(service, operation[2]);
      const fault = faults.takeError(service, operation[2]);
      if (fault?.afterwards === false) throw fault.error;
      const schema = inputOf(operation);
      const input = service.protocol.decode(schema, request);
      const missing = missingMembers(schema, input);
      if (missing.length > 0) throw service.missingMembers(missing);
      const call = this.callOf(service, credential.principal, credential.accessKeyId, requestId);
      const value = await handler(input as never, call);
      if (fault !== undefined) throw fault.error;
      settle(undefined);
      return { schema: outputOf(operation), value };
    } catch (error) {
      settle(this.asAwsError(error).code);
      throw error;
    }
  }

  private callOf(service: Service, principal: Call['principal'], accessKeyId: string, requestId: string): Call {
    return {
      requestId,
      principal,
      accessKeyId,
      authorize: (request) => {
        const decision = decide(principal, request, this.options.roles());
        if (decision !== 'allow') throw service.accessDenied(refusal(principal, request, decision));
      },
      allows: (request) => decide(principal, request, this.options.roles()) === 'allow',
    };
  }

  private serviceOf(request: HttpRequest): Service | undefined {
    const target = request.headers['x-amz-target'];
    if (target !== undefined) {
      const prefix = target.split('.')[0];
      return this.options.services.find(({ targetPrefix }) => targetPrefix === prefix);
    }
    const version = new URLSearchParams(request.body.toString('utf8')).get('Version');
    return this.options.services.find(({ apiVersion }) => apiVersion !== undefined && apiVersion === version);
  }

  private unknownService(request: HttpRequest, requestId: string): WireResponse {
    const names = this.options.services.map(({ signingName }) => signingName).join(', ');
    const json = request.headers['x-amz-target'] !== undefined;
    const asked = request.headers['x-amz-target'] ?? `${request.method} ${request.path}`;
    const error = new AwsError(
      json ? 'UnknownOperationException' : 'InvalidAction',
      `the local endpoint does not serve "${asked}": it speaks ${names}`,
    );
    return (json ? json11 : query).encodeError(error, { operation: 'Unknown', requestId, xmlNamespace: '' });
  }

  private unknownOperation(service: Service, name: string | undefined, known: boolean): AwsError {
    const supported = Object.keys(service.handlers).sort().join(', ');
    const code = service.protocol === json11 ? 'UnknownOperationException' : 'InvalidAction';
    const what = known ? 'is not served by the local endpoint' : 'is not an operation of this API';
    return new AwsError(code, `${service.signingName}:${name ?? '(none)'} ${what}; served are ${supported}`);
  }

  private asAwsError(error: unknown): AwsError {
    if (error instanceof AwsError) return error;
    this.options.onFault(error);
    return new AwsError('InternalFailure', 'The local endpoint failed to process the request; its log says why', {
      status: 500,
    });
  }
}
