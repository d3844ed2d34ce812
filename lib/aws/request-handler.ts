import { NodeHttpHandler } from '@smithy/node-http-handler';
import { caBundle } from './ca-bundle';
import { hasProxy } from './proxy-settings';

/** Milliseconds. A slow endpoint must not freeze the launcher: mngr's own AWS provider uses the same two. */
const CONNECTION_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;
const SOCKETS_PER_SERVICE = 32;

type Handle = NodeHttpHandler['handle'];

/**
 * Sends the requests of an SDK client as this machine's network wants it: through the proxy of HTTPS_PROXY, HTTP_PROXY
 * and NO_PROXY, and with the certificates of AWS_CA_BUNDLE or the profile's `ca_bundle`. Both are looked up with the
 * first request, and the proxy's code is loaded only where a proxy is set.
 */
export class RequestHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  private made: Promise<NodeHttpHandler> | undefined;

  constructor(
    private readonly profile: string | undefined,
    private readonly environment: NodeJS.ProcessEnv = process.env,
  ) {}

  async handle(...args: Parameters<Handle>): ReturnType<Handle> {
    const handler = await (this.made ??= this.make());
    return handler.handle(...args);
  }

  destroy(): void {
    void this.made?.then(
      (handler) => handler.destroy(),
      () => undefined,
    );
  }

  /** Part of the SDK's interface of a handler. There is nothing to change here. */
  updateHttpClientConfig(): void {
    return;
  }

  /** Part of the SDK's interface of a handler. */
  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  private async make(): Promise<NodeHttpHandler> {
    const ca = await caBundle(this.profile, this.environment);
    const agent = { keepAlive: true, maxSockets: SOCKETS_PER_SERVICE, ...(ca === undefined ? {} : { ca }) };
    return new NodeHttpHandler({
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      ...(hasProxy(this.environment) ? await this.proxied(agent) : { httpAgent: agent, httpsAgent: agent }),
    });
  }

  private async proxied(options: { readonly keepAlive: boolean; readonly maxSockets: number; readonly ca?: string }) {
    const { EnvironmentProxyAgent } = await import('./proxy-agent.js');
    const agent = new EnvironmentProxyAgent(this.environment, options);
    return { httpAgent: agent, httpsAgent: agent };
  }
}
