import type { DoctorFacts } from '../facts';
import type { Check } from '../finding';

/** Variables that make the agent use other credentials than the task role's. */
const KEYS = ['AWS_ACCESS_KEY', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'];
/** Addresses at which a task gets its credentials and finds out about itself (ECS developer guide). */
const NEVER_BY_PROXY = ['169.254.170.2', '169.254.169.254'];

interface Variable {
  readonly source: string;
  readonly value?: string;
}

/** The variables of the container, with where each comes from. Values are kept for those of the proxy alone. */
async function variables(facts: DoctorFacts): Promise<ReadonlyMap<string, Variable>> {
  const { environment = [], secrets = [] } = await facts.containerDefinition();
  const { overrides } = await facts.task();
  const own = overrides?.containerOverrides?.find(({ name }) => name === facts.target.container);
  return new Map<string, Variable>([
    ...environment.map(({ name = '', value }) => [name, { source: 'the task definition', value }] as const),
    ...secrets.map(({ name = '' }) => [name, { source: 'a secret of the task definition' }] as const),
    ...(own?.environment ?? []).map(({ name = '', value }) => [name, { source: 'an override', value }] as const),
  ]);
}

const accessKeys: Check = {
  id: 'access-keys',
  async run(facts) {
    const found = await variables(facts);
    const present = KEYS.filter((name) => found.has(name));
    if (present.length === 0) return [];
    return [
      {
        id: 'access-keys',
        severity: 'warning',
        message:
          "the container has AWS keys in its environment, which ECS Exec's agent may use instead of the task role",
        evidence: { variables: present.map((name) => ({ name, source: found.get(name)?.source })) },
        fix: 'give the permissions to the task role and leave the variables out',
      },
    ];
  },
};

const proxy: Check = {
  id: 'proxy',
  async run(facts) {
    const found = await variables(facts);
    const present = PROXIES.filter((name) => found.has(name));
    const excluded = found.get('NO_PROXY')?.value ?? found.get('no_proxy')?.value ?? '';
    const lacking = NEVER_BY_PROXY.filter((address) => !excluded.includes(address));
    if (present.length === 0 || lacking.length === 0) return [];
    return [
      {
        id: 'proxy',
        severity: 'error',
        message: `the container uses a proxy for ${lacking.join(' and ')}, where ECS Exec's agent gets its credentials`,
        evidence: { variables: present, noProxy: excluded },
        fix: `set NO_PROXY=${NEVER_BY_PROXY.join(',')} in the task definition`,
      },
    ];
  },
};

const environmentFiles: Check = {
  id: 'environment-files',
  async run(facts) {
    const { environmentFiles: files = [] } = await facts.containerDefinition();
    if (files.length === 0) return [];
    return [
      {
        id: 'environment-files',
        severity: 'info',
        message:
          'the container takes variables from files, which were not looked at: they may hold AWS keys or a proxy',
        evidence: { files: files.map(({ value }) => value) },
        fix: null,
      },
    ];
  },
};

/** What the container's environment does to the agent. */
export const ENVIRONMENT_CHECKS: readonly Check[] = [accessKeys, proxy, environmentFiles];
