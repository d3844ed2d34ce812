import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { STACK_OUTPUTS } from '../../lib/contract/outputs';
import { SANDBOX_OUTPUTS, SANDBOX_SERVICE_OUTPUTS } from '../../lib/contract/sandbox-outputs';
import { environmentVariableOf, PROVIDER_KEYS } from '../../lib/contract/provider-config';
import { CONTEXT_KEYS } from '../../lib/stacks/context';
import { ROOT } from '../support/run/paths';

const OUTPUTS = [
  ...Object.values(STACK_OUTPUTS),
  ...Object.values(SANDBOX_OUTPUTS),
  ...Object.values(SANDBOX_SERVICE_OUTPUTS),
];

describe('docs/configuration.md', () => {
  const text = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');
  const [environment = '', rest = ''] = text.split('## The provider block');
  const [launcher = ''] = rest.split('\n## ');
  const rowsOf = (section: string): string[] =>
    [...section.matchAll(/^\| `([^|]+)` +\|/gm)].map(([, cell = '']) => cell);

  it('has a row for every context key', () => {
    expect(rowsOf(environment)).toEqual(expect.arrayContaining([...CONTEXT_KEYS]));
  });

  it('has a row for every output', () => {
    const outputs = rowsOf(environment).flatMap((cell) => cell.split('`, `'));

    expect(outputs).toEqual(expect.arrayContaining(OUTPUTS));
  });

  it('has a row for every key of the provider block, with its environment variable', () => {
    expect(rowsOf(launcher)).toEqual(PROVIDER_KEYS);
    for (const key of PROVIDER_KEYS) expect(launcher).toContain(`\`${environmentVariableOf(key)}\``);
  });

  it('names nothing that does not exist', () => {
    const known = [...CONTEXT_KEYS, ...OUTPUTS, 'public', 'private-nat', 'private-endpoints'];

    expect(
      rowsOf(environment)
        .flatMap((cell) => cell.split('`, `'))
        .filter((cell) => !known.includes(cell)),
    ).toEqual([]);
  });
});
