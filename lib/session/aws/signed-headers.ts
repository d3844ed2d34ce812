import type { Hash, Hmac } from 'node:crypto';
import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from '@aws-sdk/types';

const SERVICE = 'ssmmessages';
/** A URL with one of these is signed already. */
const SIGNED_URL = /^x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token)$/i;

/** SHA-256, as the signer wants it: an HMAC where it has a key. */
class Sha256 {
  private readonly hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.hash = secret === undefined ? createHash('sha256') : createHmac('sha256', asBytes(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.hash.update(asBytes(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.hash.digest());
  }

  reset(): void {
    throw new Error('a hash is used once');
  }
}

function asBytes(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data);
}

export interface Signing {
  readonly credentials: AwsCredentialIdentity | AwsCredentialIdentityProvider;
  readonly region: string;
}

/** The headers with which a data channel's WebSocket is opened. None for a URL that is signed itself. */
export async function signedHeaders(
  streamUrl: string,
  { credentials, region }: Signing,
): Promise<Readonly<Record<string, string>>> {
  const url = new URL(streamUrl);
  if ([...url.searchParams.keys()].some((name) => SIGNED_URL.test(name))) return {};
  const signer = new SignatureV4({ service: SERVICE, region, credentials, sha256: Sha256, applyChecksum: false });
  const { headers } = await signer.sign({
    method: 'GET',
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { host: url.host },
  });
  // The WebSocket's client writes the host itself.
  const { host: _host, ...rest } = headers;
  return rest;
}
