import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOutputsFile } from '../../../lib/mngr';

const folder = mkdtempSync(join(tmpdir(), 'outputs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const environment = { EcsCluster: 'mngr', TaskDefinition: 'mngr-task' };
const read = (content: unknown, stack?: string): ReturnType<typeof readOutputsFile> => {
  const path = join(folder, 'outputs.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return readOutputsFile(path, stack);
};

test('what cdk deploy --outputs-file writes', async () => {
  await expect(read({ team: environment })).resolves.toEqual({ stackName: 'team', outputs: environment });
});

test('what aws cloudformation describe-stacks prints', async () => {
  const Outputs = Object.entries(environment).map(([OutputKey, OutputValue]) => ({
    OutputKey,
    OutputValue,
    Description: 'x',
  }));
  await expect(read({ Stacks: [{ StackName: 'site' }, { StackName: 'team', Outputs }] })).resolves.toEqual({
    stackName: 'team',
    outputs: environment,
  });
});

test('of several environments the named one, else the default one', async () => {
  const stacks = { one: environment, two: environment, 'mngr-fargate': environment };
  await expect(read(stacks, 'two')).resolves.toMatchObject({ stackName: 'two' });
  await expect(read(stacks)).resolves.toMatchObject({ stackName: 'mngr-fargate' });
});

test.each([
  ['several and none named', { one: environment, two: environment }, undefined, /has the outputs of one, two/],
  ['a name that is not in it', { one: environment }, 'two', /has no outputs of a stack two/],
  ['no environment', { site: { Url: 'x' } }, undefined, /has no outputs of an mngr-fargate stack/],
  ['no JSON', 'Outputs:', undefined, /is not JSON/],
  ['a list', [], undefined, /has no outputs/],
])('%s is an error', async (_name, content, stack, message) => {
  await expect(read(content, stack)).rejects.toThrow(message);
});

test('a file that is not there', async () => {
  await expect(readOutputsFile(join(folder, 'none.json'))).rejects.toMatchObject({ code: 'usage' });
});
