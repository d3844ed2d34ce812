import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Requirement } from '../run/requirements';
import { program } from '../run/requirements';

export const openssl: Requirement = program('openssl');

export interface PrivateCa {
  /** The CA's own certificate, for AWS_CA_BUNDLE. */
  readonly caFile: string;
  /** Of a server with the given name, PEM. */
  readonly key: string;
  readonly certificate: string;
}

/** A certificate authority that nobody knows, with a server's certificate from it, made by openssl in the folder. */
export function makePrivateCa(folder: string, serverName: string): PrivateCa {
  const run = (...words: string[]): void => {
    execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  run('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Company CA');
  run('req', ...newKey, '-keyout', 'server.key', '-out', 'server.csr', '-subj', `/CN=${serverName}`);
  writeFileSync(join(folder, 'names'), `subjectAltName=DNS:${serverName}\n`);
  const issuer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
  run('x509', '-req', '-in', 'server.csr', ...issuer, '-out', 'server.pem', '-days', '2', '-extfile', 'names');
  return {
    caFile: join(folder, 'ca.pem'),
    key: readFileSync(join(folder, 'server.key'), 'utf8'),
    certificate: readFileSync(join(folder, 'server.pem'), 'utf8'),
  };
}
