import { isMngrFargateError } from '../../lib/contract/errors';
import type { HostProbeAnswer, HostProbeRequest } from '../../lib/contract/host-probe';
import { openSshKey } from '../../lib/ssh/known-hosts';
import { scanHostKey } from '../../lib/ssh/host-key-scan';

/** Long enough for a distant host with a busy sshd; the caller asks again. */
const TIMEOUT_MS = 5_000;

/** Checks once whether a host's sshd answers and proves its key. */
export async function handler({ host, port, nonce }: HostProbeRequest): Promise<HostProbeAnswer> {
  try {
    const key = await scanHostKey({ host, port, nonce, timeoutMs: TIMEOUT_MS });
    return { outcome: 'proved', hostKey: openSshKey(key) };
  } catch (error) {
    if (!isMngrFargateError(error)) throw error;
    return { outcome: error.code === 'unverified-host-key' ? 'stranger' : 'silent', problem: error.message };
  }
}
