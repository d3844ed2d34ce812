import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import { MngrFargateError } from '../../lib/contract/errors';
import type { Io } from '../../lib/cli/io';
import { installInterrupts } from '../../lib/cli/interrupts';
import { createProgram } from '../../lib/cli/program';
import { Runner } from '../../lib/cli/runner';

/** No AWS call can succeed here: what is refused is refused before one is made. */
const ENVIRONMENT = {
  HOME: '/nonexistent',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
  AWS_ACCESS_KEY_ID: 'x',
  AWS_SECRET_ACCESS_KEY: 'x',
  MNGR_FARGATE_AWS_REGION: 'us-east-1',
  MNGR_FARGATE_SUBNETS: 'subnet-1',
  MNGR_FARGATE_SECURITY_GROUPS: 'sg-1',
};

const stream = (): NodeJS.WriteStream => new PassThrough().resume() as unknown as NodeJS.WriteStream;
const io: Io = {
  stdin: new PassThrough() as unknown as NodeJS.ReadStream,
  stdout: stream(),
  stderr: stream(),
  environment: ENVIRONMENT,
};
const interrupts = installInterrupts(io);
afterAll(() => interrupts.dispose());
const programOf = (): Command => createProgram(new Runner(io, undefined, interrupts), io);

/** Options with numbers in them, by the placeholder of their value. */
const NUMERIC = /<(?:duration|lines|port|size|gib|time)>/;
/** Arguments without which the command would be refused for another reason. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  create: ['fox'],
  exec: ['@web', 'true'],
  shell: ['--service', 'web'],
  logs: ['fox'],
  message: ['fox', 'hello'],
  'sandbox exec': ['box', 'true'],
};

const cases = programOf().commands.flatMap((command) =>
  (command.commands.length === 0 ? [{ words: [command.name()], command }] : []).concat(
    command.commands.map((child) => ({ words: [command.name(), child.name()], command: child })),
  ),
);
const options = cases.flatMap(({ words, command }) =>
  command.options
    .filter(({ flags }) => NUMERIC.test(flags))
    .map(({ long }) => ({ option: long ?? '', words: [...words, ...(ARGUMENTS[words.join(' ')] ?? [])] })),
);

const ZERO_IS_MEANT = ['--idle-timeout', '--tail'];
/** Any free port, for what listens. */
const ANY_PORT = ['sandbox serve --port', 'sandbox mcp --http'];
const VALUES = ['0', '-1', 'NaN', 'Infinity', '1e99', '', ' ', '0x10', '9'.repeat(20), '1.5.2', '٣'];

test('the commands have numeric options', () => {
  expect(options.map(({ option }) => option)).toEqual(
    expect.arrayContaining(['--interval', '--timeout', '--max-age', '--tail', '--port', '--cpu', '--since']),
  );
});

describe.each(options)('$words $option', ({ words, option }) => {
  const takesZero = ZERO_IS_MEANT.includes(option) || ANY_PORT.includes([...words, option].join(' '));
  const values = VALUES.filter((value) => value !== '0' || !takesZero);

  test.each(values)('refuses %j, saying what it takes', async (value) => {
    const run = programOf().parseAsync([...words, `${option}=${value}`], { from: 'user' });
    const error: unknown = await run.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MngrFargateError);
    expect(error).toMatchObject({ code: 'usage' });
    expect((error as Error).message).toMatch(/takes|between|at least|needs|to|not/);
  });
});
