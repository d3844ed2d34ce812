import { parse } from 'smol-toml';
import type { ProviderConfig } from '../../lib/contract/provider-config';
import { PROVIDER_KEYS, providerConfigSchema } from '../../lib/contract/provider-config';
import { renderProviderBlock } from '../../lib/stacks/provider-block';
import { resolvedOutputs } from '../support/assertions/resolved-outputs';
import { STACK_VARIANTS } from '../support/cdk/stack-variants';
import { templateFor } from '../support/cdk/synthesized-app';

/** The keys of mngr's first Fargate plugin: whoever used it finds every one. */
const FIRST_PLUGINS_KEYS = [
  'aws_region',
  'ecs_cluster',
  'task_definition',
  'subnets',
  'security_groups',
  'assign_public_ip',
  'container_name',
  'cpu',
  'memory',
  'aws_profile',
  'aws_role_arn',
  'default_idle_timeout',
];

const configIn = (block: string): ProviderConfig => {
  const { providers } = parse(block) as { providers: { fargate: unknown } };
  return providerConfigSchema.parse(providers.fargate);
};

describe('the provider block', () => {
  it.each(Object.keys(STACK_VARIANTS))('of the variant "%s" is TOML that the launcher accepts', (name) => {
    const outputs = resolvedOutputs(templateFor(STACK_VARIANTS[name] as Record<string, string>));
    const config = configIn(outputs.ProviderBlock as string);

    expect(config).toMatchObject({
      backend: 'fargate',
      aws_region: outputs.AwsRegion,
      ecs_cluster: outputs.EcsCluster,
      task_definition: outputs.TaskDefinition,
      subnets: outputs.Subnets?.split(','),
      security_groups: outputs.SecurityGroups?.split(','),
      assign_public_ip: outputs.AssignPublicIp === 'true',
      container_name: outputs.ContainerName,
      cpu: Number(outputs.Cpu),
      memory: Number(outputs.Memory),
      aws_role_arn: outputs.OperatorRoleArn,
      default_idle_timeout: Number(outputs.DefaultIdleTimeout),
    });
    expect(config.default_max_age).toBe(
      outputs.DefaultMaxAge === undefined ? undefined : Number(outputs.DefaultMaxAge),
    );
  });

  it('shows every key of the first plugin, and the profile as a comment if none was named', () => {
    const block = resolvedOutputs(templateFor({})).ProviderBlock as string;

    for (const key of FIRST_PLUGINS_KEYS) expect(block).toMatch(new RegExp(`^(# )?${key} = `, 'm'));
    expect(block).toContain('# aws_profile = ');
    expect(parse(block)).not.toHaveProperty('providers.fargate.aws_profile');
  });

  it('has no key that the first plugin would refuse', () => {
    const { providers } = parse(resolvedOutputs(templateFor({})).ProviderBlock as string) as {
      providers: { fargate: Record<string, unknown> };
    };

    expect(Object.keys(providers.fargate).filter((key) => !['backend', ...FIRST_PLUGINS_KEYS].includes(key))).toEqual(
      [],
    );
  });

  it('names the profile that the deployer gave', () => {
    const block = resolvedOutputs(templateFor({ awsProfile: 'team "a"' })).ProviderBlock as string;

    expect(configIn(block).aws_profile).toBe('team "a"');
  });

  it('writes whatever a configuration holds so that it is read back the same', () => {
    const config = providerConfigSchema.parse({
      subnets: ['subnet-1', 'subnet-2'],
      security_groups: [],
      assign_public_ip: false,
      aws_profile: 'back\\slash "quote" ümlaut',
      aws_role_arn: 'arn:aws:iam::123456789012:role/operator',
      default_max_age: 86_400,
      architecture: 'ARM64',
      log_group: '/mngr/fargate',
      transport: 'ssm',
      proxy_jump: 'ada@gate.example.com:2222,[2001:db8::1]',
    });

    expect(configIn(renderProviderBlock(config))).toEqual(config);
    expect(Object.keys(config).sort()).toEqual([...PROVIDER_KEYS].sort());
  });
});
