import { randomBytes } from 'node:crypto';
import type { Clock } from '../state/clock';
import type { Collection, Store } from '../state/store';
import type { PolicyDocument } from './policy';
import type { Credential, Principal } from './principal';

const ADMINISTRATOR = 'administrator';

interface StoredAdministrator {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const accessKeyId = (prefix: string): string =>
  prefix + Array.from(randomBytes(16), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
const secret = (): string => randomBytes(30).toString('base64');

export interface SessionRequest {
  readonly roleArn: string;
  readonly roleId: string;
  readonly roleName: string;
  readonly sessionName: string;
  readonly durationSeconds: number;
  readonly sessionPolicies: readonly PolicyDocument[];
}

/** The account's access keys: the administrator's, made once and kept, and those of role sessions. */
export class Credentials {
  readonly administrator: Credential;
  private readonly sessions: Collection<Credential>;

  constructor(
    store: Store,
    private readonly clock: Clock,
    private readonly accountId: string,
  ) {
    const stored = store.collection<StoredAdministrator>('administrator');
    const keys = stored.get(ADMINISTRATOR) ?? { accessKeyId: accessKeyId('AKIA'), secretAccessKey: secret() };
    stored.set(ADMINISTRATOR, keys);
    this.administrator = {
      ...keys,
      principal: {
        kind: 'administrator',
        accountId,
        arn: `arn:aws:iam::${accountId}:user/${ADMINISTRATOR}`,
        userId: `AIDA${keys.accessKeyId.slice(4)}`,
      },
    };
    this.sessions = store.collection<Credential>('sessions');
  }

  find(id: string): Credential | undefined {
    return id === this.administrator.accessKeyId ? this.administrator : this.sessions.get(id);
  }

  /** Credentials of a session of a role. */
  assume(request: SessionRequest): Credential & { readonly principal: Extract<Principal, { kind: 'session' }> } {
    this.forgetExpired();
    const credential = {
      accessKeyId: accessKeyId('ASIA'),
      secretAccessKey: secret(),
      sessionToken: randomBytes(192).toString('base64'),
      principal: {
        kind: 'session' as const,
        accountId: this.accountId,
        arn: `arn:aws:sts::${this.accountId}:assumed-role/${request.roleName}/${request.sessionName}`,
        userId: `${request.roleId}:${request.sessionName}`,
        roleArn: request.roleArn,
        sessionPolicies: request.sessionPolicies,
        expiresAt: new Date(this.clock.now().getTime() + request.durationSeconds * 1000),
      },
    };
    this.sessions.set(credential.accessKeyId, credential);
    return credential;
  }

  /** Expired sessions are kept a day, so that their callers are told that they have expired. */
  private forgetExpired(): void {
    const limit = this.clock.now().getTime() - 24 * 3600_000;
    for (const [id, { principal }] of this.sessions.entries()) {
      if (principal.kind === 'session' && principal.expiresAt.getTime() < limit) this.sessions.delete(id);
    }
  }
}
