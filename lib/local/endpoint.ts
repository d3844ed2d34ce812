import { randomBytes } from 'node:crypto';
import { controlApi } from './control/api';
import { Control } from './control/control';
import { CONTROL_PATH } from './control/path';
import { SERVICES } from './services';
import type { Service } from './services/service';
import { Dispatcher } from './wire/http/dispatcher';
import type { RequestHead } from './wire/http/request';
import { LoopbackServer } from './wire/http/server';
import type { ServerHandlers } from './wire/http/server';
import { upgradeHandler } from './wire/http/upgrades';
import { World } from './world';
import type { WorldOptions } from './world';

export interface EndpointOptions extends WorldOptions {
  /** Port on 127.0.0.1; default 0, a free one. */
  readonly port?: number;
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

/** AWS on this machine, as far as the product's calls go. Make it with `Endpoint.start`. */
export class Endpoint {
  readonly description: EndpointDescription;

  private constructor(
    readonly world: World,
    private readonly services: readonly Service[],
    private readonly server: LoopbackServer,
    /** The control API without HTTP. */
    readonly control: Control,
  ) {
    this.description = describe(world, server.url);
  }

  /** Rejects with `EADDRINUSE` when the port is taken; nothing is left behind then. */
  static async start(options: EndpointOptions): Promise<Endpoint> {
    const world = await World.open(options);
    const services = SERVICES.map((serviceOf) => serviceOf(world));
    for (const { throttles = [] } of services) world.throttles.add(throttles);
    const control = new Control(world);
    try {
      for (const service of services) await service.start?.();
      const server = await LoopbackServer.listen(options.port ?? 0, handlersOf(world, services, control));
      await world.store.flush();
      return new Endpoint(world, services, server, control);
    } catch (error) {
      await closeAll(world, services);
      throw error;
    }
  }

  /** Stops serving and leaves the tasks running; the next start with the same state finds them. */
  async stop(): Promise<void> {
    await this.server.close();
    await closeAll(this.world, this.services);
  }

  /** Stops serving and removes every task and everything the runtime made. */
  async destroy(): Promise<void> {
    await this.stop();
    await this.world.runtime.removeAll();
  }
}

async function closeAll(world: World, services: readonly Service[]): Promise<void> {
  for (const service of services) await service.close?.();
  await world.store.close();
}

/** The control API below its path, and AWS's APIs everywhere else. */
function handlersOf(world: World, services: readonly Service[], control: Control): ServerHandlers {
  const dispatcher = new Dispatcher(world, services);
  const controls = controlApi(control, services, controlTokenOf(world));
  const isControl = ({ path }: RequestHead): boolean => path.startsWith(CONTROL_PATH);
  return {
    admit: (head) => (isControl(head) ? controls.admit(head) : dispatcher.admit(head)),
    serve: (request) => (isControl(request) ? controls.serve(request) : dispatcher.dispatch(request)),
    upgrade: upgradeHandler(services),
    onFault: world.onFault,
  };
}

function describe(world: World, url: string): EndpointDescription {
  const { region, accountId, stackName } = world.place;
  const { accessKeyId, secretAccessKey } = world.iam.credentials.administrator;
  return {
    endpoint: url,
    region,
    accountId,
    stackName,
    outputs: Object.fromEntries(world.stack.outputs.map(({ key, value }) => [key, value])),
    env: {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    },
    controlToken: controlTokenOf(world),
  };
}

/** Made at the first start, and kept. */
function controlTokenOf({ store }: World): string {
  const tokens = store.collection<string>('controlToken');
  const token = tokens.get('token') ?? randomBytes(24).toString('base64url');
  tokens.set('token', token);
  return token;
}
