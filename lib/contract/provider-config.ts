import * as z from 'zod';
import { fargateSizeProblem } from './fargate-sizes';
import { parseProxyJump, PROXY_JUMP_FORM } from './proxy-jump';

/** Prefix of the environment variables that each set one key, for example `MNGR_FARGATE_ECS_CLUSTER`. */
export const PROVIDER_ENVIRONMENT_PREFIX = 'MNGR_FARGATE_';

const seconds = z.int().min(0);

/**
 * One `[providers.NAME]` block: which environment to use and how. The keys and defaults are those of mngr's first
 * Fargate plugin, with `default_max_age`, `architecture`, `log_group`, `transport` and
 * `proxy_jump` added.
 */
export const providerConfigSchema = z
  .strictObject({
    backend: z.literal('fargate').default('fargate'),
    aws_region: z.string().min(1).default('us-east-1'),
    ecs_cluster: z.string().min(1).default('mngr'),
    /** Task definition family, `family:revision` or ARN. */
    task_definition: z.string().min(1).default('mngr-task'),
    subnets: z.array(z.string().min(1)).default([]),
    security_groups: z.array(z.string().min(1)).default([]),
    assign_public_ip: z.boolean().default(true),
    container_name: z.string().min(1).default('agent'),
    /** CPU units. */
    cpu: z.int().default(1024),
    /** MiB. */
    memory: z.int().default(4096),
    aws_profile: z.string().min(1).optional(),
    aws_role_arn: z
      .string()
      .regex(/^arn:[\w-]+:iam::\d{12}:role\/.+$/, 'must be the ARN of an IAM role')
      .optional(),
    /** Seconds without activity until a host stops itself; 0 means never. */
    default_idle_timeout: seconds.default(3600),
    /** Seconds until a host is stopped even if it is in use; absent means never. */
    default_max_age: seconds.min(60).optional(),
    architecture: z.enum(['X86_64', 'ARM64']).optional(),
    /** CloudWatch log group of the tasks. Default: the one in the task definition. */
    log_group: z.string().min(1).optional(),
    /** How SSH gets to a host. Default `auto`: its address where its port is open and answers, else Session Manager. */
    transport: z.enum(['auto', 'direct', 'ssm']).optional(),
    /** Bastions on the way to the hosts' addresses, as OpenSSH's ProxyJump has them; `none` for no bastion. */
    proxy_jump: z
      .string()
      .min(1)
      .refine((text) => parseProxyJump(text) !== undefined, PROXY_JUMP_FORM)
      .optional(),
  })
  .superRefine((config, context) => {
    const problem = fargateSizeProblem(config.cpu, config.memory);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem, path: ['memory'] });
  });

export type ProviderConfig = z.output<typeof providerConfigSchema>;
export type ProviderConfigInput = z.input<typeof providerConfigSchema>;

/** Every key that a provider block may have, in the order in which they are written. */
export const PROVIDER_KEYS = Object.keys(providerConfigSchema.shape) as (keyof ProviderConfig)[];

/** The environment variable that sets a key. */
export const environmentVariableOf = (key: keyof ProviderConfig): string =>
  PROVIDER_ENVIRONMENT_PREFIX + key.toUpperCase();
