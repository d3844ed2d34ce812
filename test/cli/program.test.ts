import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { CLI_WORDS, CliHome } from '../support/cli/cli-program';
import { describeWith, program } from '../support/run/requirements';
import { nodeVersionNote } from '../../lib/cli/node-version';

const home = new CliHome();
afterAll(() => home.remove());

const outputs = {
  EcsCluster: 'mngr',
  TaskDefinition: 'mngr-task',
  Subnets: 'subnet-1,subnet-2',
  Cpu: '512',
  Memory: '1024',
};
const outputsFile = home.path('outputs.json');
writeFileSync(outputsFile, JSON.stringify({ 'mngr-fargate': outputs }));

test('--version', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  await expect(home.run(['--version'])).resolves.toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
});

test('version recommends another Node.js where this one has reached its end of life', async () => {
  const note = nodeVersionNote(process.versions.node);
  const { stderr } = await home.run(['version']);
  expect(stderr).toBe(note === undefined ? '' : `${note}\n`);

  expect(nodeVersionNote('20.19.0')).toMatch(/^Node\.js 20\.19\.0 has reached its end of life/);
  expect(['22.12.0', '24.0.0', '26.1.0'].map(nodeVersionNote)).toEqual([undefined, undefined, undefined]);
});

test('help is a result; no command at all is a mistake that help answers', async () => {
  const help = await home.run(['create', '--help']);
  expect(help).toMatchObject({ exitCode: 0, stderr: '' });
  expect(help.stdout).toContain('--ephemeral-storage');
  const nothing = await home.run([]);
  expect(nothing).toMatchObject({ exitCode: 2, stdout: '' });
  expect(nothing.stderr).toContain('Usage: mngr-fargate');
});

test.each([
  [['nope'], "unknown command 'nope'"],
  [['list', '--stoped'], "unknown option '--stoped'\n  hint: did you mean --stopped?"],
  [['create'], "missing required argument 'name'"],
  [['create', 'fox', '--cpu', 'lots'], '--cpu takes CPU units'],
  [['create', 'fox', 'fox'], 'fox was given more than once'],
  [
    ['create', 'fox', '--env', 'NOT_SET_HERE'],
    '--env NOT_SET_HERE: the variable NOT_SET_HERE is not set in this environment',
  ],
  [['exec', 'fox'], 'the command to run is missing'],
  [['message', 'fox'], 'the text is missing'],
  [['cp', 'a', 'b'], 'cp needs one end on a host'],
  [['connect', 'fox'], 'connect needs a terminal'],
  [['connect', 'fox', '--shell', '--agent', 'a'], 'give --shell or --agent, not both'],
  [['destroy'], 'name the hosts to destroy, or give --all'],
  [['destroy', 'fox', '--all'], 'give names or --all, not both'],
  [['logs', 'fox', '--since', 'soon'], '--since takes a duration'],
  [['list', '--', 'x'], 'list takes no arguments after "--"'],
  [
    ['local', 'up', '--context', 'cpu=512', '--assembly', 'cdk.out'],
    '--context and --assembly cannot be used together',
  ],
  [['local', 'up', '--runtime', 'magic'], '--runtime takes auto, container, process, not "magic"'],
  [['config', 'show', '--set', 'ecs_clutser=x'], 'did you mean ecs_cluster?'],
  [['sandbox', 'list'], 'no sandbox service runs on this machine'],
  [['sandbox', 'exec', 'box'], 'the command to run is missing'],
  [['sandbox', 'shell', 'box'], 'shell needs a terminal'],
  [['sandbox', 'cp', 'a', 'b'], 'cp needs one end on a host'],
  [['sandbox', 'destroy'], 'name the sandboxes to destroy, or give --all'],
  [['sandbox', 'keys', 'create', 'bob', '--rate', 'fast'], '--rate takes calls a second'],
  [['sandbox', 'git', 'push', 'box', '--password-variable', 'NOT_SET'], 'the variable NOT_SET is not set'],
])('%j is a usage error, told in a line, without a stack trace', async (words, message) => {
  const { exitCode, stdout, stderr } = await home.run(words);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toContain(message);
  expect(stderr).toMatch(/^mngr-fargate: /);
  expect(stderr).not.toContain('    at ');
});

test.each([[['nope', '--json']], [['--json', 'create']], [['exec', 'fox', '--json']]])(
  '%j tells the error as JSON',
  async (words) => {
    const { exitCode, stdout, stderr } = await home.run(words);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      error: { code: 'usage', message: expect.any(String) as string, hint: expect.any(String) as string, details: {} },
    });
  },
);

test('--json after "--" belongs to the command there', async () => {
  const { stdout, stderr } = await home.run(['cp', '--', '--json']);
  expect(stdout).toBe('');
  expect(stderr).toContain('missing required argument');
});

test('config write, then show: from an outputs file into a fresh home', async () => {
  const dry = await home.run(['config', 'write', '--outputs-file', outputsFile, '--dry-run']);
  expect(dry.stdout).toMatch(/^\[providers\.fargate\]\nbackend = "fargate"\n/);
  expect(existsSync(home.path('home', '.mngr'))).toBe(false);

  const written = await home.json<{ file: string; changed: boolean; values: object }>([
    'config',
    'write',
    '--outputs-file',
    outputsFile,
  ]);
  expect(written).toMatchObject({
    changed: true,
    provider: 'fargate',
    values: { cpu: 512, subnets: ['subnet-1', 'subnet-2'] },
  });
  expect(readFileSync(written.file, 'utf8')).toMatch(/^profile = "[0-9a-f]{32}"\n\n\[providers\.fargate\]\n/);

  const shown = await home.json<{ values: object; sources: object }>(['config', 'show'], {
    env: { MNGR_FARGATE_MEMORY: '2048' },
  });
  expect(shown.values).toMatchObject({ cpu: 512, memory: 2048, container_name: 'agent' });
  expect(shown.sources).toMatchObject({
    cpu: `${written.file} [providers.fargate]`,
    memory: 'MNGR_FARGATE_MEMORY',
    container_name: 'default',
  });
});

test('a missing outputs file is a usage error that names it', async () => {
  const { exitCode, stderr } = await home.run(['config', 'write', '--outputs-file', '/nowhere/outputs.json']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('/nowhere/outputs.json cannot be read: ENOENT');
});

/** Names that a record can't have been written with, and that a shell would act on. */
const ODD_NAMES = ['$(touch pwned)', '`touch pwned`', '*', 'f ox', "f'ox", '-rf', 'fox\u001b[31m', 42, '../../x y'];

describe('completion', () => {
  const home = new CliHome();
  afterAll(() => home.remove());

  beforeAll(() => {
    const record = home.path('home', '.mngr', 'profiles', 'mine', 'fargate', 'hosts', `host-${'a'.repeat(32)}`);
    mkdirSync(record, { recursive: true });
    writeFileSync(home.path('home', '.mngr', 'config.toml'), 'profile = "mine"\n');
    writeFileSync(`${record}/host.json`, JSON.stringify({ name: 'fox' }));
    ODD_NAMES.forEach((name, index) => {
      const folder = record.slice(0, -1) + index.toString(16);
      mkdirSync(folder);
      writeFileSync(`${folder}/host.json`, JSON.stringify({ name }));
    });
    mkdirSync(home.path('bin'));
    const words = CLI_WORDS.map((word) => `'${word}'`).join(' ');
    writeFileSync(home.path('bin', 'mngr-fargate'), `#!/bin/sh\nexec '${process.execPath}' ${words} "$@"\n`, {
      mode: 0o755,
    });
  });

  test('the names of hosts come from the records of this machine, and only what can be a name', async () => {
    await expect(home.json(['completion', 'hosts'])).resolves.toEqual(['fox']);
  });

  test('the names of targets come from config.toml, after those of hosts', async () => {
    const file = home.path('home', '.mngr', 'config.toml');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, `${before}[targets.web]\ncluster = "shop"\nservice = "web"\n[targets."$(x)"]\ncluster = "c"\n`);
    await expect(home.json(['completion', 'hosts'])).resolves.toEqual(['fox', '@web']);
    expect(offers('exec', '@')).toEqual(['@web']);
    writeFileSync(file, before);
  });

  /** What bash offers for a line, its last word being completed. */
  const offers = (...words: string[]): string[] => {
    const script = `source <(mngr-fargate completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mngr_fargate; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const environment = home.env();
    const env = { ...environment, PATH: `${home.path('bin')}:${environment.PATH ?? ''}` };
    const offered = execFileSync('bash', ['-c', script, 'bash', 'mngr-fargate', ...words], { env, encoding: 'utf8' });
    expect(existsSync('pwned')).toBe(false);
    return offered.split('\n').filter((word) => word !== '');
  };

  describeWith(program('bash'), 'bash', () => {
    test.each([
      [['cr'], ['create']],
      [
        ['config', ''],
        ['show', 'write', 'ssh'],
      ],
      [['destroy', 'f'], ['fox']],
      [['sandbox', 'key'], ['keys']],
      [
        ['sandbox', 'keys', ''],
        ['create', 'list', 'revoke'],
      ],
      [['sandbox', 'keys', 'create', '--adm'], ['--admin']],
      [['--provider', 'x', 'show', ''], ['fox']],
      [['create', '--ephe'], ['--ephemeral-storage']],
      [['exec', 'fox', '--', 'l'], []],
      [['create', '--cpu', ''], []],
    ])('%j', (words, expected) => {
      expect(offers(...words)).toEqual(expected);
    });
  });

  test.each(['zsh', 'fish'])('the script for %s has every command', async (shell) => {
    const { stdout } = await home.run(['completion', shell]);
    for (const command of ['create', 'list', 'destroy', 'config', 'write', 'local', 'up'])
      expect(stdout).toContain(command);
  });
});
