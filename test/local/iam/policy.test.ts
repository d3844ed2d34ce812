import * as fc from 'fast-check';
import { arnMatches, evaluate, wildcardMatches } from '../../../lib/local/iam/policy';
import type { AccessRequest, PolicyStatement } from '../../../lib/local/iam/policy';

const TASK = 'arn:aws:ecs:us-east-1:000000000000:task/mngr/0123';
const CLUSTER = 'arn:aws:ecs:us-east-1:000000000000:cluster/mngr';

const request = (change: Partial<AccessRequest> = {}): AccessRequest => ({
  action: 'ecs:StopTask',
  resource: TASK,
  context: {},
  ...change,
});

const allow = (change: Partial<PolicyStatement> = {}): PolicyStatement => ({
  Effect: 'Allow',
  Action: 'ecs:StopTask',
  Resource: '*',
  ...change,
});

const decide = (statements: PolicyStatement[], asked = request()): string =>
  evaluate([{ Statement: statements }], asked);

describe('policies', () => {
  it('deny what nothing allows, and what anything denies', () => {
    expect(decide([])).toBe('implicit-deny');
    expect(decide([allow()])).toBe('allow');
    const denial = allow({ Effect: 'Deny' });
    expect(decide([allow(), denial])).toBe('explicit-deny');
    expect(decide([denial, allow()])).toBe('explicit-deny');
  });

  it('an explicit deny wins in any order and any company', () => {
    const statement = fc.record({
      Effect: fc.constantFrom('Allow' as const, 'Deny' as const),
      Action: fc.constantFrom('ecs:*', 'ecs:StopTask', 'ecs:RunTask', '*'),
      Resource: fc.constantFrom('*', TASK, CLUSTER),
    });
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 8 }), (statements) => {
        const applies = ({ Action, Resource }: { Action: string; Resource: string }): boolean =>
          Action !== 'ecs:RunTask' && Resource !== CLUSTER;
        const effects = statements.filter(applies).map(({ Effect }) => Effect);
        const expected = effects.includes('Deny') ? 'explicit-deny' : effects.length > 0 ? 'allow' : 'implicit-deny';
        expect(decide(statements)).toBe(expected);
      }),
    );
  });

  it.each([
    ['actions in any letter case', allow({ Action: 'ECS:stopTASK' }), 'allow'],
    ['wildcards in actions', allow({ Action: ['ecs:Stop*'] }), 'allow'],
    ['another action', allow({ Action: 'ecs:Stop' }), 'implicit-deny'],
    ['all but an action', { ...allow({ NotAction: 'ecs:RunTask' }), Action: undefined }, 'allow'],
    ['all but this action', { ...allow({ NotAction: 'ecs:Stop*' }), Action: undefined }, 'implicit-deny'],
    ['a resource pattern', allow({ Resource: 'arn:aws:ecs:*:*:task/mngr/*' }), 'allow'],
    ['a resource of another cluster', allow({ Resource: 'arn:aws:ecs:*:*:task/other/*' }), 'implicit-deny'],
    ['all but a resource', { ...allow({ NotResource: TASK }), Resource: undefined }, 'implicit-deny'],
  ])('know %s', (_, statement, decision) => {
    expect(decide([statement as PolicyStatement])).toBe(decision);
  });

  const cluster = { 'ecs:cluster': CLUSTER };
  const keys = { 'aws:TagKeys': ['a', 'b'] };
  it.each([
    [{ ArnEquals: { 'ecs:cluster': CLUSTER } }, cluster, true],
    [{ ArnLike: { 'ecs:cluster': 'arn:aws:ecs:*:*:cluster/m*' } }, cluster, true],
    [{ ArnEquals: { 'ecs:cluster': CLUSTER } }, {}, false],
    [{ ArnNotEquals: { 'ecs:cluster': CLUSTER } }, cluster, false],
    [{ StringEquals: { 'ECS:Cluster': CLUSTER } }, cluster, true],
    [{ StringEquals: { 'aws:RequestTag/a': ['x', 'y'] } }, { 'aws:RequestTag/a': 'y' }, true],
    [{ StringEquals: { 'aws:RequestTag/a': 'x' } }, { 'aws:RequestTag/a': 'X' }, false],
    [{ StringLike: { 'aws:RequestTag/a': 'mngr-*' } }, { 'aws:RequestTag/a': 'mngr-1' }, true],
    [{ StringNotEquals: { 'ecs:CreateAction': 'RunTask' } }, {}, true],
    [{ StringEqualsIfExists: { 'ecs:CreateAction': 'RunTask' } }, {}, true],
    [{ StringEqualsIfExists: { 'ecs:CreateAction': 'RunTask' } }, { 'ecs:CreateAction': 'Other' }, false],
    [{ 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a', 'b', 'c'] } }, keys, true],
    [{ 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a'] } }, keys, false],
    [{ 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a'] } }, {}, true],
    [{ 'ForAnyValue:StringEquals': { 'aws:TagKeys': ['b'] } }, keys, true],
    [{ 'ForAnyValue:StringEquals': { 'aws:TagKeys': ['b'] } }, {}, false],
    [{ Null: { 'ecs:CreateAction': 'true' } }, {}, true],
    [{ Null: { 'ecs:CreateAction': 'false' } }, {}, false],
    [{ Bool: { 'ecs:enable-execute-command': true } }, { 'ecs:enable-execute-command': 'true' }, true],
    [{ NumericLessThan: { 'ecs:task-cpu': 2048 } }, { 'ecs:task-cpu': '1024' }, true],
    [
      { StringEquals: { 'aws:ResourceTag/owner': '${aws:PrincipalAccount}' } },
      { 'aws:ResourceTag/owner': '1', 'aws:PrincipalAccount': '1' },
      true,
    ],
    [{ StringEquals: { 'aws:ResourceTag/owner': '${aws:username}' } }, { 'aws:ResourceTag/owner': '' }, false],
  ])('condition %j of %j: %s', (Condition, context, holds) => {
    const decision = decide([allow({ Condition: Condition as PolicyStatement['Condition'] })], request({ context }));
    expect(decision).toBe(holds ? 'allow' : 'implicit-deny');
  });

  it('refuse to judge by an operator that they do not know', () => {
    expect(() =>
      decide([allow({ Condition: { StringAlmost: { a: 'b' } } })], request({ context: { a: 'b' } })),
    ).toThrow(/StringAlmost is not supported/);
  });
});

describe('wildcards', () => {
  it('match themselves, whatever characters they have', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const literal = text.replace(/[*?$]/g, (character) => `\${${character}}`);
        expect(wildcardMatches(literal, text)).toBe(true);
        expect(wildcardMatches('*', text)).toBe(true);
        expect(wildcardMatches(`${literal}?`, text)).toBe(false);
        expect(wildcardMatches(`*${literal}*`, `before ${text} after`)).toBe(true);
      }),
    );
  });

  it('do not cross the parts of an ARN', () => {
    expect(arnMatches('arn:aws:ecs:us-east-1:*', TASK)).toBe(false);
    expect(arnMatches('arn:aws:ecs:*:*:task/*', TASK)).toBe(true);
    expect(arnMatches('arn:aws:ecs:*:task/*', TASK)).toBe(false);
  });
});

describe('wildcards', () => {
  it.each([
    ['a*c', 'abbbc', true],
    ['a*c', 'abbbd', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*', '', true],
    ['**b*', 'ab', true],
    ['${*}', '*', true],
    ['${*}', 'a', false],
    ['a.c', 'abc', false],
    ['a\nb*', 'a\nbc', true],
  ])('%j for %j: %s', (pattern, text, expected) => {
    expect(wildcardMatches(pattern, text)).toBe(expected);
  });

  it('find what a regular expression of the same meaning finds', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 10 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 12 });
    fc.assert(
      fc.property(pattern, text, (wanted, actual) => {
        const expression = wanted.replaceAll('*', '.*').replaceAll('?', '.');
        expect(wildcardMatches(wanted, actual)).toBe(new RegExp(`^${expression}$`).test(actual));
      }),
    );
  });

  it('take no longer the more of them there are', () => {
    // A regular expression would try more ways than there are seconds in a life.
    expect(wildcardMatches('*a'.repeat(60), `${'a'.repeat(5000)}b`)).toBe(false);
  });
});
