import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { RegisterTaskDefinitionRequest } from '@aws-sdk/client-ecs';
import { STACK_OUTPUTS } from '../contract/outputs';
import { Clock } from './state/clock';
import { cloudFormationService } from './services/cloudformation/service';
import { controlApi } from './control/api';
import { CallLog } from './control/call-log';
import { Control } from './control/control';
import { DelayPlan } from './control/delays';
import { FaultPlan } from './control/faults';
import { CONTROL_PATH } from './control/path';
import { Throttles } from './control/throttles';
import { Network } from './services/ec2/network';
import { NetworkInterfaces } from './services/ec2/network-interfaces';
import { ec2Service } from './services/ec2/service';
import { EcsArns } from './services/ecs/arns';
import { ClientTokens } from './services/ecs/client-tokens';
import { Clusters } from './services/ecs/clusters';
import type { EcsContext } from './services/ecs/context';
import { TaskLifecycle } from './services/ecs/lifecycle';
import { ecsService } from './services/ecs/service';
import { TaskDefinitions } from './services/ecs/task-definitions';
import { definitionFromTemplate } from './services/ecs/template-definition';
import { Tasks } from './services/ecs/tasks';
import { DEFAULT_ACCOUNT_ID, DEFAULT_REGION } from './defaults';
import { Dispatcher } from './wire/http/dispatcher';
import type { HttpRequest } from './wire/http/request';
import { LoopbackServer } from './wire/http/server';
import { Credentials } from './iam/credentials';
import { rolesOf } from './iam/roles';
import { LogStore } from './services/logs/log-store';
import { logsService } from './services/logs/service';
import type { WireResponse } from './wire/wire-protocol';
import type { TaskRuntime } from './runtimes/runtime';
import { Store } from './state/store';
import { stsService } from './services/sts/service';
import { imageSourceOf } from './template/assembly';
import type { Assembly } from './template/assembly';
import { instantiate, resourcesOfType } from './template/stack';
import type { Stack } from './template/stack';

/** How often stopped tasks that ECS no longer shows are forgotten. Milliseconds. */
const SWEEP_INTERVAL = 60_000;

export interface EndpointOptions {
  readonly assembly: Assembly;
  readonly stackName: string;
  readonly runtime: TaskRuntime;
  /** Default `us-east-1`. */
  readonly region?: string;
  /** Default `000000000000`. */
  readonly accountId?: string;
  /** Port on 127.0.0.1; default 0, a free one. */
  readonly port?: number;
  /** Where the state is kept; absent keeps nothing. */
  readonly stateDirectory?: string;
  /** Hears of errors that are the endpoint's own fault. Default: standard error. */
  readonly onFault?: (error: unknown) => void;
}

/** What a client needs to use the endpoint; also what `local up --json` prints. */
export interface EndpointDescription {
  readonly endpoint: string;
  readonly region: string;
  readonly accountId: string;
  readonly stackName: string;
  /** Outputs of the stack by their keys. */
  readonly outputs: Readonly<Record<string, string>>;
  /** The account administrator's credentials, and where to use them. */
  readonly env: {
    readonly AWS_ENDPOINT_URL: string;
    readonly AWS_REGION: string;
    /** The region where the AWS CLI and boto3 look for it. */
    readonly AWS_DEFAULT_REGION: string;
    readonly AWS_ACCESS_KEY_ID: string;
    readonly AWS_SECRET_ACCESS_KEY: string;
  };
  /** Bearer token of the control API. */
  readonly controlToken: string;
}

interface Deployment {
  readonly templateHash: string;
  readonly created: Date;
  readonly updated?: Date;
}

/** AWS on this machine, as far as the product's calls go. Make it with `Endpoint.start`. */
export class Endpoint {
  private constructor(
    readonly description: EndpointDescription,
    /** The control API without HTTP. */
    readonly control: Control,
    private readonly server: LoopbackServer,
    private readonly lifecycle: TaskLifecycle,
    private readonly store: Store,
    private readonly runtime: TaskRuntime,
    private readonly sweeper: NodeJS.Timeout,
  ) {}

  static async start(options: EndpointOptions): Promise<Endpoint> {
    const { assembly, stackName, runtime, stateDirectory, region = DEFAULT_REGION } = options;
    const accountId = options.accountId ?? DEFAULT_ACCOUNT_ID;
    const onFault = options.onFault ?? ((error: unknown) => console.error(error));
    const place = { region, accountId, stackName };
    const store = await Store.open(stateDirectory);
    const clock = new Clock();
    const arns = new EcsArns(place);
    const credentials = new Credentials(store, clock, accountId);
    const definitions = new TaskDefinitions(store, clock, arns);
    const stack = deploy(assembly, place, definitions, credentials);
    const deployment = noteDeployment(store, clock, assembly);
    const roles = rolesOf(stack);
    const network = new Network(stack);
    const interfaces = new NetworkInterfaces(store);
    const tasks = new Tasks(store, clock);
    const delays = new DelayPlan();
    const faults = new FaultPlan();
    const throttles = new Throttles();
    const callLog = new CallLog();
    const logs = new LogStore(
      store,
      resourcesOfType(stack, 'AWS::Logs::LogGroup').map(({ physicalId, properties }) => ({
        name: physicalId,
        retentionInDays: properties.RetentionInDays as number | undefined,
      })),
      (taskId, fromOffset) => runtime.readLogs(taskId, fromOffset),
      stateDirectory === undefined ? undefined : join(stateDirectory, 'logs'),
    );
    const lifecycle = new TaskLifecycle({
      tasks,
      definitions,
      network,
      interfaces,
      runtime,
      logs,
      delays,
      clock,
      arns,
      region,
      imageSourceOf: (reference) => imageSourceOf(assembly.images, reference),
      onFault,
    });
    const ecs: EcsContext = {
      arns,
      clusters: new Clusters(stack, arns, importedClusters(stack)),
      definitions,
      tasks,
      tokens: new ClientTokens(store, clock),
      lifecycle,
      network,
      interfaces,
      throttles,
      faults,
      clock,
      store,
    };
    const dispatcher = new Dispatcher({
      services: [
        ecsService(ecs),
        ec2Service({ network, interfaces, accountId, region }),
        stsService({ credentials, roles: () => roles }),
        cloudFormationService({ stack: () => stack, deployedAt: () => deployment }),
        logsService({ logs, region, accountId, createdAt: () => deployment.created }),
      ],
      credentials,
      roles: () => roles,
      region,
      clock,
      callLog,
      throttles,
      faults,
      onFault,
    });
    const control = new Control({ ecs, delays, faults, throttles, callLog, clock, runtime });
    const controlToken = tokenOf(store);
    const serve = (request: HttpRequest): Promise<WireResponse> =>
      request.path.startsWith(CONTROL_PATH) ? controlApi(request, control, controlToken) : dispatcher.dispatch(request);

    await resumeTasks(tasks, lifecycle, runtime);
    const server = await LoopbackServer.listen(options.port ?? 0, serve, onFault);
    await store.flush();
    const sweeper = setInterval(() => tasks.forgetExpired(), SWEEP_INTERVAL).unref();
    const { accessKeyId, secretAccessKey } = credentials.administrator;
    const description: EndpointDescription = {
      endpoint: server.url,
      region,
      accountId,
      stackName,
      outputs: Object.fromEntries(stack.outputs.map(({ key, value }) => [key, value])),
      env: {
        AWS_ENDPOINT_URL: server.url,
        AWS_REGION: region,
        AWS_DEFAULT_REGION: region,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
      },
      controlToken,
    };
    return new Endpoint(description, control, server, lifecycle, store, runtime, sweeper);
  }

  /** Stops serving and lets go of the tasks: they run on, and the next start of the same state finds them. */
  async stop(): Promise<void> {
    clearInterval(this.sweeper);
    await this.server.close();
    await this.lifecycle.close();
    await this.store.close();
  }

  /** Stops serving and removes every task and everything the runtime made. */
  async destroy(): Promise<void> {
    await this.stop();
    await this.runtime.removeAll();
  }
}

/** Registers the template's task definitions and instantiates the stack around their revisions. */
function deploy(
  assembly: Assembly,
  place: { readonly region: string; readonly accountId: string; readonly stackName: string },
  definitions: TaskDefinitions,
  credentials: Credentials,
): Stack {
  const registeredBy = credentials.administrator.principal.arn;
  const revisions: Record<string, number> = {};
  const first = instantiate(assembly.template, { place });
  for (const { logicalId, properties } of resourcesOfType(first, 'AWS::ECS::TaskDefinition')) {
    const request: RegisterTaskDefinitionRequest = definitionFromTemplate(properties, logicalId);
    revisions[logicalId] = definitions.registerFromTemplate(request, registeredBy).definition.revision ?? 1;
  }
  return instantiate(assembly.template, { place, revisions });
}

/** Clusters that the stack uses without owning: its output names one. */
const importedClusters = (stack: Stack): string[] =>
  stack.outputs.filter(({ key }) => key === STACK_OUTPUTS.ecsCluster).map(({ value }) => value.split('/').at(-1) ?? '');

function noteDeployment(store: Store, clock: Clock, assembly: Assembly): Deployment {
  const deployments = store.collection<Deployment>('deployments');
  const templateHash = JSON.stringify(assembly.template);
  const known = deployments.get('stack');
  const now = clock.now();
  const deployment =
    known === undefined
      ? { templateHash, created: now }
      : known.templateHash === templateHash
        ? known
        : { templateHash, created: known.created, updated: now };
  deployments.set('stack', deployment);
  return deployment;
}

function tokenOf(store: Store): string {
  const tokens = store.collection<string>('controlToken');
  const token = tokens.get('token') ?? randomBytes(24).toString('base64url');
  tokens.set('token', token);
  return token;
}

async function resumeTasks(tasks: Tasks, lifecycle: TaskLifecycle, runtime: TaskRuntime): Promise<void> {
  tasks.forgetExpired();
  const running = new Set(await runtime.running());
  for (const record of tasks.all()) lifecycle.resume(record, running.has(record.id));
}
