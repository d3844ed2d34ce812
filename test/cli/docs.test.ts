import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { EXIT_CODES } from '../../lib/cli/exit-codes';
import { processIo } from '../../lib/cli/io';
import { createProgram } from '../../lib/cli/program';
import { Runner } from '../../lib/cli/runner';
import { installInterrupts } from '../../lib/cli/interrupts';
import { ROOT } from '../support/run/paths';

const docs = readFileSync(join(ROOT, 'docs/cli.md'), 'utf8');
const io = processIo();
const interrupts = installInterrupts(io);
const program = createProgram(new Runner(io, undefined, interrupts), io);
afterAll(() => interrupts.dispose());

/** The part of the page below a heading. */
function section(heading: string): string {
  const [, rest] = docs.split(new RegExp(`^#{2,3} ${heading}$`, 'm'));
  return rest?.split(/^#{2,3} /m)[0] ?? '';
}

const documentedFlags = (text: string): string[] =>
  [...text.matchAll(/^\| (`-.*?) +\|/gm)].map(([, cell]) => cell ?? '').sort();
const flagsOf = (command: Command): string[] =>
  command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => command === program || long !== '--help')
    .map(({ short, long = '', flags }) => {
      const value = / <.*>$/.exec(flags)?.[0] ?? '';
      return short == null ? `\`${long}${value}\`` : `\`${short}\`, \`${long}${value}\``;
    })
    .sort();

/** Commands that do something, by the words that a user types. */
const leavesOf = (command: Command, path: string): { readonly path: string; readonly command: Command }[] =>
  command.commands.length === 0
    ? [{ path, command }]
    : command.commands.flatMap((child) => leavesOf(child, `${path} ${child.name()}`));
const leaves = program.commands.flatMap((command) => leavesOf(command, command.name()));

test('the page has a section for each command, and none for others', () => {
  const headings = [...(docs.split(/^## Commands$/m)[1] ?? '').split(/^## /m)[0]!.matchAll(/^### (.*)$/gm)].map(
    ([, name]) => name,
  );
  expect(headings.sort()).toEqual(leaves.map(({ path }) => path).sort());
});

test.each(leaves)('$path: the options of the page are those of the program', ({ path, command }) => {
  expect(documentedFlags(section(path))).toEqual(flagsOf(command));
});

test('the global options', () => {
  expect(documentedFlags(section('Global options'))).toEqual(flagsOf(program));
});

test('the exit codes', () => {
  for (const [code, exitCode] of Object.entries(EXIT_CODES)) {
    expect(section('Exit codes')).toMatch(new RegExp(`^\\| ${exitCode} +\\| \`${code}\` +\\|`, 'm'));
  }
});

test('aliases are named where the commands are', () => {
  for (const command of program.commands) {
    for (const alias of command.aliases())
      expect(docs).toContain(`[\`${command.name()}\`](#${command.name()}) (\`${alias}\`)`);
  }
});

test('all members of a host', () => {
  const types = readFileSync(join(ROOT, 'lib/hosts/model/types.ts'), 'utf8');
  const host = /export interface Host \{([\s\S]*?)\n\}/.exec(types)?.[1] ?? '';
  const members = [...host.matchAll(/readonly (\w+):/g)].map(([, name]) => name ?? '');
  expect(members.length).toBeGreaterThan(25);
  for (const member of members) expect(section('A host')).toContain(`\`${member}\``);
});
