import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../lib/hosts/model/types';
import { CliHome } from '../support/cli/cli-program';
import { until } from '../support/run/eventually';
import { MngrMachine } from '../support/mngr/mngr-machine';
import { describeWith } from '../support/run/requirements';
import type { AgentList, World } from './world';
import { E2E, ended, hostsSeenBy, onHost, SEVERAL_COMMANDS, START_UP, startWorld, WATCHDOG } from './world';

/** What happens to hosts while nobody looks, and mngr afterwards. */
describeWith(E2E, 'released mngr with its own ssh provider, over time', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld('ssh');
  }, START_UP);
  afterAll(() => world?.stop(), START_UP);

  const machine = (): World['machine'] => world.machine;
  let hosts: Host[];
  beforeAll(async () => {
    hosts = await world.local.home.json<Host[]>(['create', 'elk', 'owl', 'yak', 'doe']);
    // The idle time is over long before the last test looks.
    await machine().succeed(['limit', '--host', 'elk.fargate', '--idle-timeout', '1s', '--idle-mode', 'BOOT']);
  }, SEVERAL_COMMANDS);

  test(
    "mngr's host lock keeps the watchdog from ending a host, also when mngr is then killed in the middle of a create",
    async () => {
      const provision = 'touch /tmp/provisioning; sleep 600';
      let kill: (() => void) | undefined;
      const create = machine().mngr(
        [
          ...['create', 'ant@owl.fargate', '--type', 'command', '--no-connect'],
          ...['--extra-provision-command', provision, '--', 'cat'],
        ],
        { onStart: (running) => (kill = () => running.kill('SIGKILL')) },
      );
      // The file begins with the watchdog's first word.
      const log = 'cat /mngr/logs/watchdog.log 2>/dev/null || true';
      await until(async () => (await onHost(world, 'owl', 'ls /tmp')).includes('provisioning'), WATCHDOG);
      await expect(onHost(world, 'owl', 'flock -n /mngr/host_lock true || echo held')).resolves.toBe('held\n');
      await onHost(
        world,
        'owl',
        `jq '.activity_sources = ["BOOT"] | .idle_timeout_seconds = 1' /mngr/data.json > /mngr/d && mv /mngr/d /mngr/data.json`,
      );
      await until(async () => (await onHost(world, 'owl', log)).includes('waits for mngr to release'), WATCHDOG);
      expect(await hostsSeenBy(machine())).toContain('owl');

      kill?.();
      await expect(create).resolves.toMatchObject({ exitCode: null });
      await expect(ended(world, 'owl', WATCHDOG)).resolves.toMatchObject({ stopCode: 'EssentialContainerExited' });
      expect(await hostsSeenBy(machine())).not.toContain('owl');
    },
    SEVERAL_COMMANDS,
  );

  test(
    'a host that died is gone at the next command, and the others work',
    async () => {
      const [, , yak] = hosts;
      await world.local.control('POST', `tasks/${yak?.taskArn.split('/').pop()}/kill`);
      await ended(world, 'yak', WATCHDOG);
      await machine().succeed(['create', 'bee@doe.fargate', '--type', 'command', '--no-connect', '--', 'cat']);
      await expect(machine().json<AgentList>(['list'])).resolves.toMatchObject({
        agents: [{ name: 'bee' }],
        errors: [],
      });
    },
    SEVERAL_COMMANDS,
  );

  test(
    'our own program killed in the middle of a create: mngr never sees that host, and works with the others',
    async () => {
      const { local } = world;
      const { home } = local;
      await local.control('PUT', 'delays', { provisioning: 5_000 });
      try {
        const killed = home.run(['create', 'ape'], {
          onStart: async ({ onStderr, kill }) => {
            await onStderr(/PROVISIONING/);
            kill('SIGKILL');
          },
        });
        await expect(killed).resolves.toMatchObject({ exitCode: null });
        await expect(hostsSeenBy(machine())).resolves.not.toContain('ape');
        await until(async () => (await home.json<Host>(['show', 'ape'])).state === 'RUNNING', WATCHDOG);
        await expect(home.run(['mngr', 'sync'])).resolves.toMatchObject({
          exitCode: 0,
          stderr: expect.stringContaining('ape is left out: it is not ready yet') as string,
        });
        await expect(machine().succeed(['exec', 'bee', 'echo works'])).resolves.toContain('works');
      } finally {
        await local.control('PUT', 'delays', {});
        await home.json(['destroy', 'ape', '--yes']);
      }
    },
    SEVERAL_COMMANDS,
  );

  test(
    'without AWS mngr works with the hosts it knew',
    async () => {
      const env = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' };
      await expect(machine().succeed(['exec', 'bee', 'echo still here'], { env })).resolves.toContain('still here');
    },
    SEVERAL_COMMANDS,
  );

  test(
    'a second machine sees the host once it has its key',
    async () => {
      const { local, programs } = world;
      const home = new CliHome().with(local.up.env);
      try {
        const second = new MngrMachine(home, programs);
        await second.commit();
        await home.json(['config', 'write', '--mngr']);
        const sync = await home.run(['mngr', 'sync']);
        expect(sync).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('doe is left out') as string });
        await expect(hostsSeenBy(second)).resolves.toEqual([]);

        const keys = (one: MngrMachine): string => join(one.profileDirectory, 'fargate', 'hosts');
        mkdirSync(keys(second), { recursive: true, mode: 0o700 });
        cpSync(keys(machine()), keys(second), { recursive: true });
        await expect(hostsSeenBy(second)).resolves.toContain('doe');
        await second.succeed(['message', 'bee', '-m', 'from the second machine']);
        await until(
          async () => (await machine().succeed(['capture', 'bee'])).includes('from the second machine'),
          SEVERAL_COMMANDS,
        );
      } finally {
        home.remove();
      }
    },
    SEVERAL_COMMANDS,
  );

  test(
    'a host whose idle time is over has ended itself',
    async () => {
      await expect(ended(world, 'elk', WATCHDOG)).resolves.toMatchObject({ stopCode: 'EssentialContainerExited' });
      await expect(hostsSeenBy(machine())).resolves.toEqual(['doe']);
    },
    SEVERAL_COMMANDS,
  );
});
