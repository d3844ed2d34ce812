import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const answer = (inner: string): string =>
  `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${inner}</AssumeRoleResponse>`;

const ASSUMED = answer(`<AssumeRoleResult>
<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/operator/s</Arn><AssumedRoleId>AROA:s</AssumedRoleId></AssumedRoleUser>
<Credentials><AccessKeyId>ASIAASSUMED</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>`);

/** As STS answers a code that is wrong, or was used before. */
const REFUSED = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code>
<Message>MultiFactorAuthentication failed with invalid MFA one time pass code. </Message></Error><RequestId>1</RequestId></ErrorResponse>`;

export interface StandInSts {
  /** For AWS_ENDPOINT_URL_STS. */
  readonly url: string;
  stop(): void;
}

/** Assumes any role for a code that is accepted, and answers ECS that there are no tasks. */
export async function startSts(accepts: (code: string | null) => boolean): Promise<StandInSts> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.once('end', () => {
      if (request.headers['x-amz-target'] !== undefined) {
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end('{"taskArns":[]}');
        return;
      }
      const accepted = accepts(new URLSearchParams(body).get('TokenCode'));
      response.writeHead(accepted ? 200 : 403, { 'content-type': 'text/xml' }).end(accepted ? ASSUMED : REFUSED);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => server.close() };
}
