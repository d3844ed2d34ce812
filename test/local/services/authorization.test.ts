import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { SERVICES } from '../../../lib/local/services';
import { callerOf, OPERATION_CALLS } from '../../support/endpoint/operation-calls';
import { existingOf } from '../../support/endpoint/existing-resources';
import { startLocalEndpoint } from '../../support/endpoint/local-endpoint';
import type { ClientSettings, LocalEndpoint } from '../../support/endpoint/local-endpoint';
import type { FakeRuntime } from '../../support/endpoint/fake-runtime';
import type { Answer, Existing } from '../../support/endpoint/operation-calls';

/** STS API, GetCallerIdentity: "No permissions are required to perform this operation." */
const OPEN_TO_ALL = 'sts:GetCallerIdentity';

const operations = Object.entries(OPERATION_CALLS).flatMap(([service, { inputs }]) =>
  Object.keys(inputs({} as Existing)).map((operation) => `${service}:${operation}`),
);

describe('a caller whose policies allow nothing', () => {
  let local: LocalEndpoint<FakeRuntime>;
  let existing: Existing;
  let restricted: ClientSettings;

  /** Names of the same form that nothing has: everything, and all but the cluster. */
  const absent = (): readonly Existing[] => {
    const elsewhere = {
      taskDefinition: 'nothing',
      subnet: 'subnet-00000000000000000',
      logGroup: '/no/such/log-of-nobody',
      stackName: 'no-such-stack',
      roleArn: existing.roleArn.replace(/[^/]+$/, 'no-such-role'),
    };
    const clusters = [existing.cluster, 'no-such-cluster'];
    return clusters.map((cluster) => {
      const taskArn = existing.taskArn.replace(/[^/]+\/[^/]+$/, `${cluster}/${'0'.repeat(32)}`);
      return { ...elsewhere, cluster, taskArn };
    });
  };

  beforeAll(async () => {
    local = await startLocalEndpoint();
    existing = await existingOf(local);
    const sts = new STSClient(local.client);
    const { Credentials: keys } = await sts.send(
      new AssumeRoleCommand({ RoleArn: existing.roleArn, RoleSessionName: 'restricted', Policy: '{"Statement":[]}' }),
    );
    restricted = {
      ...local.client,
      credentials: {
        accessKeyId: keys?.AccessKeyId ?? '',
        secretAccessKey: keys?.SecretAccessKey ?? '',
        sessionToken: keys?.SessionToken,
      },
    };
  });

  afterAll(async () => {
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  it('can be tried with every operation that is served', () => {
    const served = SERVICES.flatMap((serviceOf) => {
      const { signingName, handlers } = serviceOf(local.world);
      return Object.keys(handlers).map((operation) => `${signingName}:${operation}`);
    });
    expect([...operations].sort()).toEqual(served.sort());
  });

  const answer = async (name: string, resources: Existing) => {
    const [service = '', operation = ''] = name.split(':');
    const caller = callerOf(service, restricted);
    try {
      return await caller.call(operation, OPERATION_CALLS[service]?.inputs(resources)[operation] ?? {});
    } finally {
      caller.close();
    }
  };

  it.each(operations.filter((name) => name !== OPEN_TO_ALL))('is refused %s', async (name) => {
    expect((await answer(name, existing)).code).toMatch(/^(AccessDenied|AccessDeniedException|UnauthorizedOperation)$/);
  });

  it.each(operations.filter((name) => name !== OPEN_TO_ALL))(
    'learns nothing from %s of what there is',
    async (name) => {
      const there = masked(await answer(name, existing), existing);
      for (const names of absent()) expect(masked(await answer(name, names), names)).toEqual(there);
    },
  );

  /** The answer without the names that the caller gave, and without the caller's own. */
  const masked = ({ code, message }: Answer, names: Existing): Answer => {
    const parts = Object.values(names)
      .flatMap((value) => [value, value.split('/').at(-1) ?? ''])
      .sort((a, b) => b.length - a.length);
    const [, sentence = message] = message.split(' is not authorized ');
    return { code, message: parts.reduce((text, part) => text.replaceAll(part, '…'), sentence) };
  };

  it('may still ask who it is', async () => {
    expect(await answer(OPEN_TO_ALL, existing)).toMatchObject({ code: undefined });
  });
});
