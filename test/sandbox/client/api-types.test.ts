import { execFileSync } from 'node:child_process';
import { ROOT } from '../../support/run/paths';

test('the types are those of the service’s OpenAPI document', () => {
  const words = ['--import', 'tsx', 'scripts/sandbox-client-types.ts', '--check'];
  execFileSync(process.execPath, words, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
});
