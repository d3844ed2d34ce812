/**
 * A launcher that creates one host and kills itself with SIGKILL once a call of the named operation has been answered,
 * or when it reports the named step.
 * Run with tsx; its settings come as JSON in the first argument.
 */
import { EC2Client } from '@aws-sdk/client-ec2';
import { ECSClient } from '@aws-sdk/client-ecs';
import type { ProviderConfig } from '../../../lib/contract/provider-config';
import { Hosts } from '../../../lib/hosts';
import type { CreateHostRequest, CreateProgress, CreateStep } from '../../../lib/hosts';

export interface LauncherSettings {
  readonly config: ProviderConfig;
  readonly keyDirectory: string;
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly request: CreateHostRequest;
  /** For example `RunTask`. */
  readonly dieAfter?: string;
  readonly dieAt?: CreateStep;
}

interface Sender {
  send(command: { constructor: { name: string } }, ...rest: unknown[]): Promise<unknown>;
}

const die = (): void => {
  process.kill(process.pid, 'SIGKILL');
};

const settings = JSON.parse(process.argv[2] ?? '') as LauncherSettings;

for (const client of [ECSClient.prototype, EC2Client.prototype] as unknown as Sender[]) {
  const send = client.send;
  client.send = async function (this: Sender, command, ...rest) {
    const answer = await send.call(this, command, ...rest);
    if (command.constructor.name === `${settings.dieAfter}Command`) die();
    return answer;
  };
}

const { config, keyDirectory, endpoint, credentials, request } = settings;
const hosts = new Hosts({ config, keyDirectory, aws: { endpoint, credentials: () => Promise.resolve(credentials) } });
const onProgress = ({ step }: CreateProgress): void => {
  if (step === settings.dieAt) die();
};
void hosts.create(request, { onProgress }).then(() => process.stdout.write('created\n'));
