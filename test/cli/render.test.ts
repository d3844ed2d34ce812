import type { Host } from '../../lib/hosts/model/types';
import { formatAddress, formatCost, formatElapsed, formatSeconds } from '../../lib/cli/render/format';
import { hostTable } from '../../lib/cli/render/host-table';
import { renderTable } from '../../lib/cli/render/table';
import { stripVTControlCharacters } from 'node:util';
import { errorText } from '../../lib/cli/error-report';
import { MngrFargateError } from '../../lib/contract/errors';
import { hostLike } from '../support/host/host-like';

const NOW = new Date('2026-11-21T12:00:00Z');

const host: Host & { idleSeconds: number | null } = {
  ...hostLike({
    address: { host: '203.0.113.7', port: 22, user: 'root' },
    cpu: 512,
    memory: 1024,
    costUsd: 0.0513,
  }),
  idleSeconds: 75,
};

test('the table of list', () => {
  const hosts = [
    host,
    {
      ...host,
      name: 'owl',
      ready: false,
      address: null,
      idleSeconds: null,
      cpu: 2048,
      memory: 8192,
      ephemeralStorage: 50,
      spot: true,
    },
    {
      ...host,
      name: 'elk',
      state: 'STOPPED' as const,
      stoppedAt: '2026-11-21T10:00:00.000Z',
      stoppedReason: 'Essential container in task exited',
      exitCode: 137,
      idleSeconds: null,
    },
  ];
  expect(hostTable(hosts, NOW, false)).toBe(`\
NAME  STATE               AGE    IDLE   SIZE                             COST     ADDRESS
fox   RUNNING             2h05m  1m15s  0.5 vCPU, 1 GB                   $0.0513  203.0.113.7
owl   RUNNING (starting)  2h05m  -      2 vCPU, 8 GB, 50 GiB disk, spot  $0.0513  -
elk   STOPPED             5m00s  -      0.5 vCPU, 1 GB                   $0.0513  Essential container in task exited; exit code 137
`);
});

test('colours change no column', () => {
  const plain = hostTable([host], NOW, false);
  const coloured = hostTable([host], NOW, true);
  expect(coloured).not.toBe(plain);
  expect(stripVTControlCharacters(coloured)).toBe(plain);
});

test('an empty fleet is described in words', () => expect(hostTable([], NOW, false)).toBe('no hosts\n'));

test.each([
  [0, '0s'],
  [59.9, '59s'],
  [60, '1m00s'],
  [3599, '59m59s'],
  [3600, '1h00m'],
  [90_061, '1d01h'],
])('%d seconds are %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

test('times, costs and addresses', () => {
  expect(formatElapsed(1234)).toBe('1.2s');
  expect(formatElapsed(75_000)).toBe('1m15s');
  expect(formatCost(1.5)).toBe('$1.50');
  expect(formatAddress({ host: '::1', port: 2222 })).toBe('[::1]:2222');
  expect(formatAddress({ host: '::1', port: 22 })).toBe('::1');
});

test('an error says what ECS said and what to do', () => {
  const error = new MngrFargateError('task-stopped', 'the task of fox stopped before it was ready', {
    hint: 'check the image',
    details: { stoppedReason: 'CannotPullContainerError', exitCode: null, logs: ['a', 'b'] },
  });
  expect(errorText(error, { verbose: false, debug: false }))
    .toBe(`mngr-fargate: the task of fox stopped before it was ready
  stoppedReason: CannotPullContainerError
  logs:
    a
    b
  hint: check the image
`);
});

test('text of several lines stays below its key, and no line of it can pass for one of ours', () => {
  const error = new MngrFargateError('unreachable', 'no\nmngr-fargate: all is well', {
    details: { said: 'one\r\nmngr-fargate: all is well\u001b]52;c;cm0=\u0007' },
  });
  expect(errorText(error, { verbose: false, debug: false })).toBe(`mngr-fargate: no\\nmngr-fargate: all is well
  said:
    one
    mngr-fargate: all is well\\x1b]52;c;cm0=\\x07
`);
});

test('a cell is one line, for any content, and columns stay aligned', () => {
  const odd = 'two\nlines\u001b[2J\u009b31m\u202e';
  const rows = [
    [odd, 'x'],
    ['plain', 'x'],
  ];
  const [first = '', second = ''] = renderTable(rows).split('\n');
  expect(first).toBe('two\\nlines\\x1b[2J\\x9b31m\\u202e  x');
  expect(second.indexOf('x')).toBe(first.lastIndexOf('x'));
});

test('a stack trace is shown only when asked for', () => {
  const error = new MngrFargateError('failed', 'no', { cause: new Error('deep') });
  expect(errorText(error, { verbose: false, debug: false })).toBe('mngr-fargate: no\n');
  expect(errorText(error, { verbose: true, debug: false })).toBe('mngr-fargate: no\n  cause: Error: deep\n');
  expect(errorText(error, { verbose: false, debug: true })).toMatch(/caused by Error: deep\n {4}at /);
});
