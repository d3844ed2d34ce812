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
  /** It counts as used for this many seconds from now on, for work that it does by itself; 0 ends that. */
  readonly busySeconds?: number;
  /** Replaces the members that it has; null removes one. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface ApiCost {
  /** So far, at list prices. */
  readonly usd: number;
  readonly usdPerHour: number;
  readonly billedFrom: number | null;
}

export interface ApiCreateKey {
  readonly name: string;
  /** Default: a tenant of its own. */
  readonly tenant?: string;
  readonly admin?: boolean;
  /** Calls a second; default: the service’s. */
  readonly rate?: number;
}

export interface ApiCreateSession {
  /** Default: a new UUID; may be used again once its session is destroyed. */
  readonly id?: string;
  /** Seconds without use after which the session ends; default: the service’s. */
  readonly ttlSeconds?: number;
  /** Default: the service’s image. */
  readonly image?: string | null;
  /** CPU units; 1024 is one vCPU. */
  readonly cpu?: number;
  /** MiB. */
  readonly memory?: number;
  readonly metadata?: Readonly<Record<string, unknown>> | null;
  /** False answers before the host is ready; default: true. */
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
  /** Shown this once. */
  readonly key: string;
}

export interface ApiDiagnostics {
  readonly session: ApiSession;
  readonly taskArn: string | null;
  /** As ECS says it. */
  readonly taskState: string | null;
  readonly stopCode: string | null;
  readonly stoppedReason: string | null;
  readonly containerReason: string | null;
  readonly exitCode: number | null;
  readonly endReason: string | null;
  /** Why the host could not be started or was given up. */
  readonly problem: string | null;
  /** When each stage was reached. */
  readonly stages: Readonly<Record<string, number>>;
  readonly logLines: readonly {
    readonly timestamp: string;
    readonly message: string;
  }[];
  readonly cost: ApiCost;
}

export interface ApiError {
  /** A code, which programs may rely on. */
  readonly error: string;
  /** What is wrong, for people. */
  readonly detail: string;
  /** What to do next. */
  readonly suggestion?: string;
  /** The field of the request that is wrong. */
  readonly field?: string;
  /** The header X-Request-Id of this answer. */
  readonly requestId?: string;
  /** Of sync_timeout: the event that goes on. */
  readonly seq?: number;
  /** Of sync_timeout: the status of that event. */
  readonly status?: string;
}

export interface ApiEvent {
  readonly id: number;
  readonly sessionId: string;
  readonly seq: number;
  readonly kind: string;
  readonly status: 'pending' | 'running' | 'done' | 'error';
  /** What was asked, without env and secrets. */
  readonly payload: Readonly<Record<string, unknown>>;
  readonly result: ApiEventResult | null;
  readonly submittedAt: number;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
}

export interface ApiEventResult {
  /** As text; bytes that are not UTF-8 are replaced. */
  readonly stdout: string;
  readonly stderr: string;
  /** Only where the bytes are not UTF-8: all of them. */
  readonly stdoutB64?: string;
  readonly stderrB64?: string;
  readonly exitCode: number | null;
  /** Without SIG. */
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly reason: 'exit' | 'signal' | 'timeout' | 'lost' | 'refused';
  /** Why it was lost or refused. */
  readonly detail?: string;
  readonly durationMs: number;
  /** All that was written, dropped bytes included. */
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  /** Dropped from the middle of the output. */
  readonly droppedBytes: number;
}

export interface ApiExecRequest {
  /** A command line for a shell session, whose folder, variables and functions stay. */
  readonly cmd?: string;
  /** Or a program with its arguments, started without a shell. */
  readonly argv?: readonly string[];
  /** The shell session of cmd; default: main. */
  readonly shell?: string;
  /** For this command alone; default: the shell’s current folder. */
  readonly cwd?: string | null;
  /** Default: 300. */
  readonly timeoutSeconds?: number;
  /** For this command alone; never stored or shown. */
  readonly env?: Readonly<Record<string, string>> | null;
  /** True answers when it has ended, or after 30 s with 408. */
  readonly sync?: boolean;
  /** None: at its end at once; open: what POST …/stdin sends; default: none with sync, else open, and at its end when nothing was sent within 10 s of the start. */
  readonly stdin?: 'none' | 'open';
  /** Name or uid, for argv; default: the sandbox’s user. */
  readonly user?: string;
  /** A terminal instead of pipes, for argv. */
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
  /** Bytes; null for a folder. */
  readonly size: number | null;
  readonly sizeBytes: number | null;
  /** Permission bits in octal. */
  readonly mode: string;
  readonly modifiedAt: number;
  readonly uid: number;
  readonly gid: number;
  /** Where a link points. */
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
  /** Folder of the repository; default: /workspace. */
  readonly path?: string;
  /** An alias of path. */
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
  /** Default: lists the branches. */
  readonly name?: string;
  readonly from?: string;
  readonly delete?: boolean;
  readonly force?: boolean;
}

export interface ApiGitCheckout {
  /** Folder of the repository; default: /workspace. */
  readonly path?: string;
  /** An alias of path. */
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
  readonly ref?: string;
  /** Makes the branch. */
  readonly create?: boolean;
  /** Gets these files back, and leaves the branch. */
  readonly files?: readonly string[];
}

export interface ApiGitClone {
  readonly url: string;
  /** Folder that is empty or does not exist; default: /workspace. */
  readonly dest?: string;
  readonly branch?: string;
  readonly depth?: number;
  readonly submodules?: boolean;
  /** For http and https; reach neither disk nor log nor the list of processes. */
  readonly credentials?: {
    /** Default: x-access-token. */
    readonly username?: string;
    /** A password or token. */
    readonly password: string;
  };
  readonly timeoutSeconds?: number;
}

export interface ApiGitCommit {
  /** Folder of the repository; default: /workspace. */
  readonly path?: string;
  /** An alias of path. */
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
  readonly message: string;
  /** Default: all that has changed in the folder. */
  readonly files?: readonly string[];
  readonly author?: {
    readonly name: string;
    readonly email: string;
  };
  readonly allowEmpty?: boolean;
}

export interface ApiGitDiff {
  /** Folder of the repository; default: /workspace. */
  readonly path?: string;
  /** An alias of path. */
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
  readonly staged?: boolean;
  /** A commit, or two as A..B. */
  readonly ref?: string;
  readonly files?: readonly string[];
  /** Counts of lines alone. */
  readonly stat?: boolean;
}

export interface ApiGitLog {
  /** Folder of the repository; default: /workspace. */
  readonly path?: string;
  /** An alias of path. */
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
  readonly ref?: string;
  /** Default: 50. */
  readonly limit?: number;
  readonly files?: readonly string[];
}

export interface ApiGitPull {
  /** Folder of the repository; default: /workspace. */
  readonly path?: string;
  /** An alias of path. */
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
  /** Name or URL of the other repository; default: origin. */
  readonly remote?: string;
  readonly branch?: string;
  /** For http and https; reach neither disk nor log nor the list of processes. */
  readonly credentials?: {
    /** Default: x-access-token. */
    readonly username?: string;
    /** A password or token. */
    readonly password: string;
  };
  /** Default: merge. */
  readonly rebase?: boolean;
}

export interface ApiGitPush {
  /** Folder of the repository; default: /workspace. */
  readonly path?: string;
  /** An alias of path. */
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
  /** Name or URL of the other repository; default: origin. */
  readonly remote?: string;
  readonly branch?: string;
  /** For http and https; reach neither disk nor log nor the list of processes. */
  readonly credentials?: {
    /** Default: x-access-token. */
    readonly username?: string;
    /** A password or token. */
    readonly password: string;
  };
  /** With lease: nothing that is not known here is lost. */
  readonly force?: boolean;
  readonly setUpstream?: boolean;
  readonly tags?: boolean;
}

export interface ApiGitStatus {
  /** Folder of the repository; default: /workspace. */
  readonly path?: string;
  /** An alias of path. */
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
  /** True if the limit was reached. */
  readonly truncated: boolean;
}

export interface ApiSession {
  readonly id: string;
  readonly status: 'active' | 'stale' | 'destroyed';
  /** True once the host answers; commands that come earlier wait. */
  readonly ready: boolean;
  readonly createdAt: number;
  readonly lastActiveAt: number;
  /** When it becomes stale unless it is used. */
  readonly expiresAt: number;
  /** It counts as used until then, as busy_seconds said. */
  readonly busyUntil: number | null;
  /** When it is destroyed even in use. */
  readonly endsAt: number;
  readonly ttlSeconds: number;
  readonly image: string | null;
  readonly cpu: number;
  readonly memory: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly destroyedAt: number | null;
  readonly endReason: 'deleted' | 'expired' | 'max-age' | 'failed' | 'host-stopped' | 'orphaned' | null;
  /** Below /v0 only, for clients that expect the member. */
  readonly containerId?: null;
  readonly containerIp?: null;
  readonly workspacePath?: null;
}

export interface ApiSessionList {
  readonly sessions: readonly ApiSession[];
  readonly hasMore: boolean;
  /** The cursor of the next page. */
  readonly nextCursor: string | null;
}

export interface ApiWrittenFile {
  readonly path: string;
  readonly size: number;
  readonly sizeBytes: number;
  readonly mode: string;
}
