import type { CreateProgress } from '../../hosts/model/types';

/** Shows the progress of creates on stderr. */
export interface Progress {
  update(progress: CreateProgress): void;
  /** The host is done: ready, or failed for the reason that is reported elsewhere. */
  finish(name: string, outcome: 'ready' | 'started' | 'failed'): void;
  /** Takes away what is redrawn. */
  close(): void;
}

/** What a step means to a person. */
export function describeStep({ step, state }: CreateProgress): string {
  switch (step) {
    case 'keys':
      return 'making a key pair';
    case 'run-task':
      return 'asking ECS for a task';
    case 'address':
      return `${state ?? 'PROVISIONING'}, waiting for an address`;
    case 'ssh':
      return `${state ?? 'PENDING'}, waiting for sshd`;
    case 'setup':
      return `${state ?? 'RUNNING'}, host key verified, setting up`;
    case 'ready':
      return `${state ?? 'RUNNING'}, ready`;
  }
}
