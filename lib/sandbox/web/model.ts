/** The parts of the API's answers that the page uses (GET /openapi.json has all of them). Times are Unix milliseconds. */
export interface Session {
  readonly id: string;
  readonly status: 'active' | 'stale' | 'destroyed';
  readonly ready: boolean;
  readonly created_at: number;
  readonly last_active_at: number;
  readonly expires_at: number;
  readonly ttl_seconds: number;
  readonly image: string | null;
  readonly cpu: number;
  readonly memory: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly destroyed_at: number | null;
  readonly end_reason: string | null;
}

export interface EventEnd {
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly timed_out: boolean;
  readonly reason: string;
  readonly detail?: string;
  readonly duration_ms: number;
  readonly dropped_bytes: number;
}

export interface SandboxEvent {
  readonly seq: number;
  readonly kind: string;
  readonly status: 'pending' | 'running' | 'done' | 'error';
  readonly payload: Readonly<Record<string, unknown>>;
  readonly result: (EventEnd & { readonly stdout: string; readonly stderr: string }) | null;
  readonly submitted_at: number;
  readonly started_at: number | null;
  readonly completed_at: number | null;
}

export interface Entry {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'link' | 'other';
  readonly size: number | null;
  readonly mode: string;
  readonly modified_at: number;
  readonly target?: string;
}

export interface Cost {
  readonly usd: number;
  readonly usd_per_hour: number;
}

export interface Diagnostics {
  readonly session: Session;
  readonly task_arn: string | null;
  readonly task_state: string | null;
  readonly stop_code: string | null;
  readonly stopped_reason: string | null;
  readonly problem: string | null;
  readonly stages: Readonly<Record<string, number>>;
  readonly log_lines: readonly { readonly timestamp: string; readonly message: string }[];
  readonly cost: Cost;
}

export interface ApiError {
  readonly error: string;
  readonly detail: string;
  readonly suggestion?: string;
}
