import { EPHEMERAL_STORAGE } from '../../contract/fargate-sizes';
/** `3d4h`, `2h05m`, `7m12s`, `42s`: two units at most. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (amount: number): string => String(amount).padStart(2, '0');
  const [days, hours, minutes] = [Math.floor(whole / 86_400), Math.floor(whole / 3600), Math.floor(whole / 60)];
  if (days > 0) return `${days}d${pad(hours % 24)}h`;
  if (hours > 0) return `${hours}h${pad(minutes % 60)}m`;
  if (minutes > 0) return `${minutes}m${pad(whole % 60)}s`;
  return `${whole}s`;
}

/** `12.3s` below a minute, then as formatSeconds. */
export const formatElapsed = (milliseconds: number): string =>
  milliseconds < 60_000 ? `${(milliseconds / 1000).toFixed(1)}s` : formatSeconds(milliseconds / 1000);

export const formatCost = (dollars: number): string => `$${dollars.toFixed(dollars < 0.1 ? 4 : 2)}`;

/** `1 vCPU, 4 GB`, with the storage where it is more than the 20 GiB that every task has. */
export function formatSize({
  cpu,
  memory,
  ephemeralStorage,
}: {
  cpu: number;
  memory: number;
  ephemeralStorage: number;
}): string {
  const storage = ephemeralStorage > EPHEMERAL_STORAGE.included ? `, ${ephemeralStorage} GiB disk` : '';
  return `${cpu / 1024} vCPU, ${memory / 1024} GB${storage}`;
}

export const formatAddress = (address: { host: string; port: number } | null): string => {
  if (address === null) return '-';
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return address.port === 22 ? address.host : `${host}:${address.port}`;
};

/** `512 B`, `1.5 KiB`, `20.0 MiB`, `3.2 GiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}

/** `1 host`, `3 hosts`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
