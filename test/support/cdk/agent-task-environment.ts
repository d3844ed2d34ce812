import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { handler as probe } from '../../../lambda/host-probe';
import { AgentTaskHandlers } from '../../../lambda/agent-task/handlers';
import type { AgentTaskPropertiesInput } from '../../../lib/contract/agent-task';
import type { HostProbe } from '../../../lib/hosts/lifecycle/stack-hosts';
import { StackHosts } from '../../../lib/hosts/lifecycle/stack-hosts';
import { generateKeyPair } from '../../../lib/ssh';
import type { HostsEnvironment } from '../host/hosts-environment';

export const KEYS = generateKeyPair('operator');

/** The handlers with the local endpoint around them, and the probe's handler in place of its function. */
export function handlersAt(environment: HostsEnvironment, through: (probe: HostProbe) => HostProbe = (own) => own) {
  const { endpoint, credentials, region } = environment.local;
  const log: Record<string, unknown>[] = [];
  const aws = { endpoint, credentials: () => Promise.resolve(credentials) };
  const handlers = new AgentTaskHandlers({
    region,
    hosts: (owner, config, provider) => new StackHosts(owner, { config, provider, aws }),
    probe: through(probe),
    log: (line) => log.push(line),
  });
  return {
    log,
    onEvent: (event: never) => handlers.onEvent(event),
    isComplete: (event: never) => handlers.isComplete(event),
  };
}

/** What the construct would give for a small host of the local stack. */
export function propertiesAt(
  environment: HostsEnvironment,
  changes: Partial<AgentTaskPropertiesInput> = {},
): Partial<AgentTaskPropertiesInput> {
  const { config } = environment;
  return {
    Cluster: config.ecs_cluster,
    TaskDefinition: config.task_definition,
    ContainerName: config.container_name,
    LogGroup: environment.local.outputs.LogGroup,
    Subnets: config.subnets,
    SecurityGroups: config.security_groups,
    // The endpoint's tasks have one address that is real: the public one if they have it, else the private one.
    AssignPublicIp: false,
    Provider: 'fargate',
    Name: 'reviewer',
    PublicKey: KEYS.publicKey,
    Cpu: 256,
    Memory: 512,
    Spot: false,
    IdleTimeout: 0,
    Timeout: 120,
    ...changes,
  };
}

/** Runs a command over the system's ssh, with the private key and nothing trusted but the given known_hosts line. */
export async function sshTo(
  attributes: Readonly<Record<string, string>>,
  command: string,
): Promise<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'mngr-stack-ssh-'));
  try {
    writeFileSync(join(folder, 'key'), KEYS.privateKey, { mode: 0o600 });
    writeFileSync(join(folder, 'known_hosts'), `${attributes.KnownHosts}\n`);
    const options = ['StrictHostKeyChecking=yes', `UserKnownHostsFile=${join(folder, 'known_hosts')}`, 'BatchMode=yes'];
    const args = ['-F', 'none', '-i', join(folder, 'key'), ...options.flatMap((option) => ['-o', option])];
    const child = spawn('ssh', [...args, '-p', attributes.Port ?? '', `root@${attributes.Address}`, command], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, err]: [string[], string[]] = [[], []];
    child.stdout.on('data', (data: Buffer) => out.push(data.toString()));
    child.stderr.on('data', (data: Buffer) => err.push(data.toString()));
    const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { exitCode, stdout: out.join(''), stderr: err.join('') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
