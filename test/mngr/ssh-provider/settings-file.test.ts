import fc from 'fast-check';
import { parse } from 'smol-toml';
import {
  COMMANDS_WITH_HOSTS,
  syncScript,
  withoutSshProvider,
  withSshProvider,
} from '../../../lib/mngr/ssh-provider/settings-file';
import { TomlFile } from '../../../lib/mngr/toml/toml-file';

const wanted = { provider: 'fargate', sshProvider: 'fargate' };
const SYNC = 'mngr-fargate mngr sync --provider fargate --pool fargate || true';
const PATH = 'settings.toml';
const added = (text: string): string => withSshProvider(TomlFile.parse(text, PATH), wanted).text;
const removed = (text: string): string => withoutSshProvider(TomlFile.parse(text, PATH), wanted).text;

/** What people have in settings.toml beside the ssh provider. */
const SNIPPETS = [
  '# my settings',
  'prefix = "x-"',
  '[commands.create]\ntype = "claude" # always',
  '[providers.docker]\nbackend = "docker"\n\n# idle at night\ndefault_idle_timeout = 60',
  '[[list]]\na = 1',
  '  [plugins.claude]\n  enabled = true',
];
const SCRIPTS = [
  '[pre_command_scripts]\ncreate = ["./check.sh"] # before each',
  '[pre_command_scripts]\n# nothing yet',
  '[pre_command_scripts]\nlist = [\n  "a", # first\n  "b"\n]\ntranscript = []',
  'pre_command_scripts.gc = ["x"]',
  'pre_command_scripts = { exec = ["y"] }',
];
const documents = fc
  .tuple(fc.shuffledSubarray(SNIPPETS.slice(1)), fc.option(fc.constantFrom(...SCRIPTS)), fc.boolean(), fc.boolean())
  .map(([parts, scripts, lastLineEnds, crlf]) => {
    // Keys of the root come before the first table.
    const isRoot = (part: string): boolean => !/^\s*\[/.test(part);
    const all = [...parts, ...(scripts === null ? [] : [scripts])];
    const text = [SNIPPETS[0], ...all.filter(isRoot), ...all.filter((part) => !isRoot(part))].join('\n');
    const ended = lastLineEnds ? `${text}\n` : text;
    return crlf ? ended.replaceAll('\n', '\r\n') : ended;
  });

test('a new file is nothing but the block of the ssh provider and the sync before each command', () => {
  const text = added('');
  expect(text).toMatch(/^\[providers\.fargate\]\nbackend = "ssh"\nhost_dir = "\/mngr"\n/);
  expect(parse(text)).toEqual({
    providers: { fargate: { backend: 'ssh', host_dir: '/mngr', min_online_host_age_seconds: 1e12 } },
    pre_command_scripts: Object.fromEntries(COMMANDS_WITH_HOSTS.map((command) => [command, [SYNC]])),
  });
  expect(removed(text)).toBe('');
});

test('every line of the file stays, ours come after the existing ones, and a second run changes nothing', () => {
  fc.assert(
    fc.property(documents, (before) => {
      const after = added(before);
      const { providers, pre_command_scripts: scripts } = parse(after) as Record<string, Record<string, unknown>>;
      expect(providers).toMatchObject({ fargate: { backend: 'ssh' } });
      const own = (parse(before).pre_command_scripts ?? {}) as Record<string, string[]>;
      for (const command of COMMANDS_WITH_HOSTS) expect(scripts?.[command]).toEqual([...(own[command] ?? []), SYNC]);
      for (const line of before.split(/\r?\n/).filter((one) => !/\["|\[\]|"b"/.test(one)))
        expect(after).toContain(line);
      expect(added(after)).toBe(after);
    }),
  );
});

test('what was written can be removed: the file means what it meant before, with its comments', () => {
  fc.assert(
    fc.property(documents, (before) => {
      const after = removed(added(before));
      const emptied = (text: string): unknown => {
        const { pre_command_scripts: scripts = {}, ...rest } = parse(text);
        const left = Object.entries(scripts).filter(([, list]) => (list as string[]).length > 0);
        return { ...rest, scripts: Object.fromEntries(left) };
      };
      expect(emptied(after)).toEqual(emptied(before));
      for (const [comment] of before.matchAll(/# .*/g)) expect(after).toContain(comment);
      expect(removed(after)).toBe(after);
    }),
  );
});

test('a file without other scripts is byte for byte as before, once everything is removed', () => {
  const text = `${SNIPPETS.filter((part) => !part.startsWith('prefix')).join('\n\n')}\n`;
  expect(removed(added(text))).toBe(text);
});

test('a sync of another form is replaced, one of another ssh provider stays', () => {
  const other = syncScript({ provider: 'fargate', sshProvider: 'fargate-2' });
  const list = [other, 'before', '/opt/bin/mngr-fargate --region eu-west-1 mngr sync --pool fargate', 'after'];
  const text = `[pre_command_scripts]\nlist = ${JSON.stringify(list)}\n`;
  expect(parse(added(text)).pre_command_scripts).toMatchObject({ list: [other, 'before', SYNC, 'after'] });
  expect(parse(removed(added(text))).pre_command_scripts).toEqual({ list: [other, 'before', 'after'] });
});

test('a block with keys of the user stays when the sync is removed', () => {
  const text = added('[providers.fargate]\nbackend = "ssh"\n\n[providers.fargate.hosts.box]\naddress = "10.0.0.1"\n');
  expect(parse(removed(text)).providers).toMatchObject({
    fargate: { backend: 'ssh', host_dir: '/mngr', hosts: { box: { address: '10.0.0.1' } } },
  });
});

test.each([
  ['[providers.fargate]\nbackend = "fargate"\necs_cluster = "x"', /backend "fargate"/],
  ['[providers.fargate]\nis_enabled = false', /backend "fargate"/],
  ['[pre_command_scripts]\nlist = "x"', /"pre_command_scripts.list" must be a list of commands/],
  ['pre_command_scripts = 1', /"pre_command_scripts" must be a table/],
  ['providers = [', /not valid TOML, line 1/],
])('refused: %j', (text, message) => {
  expect(() => added(text)).toThrow(message);
});
