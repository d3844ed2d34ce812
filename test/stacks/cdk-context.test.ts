import { Template } from 'aws-cdk-lib/assertions';
import { createApp } from '../../lib/stacks/app';
import { meantCdkContext } from '../../lib/stacks/cdk-context';

const BOUNDARY = '@aws-cdk/core:permissionsBoundary';
const given = (context: Record<string, string>) =>
  createApp({ context: { image: 'registry.example.com/team/agent:1', ...context }, treeMetadata: false });

describe('context of the CDK’s own, given with -c', () => {
  it('puts every role under a permissions boundary', () => {
    const { stack } = given({ [BOUNDARY]: '{"name":"team-boundary"}' });
    const roles = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Role'));
    expect(roles.length).toBeGreaterThan(3);
    for (const { Properties } of roles as { Properties: object }[]) {
      expect(JSON.stringify(Properties)).toMatch(/"PermissionsBoundary":.*policy\/team-boundary/);
    }
  });

  it('can turn a feature flag off', () => {
    const flag = '@aws-cdk/core:enablePartitionLiterals';
    expect(given({ [flag]: 'false' }).app.node.tryGetContext(flag)).toBe(false);
    expect(given({ [flag]: 'true' }).app.node.tryGetContext(flag)).toBe(true);
  });

  it.each([
    ['team-boundary', /does not name a policy: give JSON with its name or ARN/],
    ['{"policy":"team-boundary"}', /does not name a policy/],
    ['{name:"team-boundary"}', /is not JSON/],
  ])('is refused where the CDK would ignore it: %s', (text, problem) => {
    expect(() => given({ [BOUNDARY]: text })).toThrow(problem);
  });

  it('is left alone where it is what the CDK reads', () => {
    expect(meantCdkContext({ [BOUNDARY]: { name: 'team-boundary' }, spot: 'false', 'aws:cdk:x': 'text' })).toEqual({
      'aws:cdk:x': 'text',
    });
  });
});
