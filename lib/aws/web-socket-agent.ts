import type { Agent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { caBundle } from './ca-bundle';
import { hasProxy } from './proxy-settings';

/**
 * Node's agent for a WebSocket to AWS: through the proxy of HTTPS_PROXY and NO_PROXY, and with the certificates of
 * AWS_CA_BUNDLE or the profile's `ca_bundle`. Undefined where there is neither, and for a URL without TLS, which is of
 * this machine.
 */
export async function webSocketAgent(
  url: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Agent | undefined> {
  if (!url.startsWith('wss:')) return undefined;
  const ca = await caBundle(undefined, environment);
  const options = { keepAlive: false, ...(ca === undefined ? {} : { ca }) };
  if (!hasProxy(environment)) return ca === undefined ? undefined : new HttpsAgent(options);
  const { EnvironmentProxyAgent } = await import('./proxy-agent.js');
  return new EnvironmentProxyAgent(environment, options);
}
