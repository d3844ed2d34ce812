import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { EXIT_BROKEN_PIPE } from '../../lib/cli/exit-codes';
import { CONTRACT_VERSION } from '../../lib/cli/json-contract';
import { CliLocal, localHosts, START_UP } from '../support/cli/cli-local';
import { CLI_WORDS, CliHome } from '../support/cli/cli-program';
import { PLUGIN_FOLDER } from '../support/mngr/mngr-plugin';
import { describeWith } from '../support/run/requirements';
import { ROOT } from '../support/run/paths';

const FOLDER = join(PLUGIN_FOLDER, 'contract');
const read = (file: string): unknown => JSON.parse(readFileSync(join(FOLDER, file), 'utf8'));

const { $defs, $schema } = read(`v${CONTRACT_VERSION}.json`) as { $defs: Record<string, object>; $schema: string };

/** Holds a document to one definition of the schema. */
function expectPromised(definition: string, document: unknown): void {
  expect($defs).toHaveProperty(definition);
  const schema = z.fromJSONSchema({ $schema, $defs, $ref: `#/$defs/${definition}` } as never);
  expect(schema.safeParse(document).error?.issues).toBeUndefined();
}

describe('the examples', () => {
  test.each(readdirSync(join(FOLDER, 'examples')))('%s is what the schema says', (file) => {
    const definition = file.replace(/(-.*)?\.json$/, '');
    expectPromised(definition, read(join('examples', file)));
  });
});

describe('without hosts', () => {
  const home = new CliHome();
  afterAll(() => home.remove());

  test('version', async () => {
    const document = await home.json<{ contractVersion: number }>(['version']);
    expectPromised('version', document);
    expect(document.contractVersion).toBe(CONTRACT_VERSION);
  });

  test('another version of the contract is refused before anything is done', async () => {
    const { exitCode, stdout } = await home.run(['--json', '--contract', '99', 'list']);
    expect(exitCode).toBe(2);
    const document = JSON.parse(stdout) as { error: { message: string; details: unknown } };
    expectPromised('error', document);
    expect(document.error.message).toBe('this mngr-fargate prints JSON of version 1, not "99"');
    expect(document.error.details).toEqual({ wanted: '99', contractVersion: CONTRACT_VERSION });
  });
});

describeWith(localHosts, 'on a local endpoint', () => {
  let local: CliLocal;
  beforeAll(async () => {
    local = await CliLocal.start();
  }, START_UP);
  afterAll(() => local?.stop());

  const ask = (...words: string[]): Promise<unknown> =>
    local.home.json(['--contract', String(CONTRACT_VERSION), ...words]);

  test(
    'everything that the plugin reads of a host from its beginning to its end',
    async () => {
      const words = ['--json', '--contract', '1', 'create', 'fox', '--tag', 'team=core', '--progress', 'json'];
      const { exitCode, stdout, stderr } = await local.home.run(words);
      expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
      const host = JSON.parse(stdout) as { hostId: string };
      expectPromised('host', host);

      const lines = stderr.trim().split('\n');
      const steps = lines.map((line) => {
        const progress: unknown = JSON.parse(line);
        expectPromised('progress', progress);
        return (progress as { step: string }).step;
      });
      expect([...new Set(steps)]).toEqual(['keys', 'run-task', 'address', 'ssh', 'setup', 'ready']);

      expectPromised('error', await ask('create', 'fox'));
      expectPromised('hosts', await ask('list', '--no-idle'));
      expectPromised('host', await ask('show', '--no-idle', 'fox'));
      expectPromised('host', await ask('tag', host.hostId, 'env=dev', 'team-'));
      expectPromised('host', await ask('rename', host.hostId, 'owl'));
      expectPromised('error', await ask('show', '--no-idle', 'nobody'));
      expectPromised('destroyed', await ask('destroy', host.hostId, '--yes'));
      expectPromised('host', await ask('show', '--no-idle', host.hostId));
      expectPromised('hosts', await ask('list', '--no-idle'));
    },
    START_UP,
  );

  test(
    'a create whose progress nobody reads any more leaves no task',
    async () => {
      const words = [...CLI_WORDS, '--json', 'create', 'elk', '--progress', 'json'];
      const child = spawn(process.execPath, words, { env: local.home.env(), cwd: ROOT, timeout: START_UP / 2 });
      const ended = once(child, 'close');
      child.stdout.resume();
      // What a program that was killed does: its end of the pipe closes in the middle of the create.
      child.stderr.once('data', () => child.stderr.destroy());
      const [exitCode] = (await ended) as [number | null];
      expect(exitCode).toBe(EXIT_BROKEN_PIPE);
      expect(await ask('list', '--no-idle')).toEqual([]);
    },
    START_UP,
  );
});
