import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../run/paths';

/**
 * The CDK's provider framework as it runs in AWS: its own code from aws-cdk-lib, of which only the calls to the outside
 * are ours. Around it a model of what calls it: Lambda's way of passing on errors, the waiter's state machine, and
 * CloudFormation with its limits.
 */
const RUNTIME = join(ROOT, 'node_modules/aws-cdk-lib/custom-resources/lib/provider-framework/runtime');
const FUNCTIONS = {
  onEvent: 'arn:aws:lambda:::function:on-event',
  isComplete: 'arn:aws:lambda:::function:is-complete',
};

/** CloudFormation refuses longer responses (user guide, "Custom resource response objects"). */
const MAX_RESPONSE_BYTES = 4096;

export type Properties = Readonly<Record<string, unknown>>;

export interface CloudFormationRequest {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly RequestId: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceType: string;
  readonly ResponseURL: string;
  readonly ResourceProperties: Properties;
  readonly OldResourceProperties?: Properties;
}

export interface CloudFormationResponse {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason: string;
  readonly PhysicalResourceId: string;
  readonly Data?: Readonly<Record<string, string>>;
}

export interface Handlers {
  // Events are JSON to the framework; the handlers under test know their types.
  readonly onEvent: (event: never) => Promise<unknown>;
  readonly isComplete: (event: never) => Promise<unknown>;
}

export interface FrameworkOptions {
  /** Milliseconds between two looks. Default 100. */
  readonly queryInterval?: number;
  /** Milliseconds until the framework gives up. Default 45,000. */
  readonly totalTimeout?: number;
  /** Called with each event before a handler gets it. */
  readonly onInvoke?: (handler: keyof typeof FUNCTIONS, event: CloudFormationRequest) => void | Promise<void>;
}

interface FrameworkRuntime {
  onEvent(event: unknown): Promise<void>;
  isComplete(event: unknown): Promise<void>;
  onTimeout(event: unknown): Promise<void>;
}

export class ProviderFramework {
  private readonly runtime: FrameworkRuntime;
  private readonly waiters: { readonly requestId: string; readonly input: string }[] = [];
  private readonly responses: { readonly requestId: string; readonly response: CloudFormationResponse }[] = [];

  constructor(
    private readonly handlers: Handlers,
    private readonly options: FrameworkOptions = {},
  ) {
    this.runtime = this.load();
  }

  /** One request of CloudFormation and the response that it gets. */
  async send(request: CloudFormationRequest): Promise<CloudFormationResponse> {
    await this.runtime.onEvent(overTheWire(request));
    const waiter = this.waiters.findIndex(({ requestId }) => requestId === request.RequestId);
    if (waiter !== -1) await this.wait(this.waiters.splice(waiter, 1)[0]?.input ?? '');
    const index = this.responses.findIndex(({ requestId }) => requestId === request.RequestId);
    const [answer] = index === -1 ? [] : this.responses.splice(index, 1);
    if (answer === undefined) throw new Error(`no response to ${request.RequestType} ${request.RequestId}`);
    return answer.response;
  }

  /** `onEvent` alone, for events that arrive once more while the first is being worked on. */
  async begin(request: CloudFormationRequest): Promise<void> {
    await this.runtime.onEvent(overTheWire(request));
  }

  /** The state machine: asks until it is complete, and tells of the timeout with the last error. */
  private async wait(input: string): Promise<void> {
    const { queryInterval = 100, totalTimeout = 45_000 } = this.options;
    const deadline = Date.now() + totalTimeout;
    for (;;) {
      try {
        await this.runtime.isComplete(JSON.parse(input));
        return;
      } catch (error) {
        const { name, constructor, message } = error as Error;
        if (constructor.name !== 'Retry') throw error;
        if (Date.now() > deadline) {
          const cause = JSON.stringify({ errorType: name, errorMessage: message });
          await this.runtime.onTimeout({ Error: 'Retry', Cause: cause });
          return;
        }
        await sleep(queryInterval);
      }
    }
  }

  private load(): FrameworkRuntime {
    process.env.USER_ON_EVENT_FUNCTION_ARN = FUNCTIONS.onEvent;
    process.env.USER_IS_COMPLETE_FUNCTION_ARN = FUNCTIONS.isComplete;
    process.env.WAITER_STATE_MACHINE_ARN = 'arn:aws:states:::stateMachine:waiter';
    const outbound = {
      invokeFunction: (request: { FunctionName: string; Payload: string }) => this.invoke(request),
      startExecution: ({ input }: { input: string }) => {
        this.waiters.push({ requestId: (JSON.parse(input) as CloudFormationRequest).RequestId, input });
        return Promise.resolve();
      },
      httpRequest: (_: unknown, body: string) => this.respond(body),
    };
    jest.resetModules();
    jest.doMock(join(RUNTIME, 'outbound.js'), () => outbound);
    jest.doMock(join(RUNTIME, 'util.js'), () => ({
      ...jest.requireActual<object>(join(RUNTIME, 'util.js')),
      log: () => undefined,
    }));
    return jest.requireActual<FrameworkRuntime>(join(RUNTIME, 'framework.js'));
  }

  /** Lambda: what a function throws becomes its payload, with the name, the message and the lines of the stack. */
  private async invoke({ FunctionName, Payload }: { FunctionName: string; Payload: string }) {
    const name = FunctionName === FUNCTIONS.onEvent ? 'onEvent' : 'isComplete';
    const event = JSON.parse(Payload) as CloudFormationRequest;
    try {
      await this.options.onInvoke?.(name, event);
      const answer = await this.handlers[name](event as never);
      return { StatusCode: 200, Payload: JSON.stringify(answer) };
    } catch (error) {
      const { name: errorType, message: errorMessage, stack = '' } = error as Error;
      const payload = { errorType, errorMessage, trace: stack.split('\n') };
      return { StatusCode: 200, FunctionError: 'Unhandled', Payload: JSON.stringify(payload) };
    }
  }

  private respond(body: string): Promise<void> {
    const { RequestId: requestId, ...response } = JSON.parse(body) as CloudFormationResponse & { RequestId: string };
    const bytes = Buffer.byteLength(body);
    const taken: CloudFormationResponse =
      bytes <= MAX_RESPONSE_BYTES
        ? response
        : { Status: 'FAILED', Reason: 'Response object is too long.', PhysicalResourceId: response.PhysicalResourceId };
    this.responses.push({ requestId, response: taken });
    return Promise.resolve();
  }
}

/** What CloudFormation makes of properties: all scalars become strings. */
export function stringified(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stringified);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([key, member]) => [key, stringified(member)]),
    );
  return String(value);
}

const overTheWire = (request: CloudFormationRequest): unknown => JSON.parse(JSON.stringify(request));

export interface ModelStackOptions {
  readonly logicalId?: string;
  /** Which physical id the rollback of a failed replacement carries: AWS documents neither. Default `old`. */
  readonly rollbackWith?: 'old' | 'new';
}

/** One custom resource in a stack, and what CloudFormation does with it when something fails. */
export class ModelStack {
  readonly stackId = `arn:aws:cloudformation:eu-central-1:123456789012:stack/team/${randomUUID()}`;
  readonly logicalId: string;
  physicalId: string | undefined;
  attributes: Readonly<Record<string, string>> = {};
  private properties: Properties = {};

  constructor(
    private readonly framework: ProviderFramework,
    private readonly options: ModelStackOptions = {},
  ) {
    this.logicalId = options.logicalId ?? 'Reviewer';
  }

  request(type: CloudFormationRequest['RequestType'], properties: Properties, requestId: string = randomUUID()) {
    return {
      RequestType: type,
      RequestId: requestId,
      StackId: this.stackId,
      LogicalResourceId: this.logicalId,
      ResourceType: 'Custom::MngrAgentTask',
      ResponseURL: 'https://cloudformation.example.com/response?signature=1',
      ResourceProperties: {
        ServiceToken: 'arn:aws:lambda:::function:framework',
        ...(stringified(properties) as object),
      },
      ...(type !== 'Create' && this.physicalId !== undefined && { PhysicalResourceId: this.physicalId }),
    } satisfies CloudFormationRequest;
  }

  /** CREATE, and after a failure the DELETE of the rollback. */
  async create(properties: Properties, requestId?: string): Promise<CloudFormationResponse> {
    const response = await this.framework.send(this.request('Create', properties, requestId));
    this.physicalId = response.PhysicalResourceId;
    this.properties = properties;
    if (response.Status === 'SUCCESS') this.attributes = response.Data ?? {};
    else await this.delete();
    return response;
  }

  /** UPDATE; then the clean-up of what was replaced, or the rollback and its clean-up. */
  async update(properties: Properties): Promise<CloudFormationResponse> {
    const before = { physicalId: this.physicalId, properties: this.properties };
    const request = { ...this.request('Update', properties), OldResourceProperties: stringified(before.properties) };
    const response = await this.framework.send(request as CloudFormationRequest);
    const ids = new Set([before.physicalId, response.PhysicalResourceId]);
    if (response.Status === 'SUCCESS') {
      this.settle(response, properties);
    } else {
      this.physicalId = this.options.rollbackWith === 'new' ? response.PhysicalResourceId : before.physicalId;
      const back = { ...this.request('Update', before.properties), OldResourceProperties: stringified(properties) };
      const rolledBack = await this.framework.send(back as CloudFormationRequest);
      if (rolledBack.Status === 'FAILED') throw new Error(`the rollback failed: ${rolledBack.Reason}`);
      ids.add(rolledBack.PhysicalResourceId);
      this.settle(rolledBack, before.properties);
    }
    for (const id of ids) if (id !== this.physicalId && id !== undefined) await this.deleteId(id, before.properties);
    return response;
  }

  async delete(): Promise<CloudFormationResponse> {
    const response = await this.framework.send(this.request('Delete', this.properties));
    this.physicalId = undefined;
    return response;
  }

  private settle(response: CloudFormationResponse, properties: Properties): void {
    this.physicalId = response.PhysicalResourceId;
    this.attributes = response.Data ?? {};
    this.properties = properties;
  }

  private async deleteId(physicalId: string, properties: Properties): Promise<void> {
    const { Status, Reason } = await this.framework.send({
      ...this.request('Delete', properties),
      PhysicalResourceId: physicalId,
    });
    if (Status === 'FAILED') throw new Error(`the clean-up failed: ${Reason}`);
  }
}
