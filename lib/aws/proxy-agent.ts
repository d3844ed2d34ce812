import type { ClientRequest } from 'node:http';
import { Agent as HttpAgent } from 'node:http';
import type { AgentOptions } from 'node:https';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { AgentConnectOpts } from 'agent-base';
import { Agent } from 'agent-base';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { MngrFargateError } from '../contract/errors';
import type { Proxy } from './proxy-settings';
import { proxyFor, proxyName } from './proxy-settings';

type ConnectOptions = Parameters<HttpsProxyAgent<string>['connect']>[1];

/** What the proxy answered to CONNECT (https-proxy-agent's event `proxyConnect`). */
interface ConnectAnswer {
  readonly statusCode: number;
  readonly statusText: string;
}

/** A tunnel through a proxy, with its refusals as errors of ours: otherwise they would be read as AWS's own answers. */
class Tunnel extends HttpsProxyAgent<string> {
  constructor(
    private readonly via: Proxy,
    private readonly tls: AgentOptions,
  ) {
    super(via.url.href, tls);
  }

  override async connect(req: ClientRequest, options: AgentConnectOpts): Promise<Socket> {
    let answer: ConnectAnswer | undefined;
    req.once('proxyConnect', (connect: ConnectAnswer) => (answer = connect));
    const destination = `${options.host ?? ''}:${options.port}`;
    let socket: Socket;
    try {
      // The base class applies its options to the proxy alone.
      socket = await super.connect(req, { ...options, ca: this.tls.ca } as ConnectOptions);
    } catch (error) {
      throw answer === undefined ? unreachableProxy(this.via, destination, error as Error) : error;
    }
    if (answer === undefined || answer.statusCode === 200) return socket;
    socket.destroy();
    throw refusal(this.via, destination, answer);
  }
}

const unreachableProxy = (proxy: Proxy, destination: string, error: Error): MngrFargateError =>
  new MngrFargateError('unreachable', `cannot reach ${destination} through the ${proxyName(proxy)}: ${error.message}`, {
    cause: error,
    hint: `check ${proxy.variable}, or list hosts to reach without a proxy in NO_PROXY`,
  });

const refusal = (proxy: Proxy, destination: string, { statusCode, statusText }: ConnectAnswer): MngrFargateError =>
  new MngrFargateError(
    statusCode === 407 ? 'denied' : 'unreachable',
    `the ${proxyName(proxy)} refused a connection to ${destination}: ${`${statusCode} ${statusText}`.trim()}`,
    {
      hint:
        statusCode === 407
          ? `the proxy asks for a name and a password: set ${proxy.variable} to http://NAME:PASSWORD@HOST:PORT`
          : 'ask for access to that address, or list it in NO_PROXY if it is reached without the proxy',
      details: { proxyStatus: statusCode },
    },
  );

/**
 * An agent for all requests of a client: each goes through the proxy that the environment names for its destination, or
 * directly where there is none.
 */
export class EnvironmentProxyAgent extends Agent {
  private readonly agents = new Map<string, HttpAgent>();

  constructor(
    private readonly environment: NodeJS.ProcessEnv,
    private readonly agentOptions: AgentOptions,
  ) {
    // The agents below limit their own sockets.
    super({});
  }

  override connect(_request: ClientRequest, options: AgentConnectOpts): HttpAgent {
    const { secureEndpoint: secure, host = 'localhost', port } = options;
    const proxy = proxyFor({ secure, host, port: Number(port) }, this.environment);
    const key = `${secure} ${proxy?.url.href ?? ''}`;
    const known = this.agents.get(key);
    if (known !== undefined) return known;
    const agent = this.make(secure, proxy);
    this.agents.set(key, agent);
    return agent;
  }

  override destroy(): void {
    for (const agent of this.agents.values()) agent.destroy();
    this.agents.clear();
    super.destroy();
  }

  private make(secure: boolean, proxy: Proxy | undefined): HttpAgent {
    if (proxy === undefined) return secure ? new HttpsAgent(this.agentOptions) : new HttpAgent(this.agentOptions);
    return secure ? new Tunnel(proxy, this.agentOptions) : new HttpProxyAgent(proxy.url.href, this.agentOptions);
  }
}
