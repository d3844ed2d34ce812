import { IAMClient, paginateSimulatePrincipalPolicy, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import type { EvaluationResult, SimulatePrincipalPolicyCommandInput } from '@aws-sdk/client-iam';
import { startLocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { FakeRuntime } from '../../../support/endpoint/fake-runtime';

const CLUSTER = 'arn:aws:ecs:us-east-1:000000000000:cluster/mngr';
const DEFINITION = 'arn:aws:ecs:us-east-1:000000000000:task-definition/mngr-task:1';
const TASK = 'arn:aws:ecs:us-east-1:000000000000:task/mngr/0123456789abcdef0123456789abcdef';

describe("a simulation of a role's policies", () => {
  let local: LocalEndpoint<FakeRuntime>;
  let iam: IAMClient;

  beforeAll(async () => {
    local = await startLocalEndpoint();
    iam = new IAMClient(local.client);
  });

  afterAll(async () => {
    iam.destroy();
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  const request = (change: Partial<SimulatePrincipalPolicyCommandInput>): SimulatePrincipalPolicyCommandInput => ({
    PolicySourceArn: local.outputs.OperatorRoleArn,
    ActionNames: ['ecs:RunTask'],
    ResourceArns: [DEFINITION],
    ...change,
  });

  const simulate = async (change: Partial<SimulatePrincipalPolicyCommandInput>): Promise<EvaluationResult[]> =>
    (await iam.send(new SimulatePrincipalPolicyCommand(request(change)))).EvaluationResults ?? [];

  const onCluster = (value: string): SimulatePrincipalPolicyCommandInput['ContextEntries'] => [
    { ContextKeyName: 'ecs:cluster', ContextKeyType: 'string', ContextKeyValues: [value] },
  ];

  it('allows what the template allows, on the condition that it names', async () => {
    expect(await simulate({ ContextEntries: onCluster(CLUSTER) })).toMatchObject([
      {
        EvalActionName: 'ecs:RunTask',
        EvalResourceName: DEFINITION,
        EvalDecision: 'allowed',
        MatchedStatements: [{ SourcePolicyType: 'IAM Policy' }],
        MissingContextValues: [],
      },
    ]);
    expect(await simulate({ ContextEntries: onCluster(`${CLUSTER}-2`) })).toMatchObject([
      { EvalDecision: 'implicitDeny' },
    ]);
    expect(await simulate({})).toMatchObject([{ EvalDecision: 'implicitDeny', MissingContextValues: ['ecs:cluster'] }]);
  });

  it('answers for every action on every resource, in pages', async () => {
    const input = request({ ActionNames: ['ecs:StopTask', 'ecs:DeleteCluster'], ResourceArns: [TASK, CLUSTER] });
    const results: EvaluationResult[] = [];
    for await (const { EvaluationResults } of paginateSimulatePrincipalPolicy({ client: iam, pageSize: 3 }, input)) {
      results.push(...(EvaluationResults ?? []));
    }
    expect(results.map(({ EvalDecision }) => EvalDecision)).toEqual([
      'allowed',
      'implicitDeny',
      'implicitDeny',
      'implicitDeny',
    ]);
  });

  it('takes policies and boundaries that the call brings', async () => {
    const policy = (Effect: string): string[] => [
      JSON.stringify({ Statement: { Effect, Action: 'ssmmessages:*', Resource: '*' } }),
    ];
    const change = { ActionNames: ['ssmmessages:OpenDataChannel'], ResourceArns: undefined };
    expect(await simulate(change)).toMatchObject([{ EvalDecision: 'implicitDeny', EvalResourceName: '*' }]);
    expect(await simulate({ ...change, PolicyInputList: policy('Allow') })).toMatchObject([
      { EvalDecision: 'allowed' },
    ]);
    expect(await simulate({ ...change, PolicyInputList: [...policy('Allow'), ...policy('Deny')] })).toMatchObject([
      { EvalDecision: 'explicitDeny' },
    ]);
    const boundary = [JSON.stringify({ Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' } })];
    expect(
      await simulate({
        ...change,
        PolicyInputList: policy('Allow'),
        PermissionsBoundaryPolicyInputList: boundary,
      }),
    ).toMatchObject([
      { EvalDecision: 'implicitDeny', PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: false } },
    ]);
  });

  it.each<[string, string, Partial<SimulatePrincipalPolicyCommandInput>]>([
    ['a role that is not there', 'NoSuchEntityException', { PolicySourceArn: 'arn:aws:iam::000000000000:role/none' }],
    [
      'a session instead of its role',
      'InvalidInputException',
      { PolicySourceArn: 'arn:aws:sts::000000000000:assumed-role/OperatorRole/me' },
    ],
    ['a wildcard for an action', 'InvalidInputException', { ActionNames: ['ecs:*'] }],
    ['a policy that is no JSON', 'InvalidInputException', { PolicyInputList: ['{'] }],
  ])('is refused for %s', async (_, name, change) => {
    await expect(simulate(change)).rejects.toMatchObject({ name });
  });
});
