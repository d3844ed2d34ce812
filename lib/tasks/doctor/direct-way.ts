import { connect } from 'node:net';
import type { Diagnosis, Finding } from './finding';

/** Longer than a packet that is lost once needs; a security group answers nothing at all. Milliseconds. */
const PATIENCE_MS = 5_000;

/** Where a host's sshd listens. */
export interface SshAddress {
  readonly host: string;
  readonly port: number;
}

/** A diagnosis of a host, which may be reached at an address of its own as well as through ECS Exec: one of them is enough. */
export async function withDirectWay(
  diagnosis: Diagnosis,
  address: SshAddress | null,
  signal?: AbortSignal,
): Promise<Diagnosis> {
  const problem = address === null ? 'it has no address' : await reachProblem(address, signal);
  const isError = diagnosis.findings.some(({ severity }) => severity === 'error');
  if (problem === undefined) {
    const findings = diagnosis.findings.map((finding): Finding =>
      finding.severity === 'error' && finding.id !== 'task-state' ? { ...finding, severity: 'warning' } : finding,
    );
    return { ...diagnosis, findings };
  }
  const finding: Finding = {
    id: 'ssh-unreachable',
    severity: isError ? 'error' : 'info',
    message: `the host's sshd can't be reached from this machine: ${problem}`,
    evidence: { address, problem },
    fix: 'open the port to this machine: npx cdk deploy -c sshCidr=ADDRESS/32',
  };
  return { ...diagnosis, findings: isError ? [finding, ...diagnosis.findings] : [...diagnosis.findings, finding] };
}

/** Why a TCP connection fails; undefined when it succeeds. */
function reachProblem({ host, port }: SshAddress, signal?: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PATIENCE_MS, signal });
    const settle = (problem: string | undefined): void => {
      socket.destroy();
      resolve(problem);
    };
    socket
      .once('connect', () => settle(undefined))
      .once('timeout', () => settle(`nothing answers at ${host} port ${port} within ${PATIENCE_MS / 1000} s`))
      .once('error', (error: NodeJS.ErrnoException) => settle(`${host} port ${port}: ${error.code ?? error.message}`));
  });
}
