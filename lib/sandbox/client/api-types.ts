// Written by scripts/sandbox-client-types.ts from the OpenAPI document of the service.

/** Members whose own members have names of the caller's. */
export const FREE_FORM: ReadonlySet<string> = new Set(['env', 'metadata', 'payload', 'stages']);

export interface ApiAuditPage {
  readonly entries: readonly {
    readonly at: number;
    readonly keyId: string;
    readonly action: string;
    readonly sessionId: string | null;
    readonly status: number;
    readonly requestId: string;
  }[];
  readonly hasMore: boolean;
  readonly nextCursor: string | null;
}

export interface ApiChangeSession {
  readonly ttlSeconds?: number;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface ApiCost {
  readonly usd: number;
  readonly usdPerHour: number;
  readonly billedFrom: number | null;
}

export interface ApiCreateKey {
  readonly name: string;
  readonly tenant?: string;
  readonly admin?: boolean;
  readonly rate?: number;
}

export interface ApiCreateSession {
  readonly id?: string;
  readonly ttlSeconds?: number;
  readonly image?: string | null;
  readonly cpu?: number;
  readonly memory?: number;
  readonly metadata?: Readonly<Record<string, unknown>> | null;
  readonly wait?: boolean;
}

export interface ApiCreatedKey {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly admin: boolean;
  readonly rate: number | null;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
  readonly key: string;
}

export interface ApiDiagnostics {
  readonly session: ApiSession;
  readonly taskArn: string | null;
  readonly taskState: string | null;
  readonly stopCode: string | null;
  readonly stoppedReason: string | null;
  readonly containerReason: string | null;
  readonly exitCode: number | null;
  readonly endReason: string | null;
  readonly problem: string | null;
  readonly stages: Readonly<Record<string, number>>;
  readonly logLines: readonly {
    readonly timestamp: string;
    readonly message: string;
  }[];
  readonly cost: ApiCost;
}

export interface ApiError {
  readonly error: string;
  readonly detail: string;
  readonly suggestion?: string;
  readonly field?: string;
  readonly requestId?: string;
  readonly seq?: number;
  readonly status?: string;
}

export interface ApiEvent {
  readonly id: number;
  readonly sessionId: string;
  readonly seq: number;
  readonly kind: string;
  readonly status: 'pending' | 'running' | 'done' | 'error';
  readonly payload: Readonly<Record<string, unknown>>;
  readonly result: ApiEventResult | null;
  readonly submittedAt: number;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
}

export interface ApiEventResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutB64?: string;
  readonly stderrB64?: string;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly reason: 'exit' | 'signal' | 'timeout' | 'lost' | 'refused';
  readonly detail?: string;
  readonly durationMs: number;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  readonly droppedBytes: number;
}

export interface ApiExecRequest {
  readonly cmd?: string;
  readonly argv?: readonly string[];
  readonly shell?: string;
  readonly cwd?: string | null;
  readonly timeoutSeconds?: number;
  readonly env?: Readonly<Record<string, string>> | null;
  readonly sync?: boolean;
  readonly stdin?: 'none' | 'open';
  readonly user?: string;
  readonly terminal?: {
    readonly cols: number;
    readonly rows: number;
  };
}

export interface ApiFile {
  readonly name: string;
  readonly path: string;
  readonly type: 'file' | 'directory' | 'link' | 'other';
  readonly isDir: boolean;
  readonly size: number | null;
  readonly sizeBytes: number | null;
  readonly mode: string;
  readonly modifiedAt: number;
  readonly uid: number;
  readonly gid: number;
  readonly target?: string;
}

export interface ApiFileContent {
  readonly path: string;
  readonly contentB64: string;
  readonly size: number;
  readonly sizeBytes: number;
}

export interface ApiFileList {
  readonly path: string;
  readonly entries: readonly ApiFile[];
}

export interface ApiGitBranch {
  readonly path?: string;
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
  readonly name?: string;
  readonly from?: string;
  readonly delete?: boolean;
  readonly force?: boolean;
}

export interface ApiGitCheckout {
  readonly path?: string;
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
  readonly ref?: string;
  readonly create?: boolean;
  readonly files?: readonly string[];
}

export interface ApiGitClone {
  readonly url: string;
  readonly dest?: string;
  readonly branch?: string;
  readonly depth?: number;
  readonly submodules?: boolean;
  readonly credentials?: {
    readonly username?: string;
    readonly password: string;
  };
  readonly timeoutSeconds?: number;
}

export interface ApiGitCommit {
  readonly path?: string;
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
  readonly message: string;
  readonly files?: readonly string[];
  readonly author?: {
    readonly name: string;
    readonly email: string;
  };
  readonly allowEmpty?: boolean;
}

export interface ApiGitDiff {
  readonly path?: string;
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
  readonly staged?: boolean;
  readonly ref?: string;
  readonly files?: readonly string[];
  readonly stat?: boolean;
}

export interface ApiGitLog {
  readonly path?: string;
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
  readonly ref?: string;
  readonly limit?: number;
  readonly files?: readonly string[];
}

export interface ApiGitPull {
  readonly path?: string;
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
  readonly remote?: string;
  readonly branch?: string;
  readonly credentials?: {
    readonly username?: string;
    readonly password: string;
  };
  readonly rebase?: boolean;
}

export interface ApiGitPush {
  readonly path?: string;
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
  readonly remote?: string;
  readonly branch?: string;
  readonly credentials?: {
    readonly username?: string;
    readonly password: string;
  };
  readonly force?: boolean;
  readonly setUpstream?: boolean;
  readonly tags?: boolean;
}

export interface ApiGitStatus {
  readonly path?: string;
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
}

export interface ApiHistory {
  readonly events: readonly ApiEvent[];
  readonly hasMore: boolean;
}

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly admin: boolean;
  readonly rate: number | null;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
}

export interface ApiSearchResult {
  readonly matches: readonly {
    readonly path: string;
    readonly line?: number;
    readonly text?: string;
  }[];
  readonly truncated: boolean;
}

export interface ApiSession {
  readonly id: string;
  readonly status: 'active' | 'stale' | 'destroyed';
  readonly ready: boolean;
  readonly createdAt: number;
  readonly lastActiveAt: number;
  readonly expiresAt: number;
  readonly endsAt: number;
  readonly ttlSeconds: number;
  readonly image: string | null;
  readonly cpu: number;
  readonly memory: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly destroyedAt: number | null;
  readonly endReason: 'deleted' | 'expired' | 'max-age' | 'failed' | 'host-stopped' | 'orphaned' | null;
  readonly containerId?: null;
  readonly containerIp?: null;
  readonly workspacePath?: null;
}

export interface ApiSessionList {
  readonly sessions: readonly ApiSession[];
  readonly hasMore: boolean;
  readonly nextCursor: string | null;
}

export interface ApiWrittenFile {
  readonly path: string;
  readonly size: number;
  readonly sizeBytes: number;
  readonly mode: string;
}
