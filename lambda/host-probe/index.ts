import { isMngrFargateError } from '../../lib/contract/errors';
import type { HostProbeAnswer, HostProbeRequest } from '../../lib/contract/host-probe';
import { openSshKey } from '../../lib/ssh/known-hosts';
import { scanHostKey } from '../../lib/ssh/host-key-scan';

/** Long enough for a host far away and a busy sshd; whoever asks does so again. Milliseconds. */
const TIMEOUT_MS = 5_000;

/** Looks once whether sshd of a host answers and proves its key. */
export async function handler({ host, port, nonce }: HostProbeRequest): Promise<HostProbeAnswer> {
  try {
    const key = await scanHostKey({ host, port, nonce, timeoutMs: TIMEOUT_MS });
    return { outcome: 'proved', hostKey: openSshKey(key) };
  } catch (error) {
    if (!isMngrFargateError(error)) throw error;
    return { outcome: error.code === 'unverified-host-key' ? 'stranger' : 'silent', problem: error.message };
  }
}
