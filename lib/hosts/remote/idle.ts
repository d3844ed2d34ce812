import type { HostChannel } from '../../contract/channel';
import { run } from '../../ssh';

/** Compares the newest of the files that mngr's idle rule looks at with the host's own clock. */
const SCRIPT = `directory=\${MNGR_HOST_DIR:-/mngr}
newest=$(stat -c %Y "$directory"/activity/* "$directory"/agents/*/activity/* 2>/dev/null | sort -n | tail -n 1)
[ -n "$newest" ] && echo $(($(date +%s) - newest))`;

/** Seconds since the last activity; null if the host has recorded none. */
export async function idleSecondsOf(channel: HostChannel, signal?: AbortSignal): Promise<number | null> {
  const { stdout } = await run(channel, SCRIPT, { signal });
  const seconds = Number.parseInt(stdout, 10);
  return Number.isNaN(seconds) ? null : Math.max(0, seconds);
}
