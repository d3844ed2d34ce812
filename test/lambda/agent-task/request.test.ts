import * as fc from 'fast-check';
import { clusterOf } from '../../../lambda/agent-task/events';
import type { ResourceEvent } from '../../../lambda/agent-task/events';
import { failure } from '../../../lambda/agent-task/failure';
import { clientTokenOf, digestOf } from '../../../lambda/agent-task/request';
import { MngrFargateError } from '../../../lib/contract/errors';

const EVENT: ResourceEvent = {
  RequestType: 'Create',
  RequestId: '5e2ddff0-8280-431d-b7ad-f5a8e254e49b',
  StackId: 'arn:aws:cloudformation:eu-central-1:123456789012:stack/team/148044ed',
  LogicalResourceId: 'Reviewer',
  ResourceProperties: {},
};

describe('the client token of a request', () => {
  it('fits RunTask, is the same for the same request, and another for each other one', () => {
    const tokens = [
      EVENT,
      { ...EVENT, RequestId: 'other' },
      { ...EVENT, StackId: 'other' },
      { ...EVENT, LogicalResourceId: 'other' },
    ].map(clientTokenOf);

    expect(new Set(tokens).size).toBe(4);
    expect(clientTokenOf({ ...EVENT, RequestType: 'Update', PhysicalResourceId: 'x' })).toBe(tokens[0]);
    for (const token of tokens) expect(token).toMatch(/^[\x21-\x7e]{1,64}$/);
  });
});

describe('the digest of the properties', () => {
  it('ignores their order, and what can be changed in place', () => {
    const one = { Name: 'a', Env: { A: '1', B: '2' }, Tags: { team: 'a' }, MaxAge: '60', Timeout: '5' };
    const other = { Tags: { team: 'b' }, Env: { B: '2', A: '1' }, Name: 'a', ServiceToken: 'x' };

    expect(digestOf(one)).toBe(digestOf(other));
  });

  it.each([
    ['a word more', { Command: ['sh', '-c'] }],
    ['the words elsewhere', { Command: ['-c', 'sh'] }],
    ['another variable', { Command: ['sh'], Env: { A: '1' } }],
    ['another revision', { Command: ['sh'], TaskDefinition: 'family:2' }],
  ])('is another for %s', (_, properties) => {
    expect(digestOf(properties)).not.toBe(digestOf({ Command: ['sh'], TaskDefinition: 'family:1' }));
  });
});

describe('the reason of a failure', () => {
  it('is one line of text that always fits, however long its parts are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 4000 }), fc.string({ maxLength: 4000 }), (message, hint) => {
        const { message: told, stack } = failure(new MngrFargateError('failed', message, { hint }), 'note');
        expect(Buffer.byteLength(told)).toBeLessThanOrEqual(1500);
        expect(told).not.toContain('\n');
        expect(stack).toBe(told);
      }),
    );
  });

  it('keeps the beginning, which says what failed, and the end, which says what to do', () => {
    const { message } = failure(
      new MngrFargateError('failed', `cannot start: ${'é'.repeat(3000)}`, { hint: 'ask again' }),
    );

    expect(message).toMatch(/^cannot start: é+ \[…\] é+; ask again$/);
  });
});

describe('the cluster in a physical id', () => {
  it.each([
    ['arn:aws:ecs:eu-central-1:123456789012:task/mngr/0123456789abcdef0123456789abcdef', 'mngr'],
    ['arn:aws-cn:ecs:cn-north-1:123456789012:task/team-a_mngr/0123456789abcdef', 'team-a_mngr'],
    ['AWSCDK::CustomResourceProviderFramework::CREATE_FAILED', undefined],
    ['arn:aws:ecs:eu-central-1:123456789012:service/mngr/web', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('of %s is %s', (physicalId, cluster) => {
    expect(clusterOf(physicalId)).toBe(cluster);
  });
});
