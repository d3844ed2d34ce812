import { PROVIDER_KEYS, environmentVariableOf, providerConfigSchema } from '../../lib/contract/provider-config';

describe('the provider block', () => {
  test('has the defaults of the table that mngr users know', () => {
    expect(providerConfigSchema.parse({})).toEqual({
      backend: 'fargate',
      aws_region: 'us-east-1',
      ecs_cluster: 'mngr',
      task_definition: 'mngr-task',
      subnets: [],
      security_groups: [],
      assign_public_ip: true,
      container_name: 'agent',
      cpu: 1024,
      memory: 4096,
      default_idle_timeout: 3600,
    });
  });

  test.each([
    [{ foo: 1 }, 'Unrecognized key: "foo"'],
    [{ cpu: 1024, memory: 512 }, 'memory 512 MiB does not go with cpu 1024'],
    [{ aws_role_arn: 'admin' }, 'must be the ARN of an IAM role'],
    [{ subnets: 'subnet-1' }, 'expected array'],
    [{ default_idle_timeout: -1 }, '>=0'],
  ])('%j is refused', (block, message) => {
    const result = providerConfigSchema.safeParse(block);
    expect(result.error?.issues.map((issue) => issue.message).join()).toContain(message);
  });

  test('every key has its own environment variable', () => {
    expect(environmentVariableOf('subnets')).toBe('MNGR_FARGATE_SUBNETS');
    expect(new Set(PROVIDER_KEYS.map(environmentVariableOf)).size).toBe(PROVIDER_KEYS.length);
  });
});
