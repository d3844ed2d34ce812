import type { CliContext } from '../context';
import { tagChanges } from '../parse/key-value';
import { renderTable } from '../render/table';
import type { CommandRegistration } from '../runner';

async function tag(context: CliContext, reference: string, words: readonly string[]): Promise<void> {
  const change = tagChanges(words);
  const host = await context.withHosts((hosts) =>
    words.length === 0
      ? hosts.get(reference, { signal: context.signal })
      : hosts.tag(reference, change, { signal: context.signal }),
  );
  context.result(host, () => renderTable(Object.entries(host.tags).map(([key, value]) => [key, value])));
}

/** `tag HOST KEY=VALUE… KEY-…` */
export const tagCommand: CommandRegistration = (program, runner) => {
  program
    .command('tag')
    .description("set and remove a host's tags, or print them")
    .argument('<host>', 'name, host id or task ARN')
    .argument('[change...]', 'KEY=VALUE sets a tag, KEY- removes it')
    .action(runner.action(tag));
};
