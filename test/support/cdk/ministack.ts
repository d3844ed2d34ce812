import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installPythonTool } from '../run/python-tools';
import { freePort } from '../run/free-port';

/** An emulator of AWS that is no part of this project. Its CloudFormation judges whether the stack deploys. */
const MINISTACK = { name: 'ministack', requirements: ['ministack==1.5.33'] } as const;

export const MINISTACK_ACCOUNT = '000000000000';
export const MINISTACK_REGION = 'us-east-1';

export interface MiniStack {
  readonly endpoint: string;
  /** Environment that points the AWS SDKs and the CDK's CLI at it, and keeps them off this machine's own AWS set-up. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/**
 * Starts it on a free port of loopback, with an empty state. `functions` goes into the environment of the Lambda
 * functions, which run as processes there: `AWS_ENDPOINT_URL_ECS` takes their calls of ECS elsewhere.
 */
export async function startMiniStack(functions: Readonly<Record<string, string>> = {}): Promise<MiniStack> {
  const bin = await installPythonTool(MINISTACK);
  const folder = await mkdtemp(join(tmpdir(), 'mngr-fargate-ministack-'));
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const output: string[] = [];
  const server = spawn(join(bin, 'ministack'), [], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: new URL(endpoint).port,
      SFTP_ENABLED: '0',
      IOT_MTLS_ENABLED: '0',
      STATE_DIR: join(folder, 'state'),
      AWS_ENDPOINT_URL: endpoint,
      ...functions,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [server.stdout, server.stderr])
    stream.on('data', (data: Buffer) => output.push(data.toString()));

  const stop = async (): Promise<void> => {
    await end(server);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilHealthy(endpoint, server);
  } catch (error) {
    await stop();
    throw new Error(`MiniStack didn't start:\n${output.join('')}`, { cause: error });
  }
  return {
    endpoint,
    environment: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: MINISTACK_REGION,
      AWS_CONFIG_FILE: join(folder, 'no-config'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'no-credentials'),
      AWS_EC2_METADATA_DISABLED: 'true',
      HOME: folder,
    },
    stop,
  };
}

async function untilHealthy(endpoint: string, server: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 300 && server.exitCode === null; attempt++) {
    const answer = await fetch(`${endpoint}/_ministack/health`).catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(100);
  }
  throw new Error(server.exitCode === null ? 'no answer within 30 seconds' : `it ended with code ${server.exitCode}`);
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  server.kill('SIGTERM');
  const patience = setTimeout(() => server.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(patience);
}
