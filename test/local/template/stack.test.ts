import * as fc from 'fast-check';
import { TemplateError } from '../../../lib/local/template/intrinsics';
import { fnCidr, parseCidr } from '../../../lib/local/template/cidr';
import { instantiate } from '../../../lib/local/template/stack';
import type { Stack, StackOptions, Template } from '../../../lib/local/template/stack';

const place = { region: 'eu-west-1', accountId: '111122223333', stackName: 'stack' };

const deploy = (template: Partial<Template>, options: Partial<StackOptions> = {}): Stack =>
  instantiate({ Resources: {}, ...template }, { place, ...options });

/** The value of an output in a template with a few of everything to refer to. */
const resolved = (value: unknown, options: Partial<StackOptions> = {}): string | undefined =>
  deploy(
    {
      Parameters: {
        Name: { Type: 'String', Default: 'given' },
        List: { Type: 'CommaDelimitedList', Default: 'a,b,c' },
        Version: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cdk-bootstrap/hnb659fds/version' },
      },
      Mappings: { Sizes: { small: { cpu: '256' } } },
      Conditions: {
        Yes: { 'Fn::Equals': [{ Ref: 'Name' }, 'given'] },
        No: { 'Fn::Not': [{ Condition: 'Yes' }] },
        Both: { 'Fn::And': [{ Condition: 'Yes' }, { Condition: 'No' }] },
        Either: { 'Fn::Or': [{ Condition: 'Yes' }, { Condition: 'No' }] },
      },
      Resources: {
        Cluster: { Type: 'AWS::ECS::Cluster', Properties: { ClusterName: { 'Fn::Sub': '${Name}-cluster' } } },
        Role: { Type: 'AWS::IAM::Role', Properties: { Path: '/agents/' } },
        Absent: { Type: 'AWS::SNS::Topic', Condition: 'No' },
      },
      Outputs: { Value: { Value: value } },
    },
    options,
  ).outputs[0]?.value;

describe('a template', () => {
  it.each<[unknown, string]>([
    [{ Ref: 'Name' }, 'given'],
    [{ Ref: 'Version' }, '30'],
    [{ Ref: 'AWS::Region' }, 'eu-west-1'],
    [{ 'Fn::GetAtt': ['Cluster', 'Arn'] }, 'arn:aws:ecs:eu-west-1:111122223333:cluster/given-cluster'],
    [{ 'Fn::GetAtt': 'Cluster.Arn' }, 'arn:aws:ecs:eu-west-1:111122223333:cluster/given-cluster'],
    [
      { 'Fn::Sub': '${Cluster}/${Cluster.Arn}/${!Literal}' },
      'given-cluster/arn:aws:ecs:eu-west-1:111122223333:cluster/given-cluster/${Literal}',
    ],
    [{ 'Fn::Sub': ['${A}-${Name}', { A: { Ref: 'Cluster' } }] }, 'given-cluster-given'],
    [{ 'Fn::Join': ['+', ['a', { Ref: 'Name' }, { Ref: 'AWS::NoValue' }]] }, 'a+given'],
    [{ 'Fn::Join': ['+', { Ref: 'List' }] }, 'a+b+c'],
    [{ 'Fn::Select': ['1', { 'Fn::Split': ['-', 'x-y-z'] }] }, 'y'],
    [{ 'Fn::Select': [0, { 'Fn::GetAZs': '' }] }, 'eu-west-1a'],
    [{ 'Fn::Select': [1, { 'Fn::Cidr': ['10.1.0.0/16', 4, 8] }] }, '10.1.1.0/24'],
    [{ 'Fn::FindInMap': ['Sizes', 'small', 'cpu'] }, '256'],
    [{ 'Fn::If': ['Yes', 'yes', 'no'] }, 'yes'],
    [{ 'Fn::If': ['Both', 'yes', 'no'] }, 'no'],
    [{ 'Fn::If': ['Either', 'yes', 'no'] }, 'yes'],
    [{ 'Fn::Base64': 'text' }, 'dGV4dA=='],
    [{ 'Fn::ImportValue': { 'Fn::Sub': '${Name}-vpc' } }, 'vpc-1'],
  ])('resolves %j to %j', (value, expected) => {
    expect(resolved(value, { exports: { 'given-vpc': 'vpc-1' } })).toBe(expected);
  });

  it.each<[unknown, RegExp]>([
    [{ Ref: 'Nothing' }, /Ref to "Nothing"/],
    [{ 'Fn::GetAtt': ['Nothing', 'Arn'] }, /no resource Nothing/],
    [{ 'Fn::Select': [5, ['a']] }, /item 5 of a list of 1/],
    [{ 'Fn::FindInMap': ['Sizes', 'large', 'cpu'] }, /Sizes\.large\.cpu/],
    [{ 'Fn::ImportValue': 'nobody' }, /no stack exports nobody/],
    [{ 'Fn::Transform': {} }, /Fn::Transform is not supported/],
  ])('with %j is refused', (value, message) => {
    expect(() => resolved(value)).toThrow(TemplateError);
    expect(() => resolved(value)).toThrow(message);
  });

  it('has the same ids each time, and others in another stack', () => {
    const role = {
      Outputs: { R: { Value: { 'Fn::GetAtt': ['Role', 'Arn'] } } },
      Resources: { Role: { Type: 'AWS::IAM::Role' } },
    };
    const [first, again, other] = [
      deploy(role),
      deploy(role),
      deploy(role, { place: { ...place, stackName: 'other' } }),
    ].map(({ outputs }) => outputs[0]?.value);
    expect(first).toMatch(/^arn:aws:iam::111122223333:role\/stack-Role-[0-9A-F]{12}$/);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it('leaves out what its conditions leave out', () => {
    const stack = deploy({
      Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } },
      Resources: { Here: { Type: 'AWS::SNS::Topic' }, Gone: { Type: 'AWS::SNS::Topic', Condition: 'Never' } },
      Outputs: { Gone: { Value: 'x', Condition: 'Never' } },
    });
    expect([...stack.resources.keys()]).toEqual(['Here']);
    expect(stack.outputs).toEqual([]);
  });

  it('gives names back as they were, however they are joined and split', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[^|]*$/), { minLength: 1 }), (parts) => {
        const split = { 'Fn::Split': ['|', { 'Fn::Join': ['|', parts] }] };
        expect(resolved({ 'Fn::Join': ['|', split] })).toBe(parts.join('|'));
      }),
    );
  });

  it('cuts a network into blocks that do not overlap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 16, max: 24 }), fc.integer({ min: 1, max: 16 }), (prefix, count) => {
        const blocks = fnCidr(`10.9.0.0/${prefix}`, count, 4).map(parseCidr);
        const whole = parseCidr(`10.9.0.0/${prefix}`);
        blocks.forEach(({ first, size }, index) => {
          expect(size).toBe(16);
          expect(first).toBe(whole.first + index * size);
          expect(first + size).toBeLessThanOrEqual(whole.first + whole.size);
        });
      }),
    );
  });
});
