import type { CliContext } from '../context';
import { renderTable } from '../render/table';

/** `config show` */
export async function configShow(context: CliContext): Promise<void> {
  const { provider, file, config, sources } = await context.loadConfig();
  const { mngrBaseDirectory, readProfile } = await import('../../mngr/index.js');
  const profile = (await readProfile(mngrBaseDirectory(context.io.environment))) ?? null;
  const values = Object.entries(config);
  const sourceOf = new Map(Object.entries(sources));
  const document = {
    provider,
    file,
    profile,
    values: config,
    sources: Object.fromEntries(values.map(([key]) => [key, sourceOf.get(key) ?? 'default'])),
  };
  context.result(document, () => {
    const rows = values.map(([key, value]) => [key, JSON.stringify(value), sourceOf.get(key) ?? 'default']);
    return `provider ${provider}, file ${file}, profile ${profile ?? '(none yet)'}\n\n${renderTable(rows)}`;
  });
}
