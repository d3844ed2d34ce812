import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** The token as its hash: enough to check one, and of no use to whoever reads it. */
export class TokenCheck {
  private constructor(private readonly hash: Buffer) {}

  static of(token: string): TokenCheck {
    return new TokenCheck(hashOf(token));
  }

  /** undefined if none was kept. */
  static read(path: string): TokenCheck | undefined {
    try {
      const hash = Buffer.from(readFileSync(path, 'utf8').trim(), 'hex');
      return hash.length === 32 ? new TokenCheck(hash) : undefined;
    } catch {
      return undefined;
    }
  }

  write(path: string): void {
    writeFileSync(`${path}.next`, `${this.hash.toString('hex')}\n`, { mode: 0o600 });
    renameSync(`${path}.next`, path);
  }

  /** Takes the same time for every wrong token. */
  allows(authorization: string | undefined): boolean {
    const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '';
    return timingSafeEqual(hashOf(token), this.hash);
  }
}
