import { isMngrFargateError } from '../../contract/errors';
import type { EcsTasks } from '../ecs-tasks';
import type { Target } from '../resolve';
import { AUDIT_CHECKS } from './checks/audit-checks';
import { ENVIRONMENT_CHECKS } from './checks/environment-checks';
import { NETWORK_CHECKS } from './checks/network-checks';
import { PERMISSION_CHECKS } from './checks/permission-checks';
import { TASK_CHECKS } from './checks/task-checks';
import { DoctorFacts } from './facts';
import type { Check, Diagnosis, Finding, Severity, Unchecked } from './finding';

/** Every check, by what it looks at. */
export const CHECKS: readonly Check[] = [
  ...TASK_CHECKS,
  ...PERMISSION_CHECKS,
  ...NETWORK_CHECKS,
  ...ENVIRONMENT_CHECKS,
  ...AUDIT_CHECKS,
];

const RANK: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

/**
 * Why ECS Exec may not work in a container: errors first. A check that may not read what it needs is listed in `unchecked`;
 * only `aborted` is thrown.
 */
export async function diagnose(tasks: EcsTasks, target: Target, signal?: AbortSignal): Promise<Diagnosis> {
  const facts = new DoctorFacts(tasks, target, signal);
  const results = await Promise.all(CHECKS.map((check) => resultOf(check, facts)));
  const findings = results.flatMap((result) => ('findings' in result ? result.findings : []));
  return {
    findings: findings.sort((one, other) => RANK[one.severity] - RANK[other.severity]),
    unchecked: results.flatMap((result) => ('reason' in result ? [result] : [])),
  };
}

async function resultOf(check: Check, facts: DoctorFacts): Promise<{ findings: readonly Finding[] } | Unchecked> {
  try {
    return { findings: await check.run(facts) };
  } catch (error) {
    if (!isMngrFargateError(error) || error.code === 'aborted') throw error;
    return { id: check.id, reason: error.message };
  }
}

export const hasErrors = ({ findings }: Diagnosis): boolean => findings.some(({ severity }) => severity === 'error');
