import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, Row } from './support/bench';
import { BUILD } from './support/build';
import type { Command } from './support/command';
import { runCommand } from './support/command';
import { withEndpoint } from './support/endpoint';
import { ROOT } from './support/paths';
import { sideBySide } from './support/side-by-side';
import { duration } from './support/statistics';
import { withTemporaryFolder } from './support/temporary-folder';

const CLI = join(ROOT, 'dist', 'bin', 'mngr-fargate.js');

/** Of `node -e 0`. */
const LIST_AIM = 5;

export const bench: Bench = {
  title: 'the built command line against `node -e 0`',
  run: ({ quick, progress }) =>
    withTemporaryFolder(async (folder) => {
      progress('building dist');
      await runCommand(BUILD);
      return withEndpoint(folder, 'ssh-servers', async (endpoint) => {
        const home = join(folder, 'home');
        await mkdir(home);
        const environment = endpoint.environment(home);
        const cli = (...args: string[]): Command => ({ program: process.execPath, args: [CLI, ...args], environment });
        const node: Command = { program: process.execPath, args: ['-e', '0'], environment };

        const discovered = await sideBySide({ node, list: cli('list') }, quick ? 5 : 15);
        await runCommand(cli('config', 'write'));
        const measured = await sideBySide(
          { node, version: cli('--version'), help: cli('--help'), list: cli('list') },
          quick ? 7 : 25,
        );
        const row = (what: string, milliseconds: number, floor: number): Row => ({
          what,
          measured: duration(milliseconds),
          comparison: 'floor',
          against: `\`node -e 0\` ${duration(floor)}`,
          ratio: milliseconds / floor,
        });
        return {
          rows: [
            row('`mngr-fargate --version`', measured.version, measured.node),
            row('`mngr-fargate --help`', measured.help, measured.node),
            {
              ...row('`mngr-fargate list`, no host, configured', measured.list, measured.node),
              aim: `at most ${LIST_AIM}`,
              met: measured.list / measured.node <= LIST_AIM,
            },
            row('`mngr-fargate list`, no host, configuration read from the stack', discovered.list, discovered.node),
          ],
        };
      });
    }),
};
