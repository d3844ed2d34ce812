import { cpus, release, totalmem } from 'node:os';

/** The machine that the figures belong to, in one line. */
export function machine(): string {
  const processors = cpus();
  const model = (processors[0]?.model ?? process.arch).replace(/\((?:R|TM)\)/g, '').replace(/\s+/g, ' ');
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${processors.length} × ${model}, ${memory} GiB, ${process.platform} ${release()}, Node ${process.versions.node}`;
}
