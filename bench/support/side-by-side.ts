import type { Command } from './command';
import { runCommand } from './command';

/**
 * Runs each command once unmeasured, so that files are in memory, and then all of them in turn, `rounds` times: what
 * disturbs the machine meanwhile disturbs them alike. Gives the fastest run of each in milliseconds: other work on the
 * machine only ever adds.
 */
export async function sideBySide<Name extends string>(
  commands: Readonly<Record<Name, Command>>,
  rounds: number,
): Promise<Record<Name, number>> {
  const entries = Object.entries(commands) as [Name, Command][];
  const fastest = Object.fromEntries(entries.map(([name]) => [name, Infinity])) as Record<Name, number>;
  for (let round = 0; round <= rounds; round++) {
    for (const [name, command] of entries) {
      const { milliseconds } = await runCommand(command);
      if (round > 0) fastest[name] = Math.min(fastest[name], milliseconds);
    }
  }
  return fastest;
}
