import { BareShell } from '../bare-shell';
import type { Contender } from './contender';

/** The floor of all contenders. */
export function bareContender(): Contender {
  const shell = new BareShell();
  return {
    name: 'bare bash',
    streams: true,
    run: async (command, bytes) => {
      const start = performance.now();
      const { firstByteAt } = await shell.run(command, bytes);
      return { firstByte: firstByteAt - start, total: performance.now() - start };
    },
    end: () => shell.end(),
  };
}
