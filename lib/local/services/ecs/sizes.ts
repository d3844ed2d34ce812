/** CPU units of a task-level cpu setting: `1024`, `1 vCPU` or `.25 vcpu` (ECS API, RegisterTaskDefinition.cpu). */
export function parseCpu(text: string | undefined): number | undefined {
  const match = /^\s*(\d*\.?\d+)\s*(vcpu)?\s*$/i.exec(text ?? '');
  if (match === null) return undefined;
  const units = Number(match[1]) * (match[2] === undefined ? 1 : 1024);
  return Number.isInteger(units) ? units : undefined;
}

/** MiB of a task-level memory setting: `4096`, `4GB` or `0.5 GB`. */
export function parseMemory(text: string | undefined): number | undefined {
  const match = /^\s*(\d*\.?\d+)\s*(gb)?\s*$/i.exec(text ?? '');
  if (match === null) return undefined;
  const mib = Number(match[1]) * (match[2] === undefined ? 1 : 1024);
  return Number.isInteger(mib) ? mib : undefined;
}
