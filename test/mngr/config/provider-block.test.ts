import { parse } from 'smol-toml';
import { providerTable, renderProviderBlock, withProfileLine } from '../../../lib/mngr/config/provider-block';
import { TomlFile } from '../../../lib/mngr/toml/toml-file';
import type { TableValues } from '../../../lib/mngr/toml/values';

const PATH = '/home/ada/.mngr/config.toml';
const values: TableValues = { backend: 'fargate', ecs_cluster: 'mngr', subnets: ['subnet-1', 'subnet-2'], cpu: 512 };
const write = (text: string, wanted = values, provider = 'fargate'): string =>
  withProfileLine(TomlFile.parse(text, PATH), 'abc').withValues(providerTable(provider), wanted).text;

const block = (text: string, provider = 'fargate'): unknown =>
  (parse(text, { integersAsBigInt: 'asNeeded' }).providers as Record<string, unknown>)[provider];

test('an empty file gets the profile line and the block', () => {
  expect(write('')).toBe(`profile = "abc"

[providers.fargate]
backend = "fargate"
ecs_cluster = "mngr"
subnets = ["subnet-1", "subnet-2"]
cpu = 512
`);
});

test('a file without a profile gets one as its first line, so that mngr keeps the rest', () => {
  const text = '# mine\n[providers.docker]\nbackend = "docker"\n';
  expect(write(text)).toBe(`profile = "abc"\n${text}\n${renderProviderBlock('fargate', values)}`);
});

test('a byte order mark stays first', () => {
  expect(write('\uFEFF[a]\nb = 1\n').startsWith('\uFEFFprofile = "abc"\n[a]\nb = 1\n')).toBe(true);
});

test('a file without a line end at its end keeps its last line', () => {
  const text = 'profile = "abc"\n[other]\nkey = 1 # last';
  expect(write(text)).toBe(`${text}\n\n${renderProviderBlock('fargate', values)}`);
});

test('line ends stay CRLF', () => {
  const text = 'profile = "abc"\r\n\r\n[providers.fargate]\r\ncpu = 256\r\n\r\n[x]\r\n';
  expect(write(text, { cpu: 512, memory: 1024 })).toBe(
    'profile = "abc"\r\n\r\n[providers.fargate]\r\ncpu = 512\r\nmemory = 1024\r\n\r\n[x]\r\n',
  );
});

test('a block in the middle of the file keeps its comments, its order and the values that are right already', () => {
  const text = `profile = "abc"
[providers.fargate] # ours
  # the small one
  cpu   =   256   # units
  subnets = [ "subnet-1", 'subnet-2' ]
  aws_profile = 'work' # not from the stack

# about docker
[providers.docker]
backend = "docker"
`;
  expect(write(text)).toBe(`profile = "abc"
[providers.fargate] # ours
  # the small one
  cpu   =   512   # units
  subnets = [ "subnet-1", 'subnet-2' ]
  aws_profile = 'work' # not from the stack
  backend = "fargate"
  ecs_cluster = "mngr"

# about docker
[providers.docker]
backend = "docker"
`);
});

test('a list over several lines keeps the comments of its elements', () => {
  const text = `profile = "abc"
[providers.fargate]
subnets = [
  # zone a
  "subnet-old", # the first
  "subnet-2" # the second
]
`;
  expect(write(text, { subnets: ['subnet-1', 'subnet-2', 'subnet-3'] })).toBe(`profile = "abc"
[providers.fargate]
subnets = [
  # zone a
  "subnet-1", # the first
  "subnet-2", # the second
  "subnet-3",
]
`);
});

test('a list over several lines loses the lines of elements that go', () => {
  const text = 'profile = "abc"\n[providers.fargate]\nsubnets = [\n  "a",\n  # about b\n  "b",\n  "c",\n]\n';
  expect(write(text, { subnets: ['a'] })).toBe(
    'profile = "abc"\n[providers.fargate]\nsubnets = [\n  "a",\n  # about b\n]\n',
  );
});

test('a commented-out block is no block', () => {
  const text = 'profile = "abc"\n# [providers.fargate]\n# cpu = 256\n';
  expect(write(text)).toBe(`${text}\n${renderProviderBlock('fargate', values)}`);
});

test('a block that looks like one inside a string is no block', () => {
  const text = 'profile = "abc"\nnote = """\n[providers.fargate]\ncpu = 1\n"""\n';
  expect(write(text)).toBe(`${text}\n${renderProviderBlock('fargate', values)}`);
});

test.each([
  [
    'dotted keys at the top',
    'profile = "abc"\nproviders.fargate.cpu = 256\nproviders.fargate.memory = 512\n[x]\ny = 1\n',
  ],
  [
    'dotted keys in [providers]',
    'profile = "abc"\n[providers]\nfargate.cpu = 256 # small\ndocker.backend = "docker"\n',
  ],
  ['an inline table', 'profile = "abc"\n[providers]\nfargate = { cpu = 256, subnets = [] } # one line\n'],
  ['an empty inline table', 'profile = "abc"\n[providers]\nfargate = {}\n'],
  ['a dotted inline table', 'profile = "abc"\nproviders.fargate = { cpu = 256 }\n'],
  [
    'an inline table in an inline table',
    'profile = "abc"\nproviders = { docker = { x = 1 }, fargate = { cpu = 256 } }\n',
  ],
  ['dots in an inline table', 'profile = "abc"\nproviders = { fargate.cpu = 256, docker = { x = 1 } }\n'],
  ['another provider in an inline table', 'profile = "abc"\nproviders = { docker = { x = 1 } }\n'],
  ['no provider in an inline table', 'profile = "abc"\nproviders = {}\n'],
  ['quoted names', 'profile = "abc"\n["providers" . \'fargate\']\n"cpu" = 256\n'],
  ['a sub-table before it', 'profile = "abc"\n[providers.fargate.extra]\nx = 1\n[providers.fargate]\ncpu = 256\n'],
  ['a sub-table alone', 'profile = "abc"\n[providers.fargate.extra]\nx = 1\n'],
  ['a sub-table behind it', 'profile = "abc"\n[providers.fargate]\n[providers.fargate.extra]\nx = 1\n'],
  ['a header and nothing else, without a line end', 'profile = "abc"\n[providers.fargate]'],
  [
    'an array of tables behind it',
    'profile = "abc"\n[providers.fargate]\ncpu = 256\n[[list]]\na = 1\n[[list]]\na = 2\n',
  ],
  [
    'dates, floats and large integers around it',
    'profile = "abc"\na = 1979-05-27 07:32:00Z\nb = nan\nc = 9007199254740993\n[providers.fargate]\ncpu = 256\n',
  ],
])('a block written as %s', (_name, text) => {
  const written = write(text);
  expect(block(written)).toMatchObject(values);
  expect(write(written)).toBe(written);
  expect(written.split('\n')[0]).toBe('profile = "abc"');
});

test('a name that TOML wants quoted', () => {
  const written = write('', values, 'my-fargate');
  expect(block(written, 'my-fargate')).toEqual(values);
});

test.each([
  ['providers = 5', '"providers" must be a table'],
  ['[[providers]]\nfargate = 1', '"providers" must be a table'],
  ['[providers]\nfargate = "no"', '"providers.fargate" must be a table'],
  ['[providers.fargate.cpu]\nunits = 5', '"providers.fargate.cpu" is a table, but it must be a value'],
])('%j is refused, and nothing is made of it', (text, message) => {
  expect(() => write(`profile = "abc"\n${text}\n`)).toThrow(message);
});

test('what is no TOML is refused with its line', () => {
  expect(() => write('profile = "abc"\n[broken\n')).toThrow(`${PATH} is not valid TOML, line 2`);
});
