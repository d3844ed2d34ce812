import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { ECSClient, ListTasksCommand } from '@aws-sdk/client-ecs';
import { awsProblem, isCapacity } from '../../lib/aws/aws-errors';
import { oneLine } from '../../lib/util/one-line';
import { ROOT } from '../support/run/paths';
import { AWS_ERRORS } from './aws-error-table';

const named = (name: string, message: string, fields: object = {}): Error =>
  Object.assign(new Error(message), { name, ...fields });

describe('errors of AWS, as a user reads them', () => {
  const rows = AWS_ERRORS.flatMap(({ code, hint, errors }) =>
    errors.map(([name, message]) => ({ name, message, code, hint })),
  );

  test.each(rows)('$name: $message', ({ name, message, code, hint }) => {
    expect(awsProblem(named(name, message), 'start host dev')).toMatchObject({
      code,
      hint,
      message: `cannot start host dev: ${oneLine(message)}`,
      details: { awsError: name },
    });
  });

  test('every error in the models of the calls that we make is in the table', () => {
    const inTable = new Set(rows.map(({ name }) => name));
    const missing = callsOfSources().flatMap(({ client, call }) =>
      errorsOf(client, call)
        .filter((name) => !inTable.has(name))
        .map((name) => `${client} ${call}: ${name}`),
    );
    expect(callsOfSources()).toContainEqual({ client: 'client-ecs', call: 'RunTaskCommand' });
    expect(missing).toEqual([]);
  });

  test.each([
    ['connect ECONNREFUSED 127.0.0.1:4566', { code: 'ECONNREFUSED', address: '127.0.0.1' }, /mngr-fargate local up/],
    [
      'connect ECONNREFUSED 10.0.0.7:443',
      { code: 'ECONNREFUSED', address: '10.0.0.7' },
      /^check the network, the proxy/,
    ],
    ['getaddrinfo ENOTFOUND ecs.eu-wst-1.amazonaws.com', { code: 'ENOTFOUND' }, /`aws_region`$/],
    ['getaddrinfo EAI_AGAIN ecs.eu-west-1.amazonaws.com', { code: 'EAI_AGAIN' }, /^check the network/],
    ['read ECONNRESET', { code: 'ECONNRESET' }, /^check the network/],
    ['write EPIPE', { code: 'EPIPE' }, /^check the network/],
    ['connect ENETUNREACH 2600::1:443', { code: 'ENETUNREACH' }, /^check the network/],
    ['self-signed certificate in certificate chain', { code: 'SELF_SIGNED_CERT_IN_CHAIN' }, /AWS_CA_BUNDLE/],
    ['certificate is not yet valid', { code: 'CERT_NOT_YET_VALID' }, /clock/],
    ['certificate has expired', { code: 'CERT_HAS_EXPIRED' }, /clock/],
    ["Hostname/IP does not match certificate's altnames", { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, /other than AWS/],
    ['write EPROTO: wrong version number', { code: 'EPROTO' }, /does not speak HTTPS/],
  ])('%s', (message, fields, hint) => {
    expect(awsProblem(named('Error', message, fields), 'list tasks')).toMatchObject({
      code: 'unreachable',
      message: `cannot list tasks: ${message}`,
      hint: expect.stringMatching(hint) as string,
    });
  });

  test('a name of several addresses, none of which answers, has a reason as well', () => {
    const refused = named('Error', 'connect ECONNREFUSED ::1:4566', { code: 'ECONNREFUSED', address: '::1' });
    const error = Object.assign(new AggregateError([refused]), { code: 'ECONNREFUSED' });
    expect(awsProblem(error, 'list tasks')).toMatchObject({
      code: 'unreachable',
      message: 'cannot list tasks: connection refused',
      hint: expect.stringContaining('local up') as string,
    });
  });

  test.each([
    [200, '<html>Sign in</html>', 'unreachable', /did not come from AWS/],
    [403, '<html>Forbidden</html>', 'unreachable', /did not come from AWS/],
    [502, '<html>Bad gateway</html>', 'failed', /HTTP status 502/],
    [503, '', 'failed', /HTTP status 503/],
  ] as const)('an answer %i that is not from AWS', async (status, body, code, says) => {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(status, { 'content-type': 'text/html' }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const options = {
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
      maxAttempts: 1,
    };
    const ecs = new ECSClient(options);
    const cloudFormation = new CloudFormationClient(options);
    try {
      const calls: Promise<unknown>[] = [ecs.send(new ListTasksCommand({}))];
      // An empty answer of XML is a valid one of no stacks, and TLS is what keeps strangers from giving it.
      if (status !== 200) calls.push(cloudFormation.send(new DescribeStacksCommand({})));
      for (const outcome of await Promise.allSettled(calls)) {
        expect(outcome.status).toBe('rejected');
        expect(awsProblem((outcome as PromiseRejectedResult).reason, 'ask')).toMatchObject({
          code,
          message: expect.stringMatching(says) as string,
        });
      }
    } finally {
      ecs.destroy();
      cloudFormation.destroy();
      server.closeAllConnections();
      server.close();
    }
  });

  test('a text about capacity counts at its beginning alone', () => {
    expect(isCapacity('RESOURCE:CPU')).toBe(true);
    expect(isCapacity('TaskFailedToStart: Capacity is unavailable at this time. Please try again later')).toBe(true);
    expect(isCapacity('User is not authorized to perform: ecs:RunTask on resource: arn:aws:ecs:x')).toBe(false);
    expect(isCapacity('tag "no capacity" is not valid')).toBe(false);
  });
});

/** The calls in the sources that turn their errors into ours: those of the launcher, with the package of each. */
function callsOfSources(): { readonly client: string; readonly call: string }[] {
  const folders = ['aws', 'hosts', 'session', 'tasks', 'mngr', 'cli'].map((name) => join(ROOT, 'lib', name));
  const texts = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(folder, name), 'utf8')),
  );
  const clients = readdirSync(join(ROOT, 'node_modules', '@aws-sdk')).filter((name) => name.startsWith('client-'));
  return clients.flatMap((client) => {
    const users = texts.filter((text) => new RegExp(`@aws-sdk/${client}['"]`).test(text));
    const calls = users.flatMap((text) => [...text.matchAll(/\b(\w+Command)\b/g)].map(([, name]) => name ?? ''));
    const has = new Set(readdirSync(join(ROOT, 'node_modules', '@aws-sdk', client, 'dist-types', 'commands')));
    return [...new Set(calls)].filter((call) => has.has(`${call}.d.ts`)).map((call) => ({ client, call }));
  });
}

/** The errors that the model of a call declares. The SDK keeps them in its types alone. */
function errorsOf(client: string, call: string): string[] {
  const file = join(ROOT, 'node_modules', '@aws-sdk', client, 'dist-types', 'commands', `${call}.d.ts`);
  const names = [...readFileSync(file, 'utf8').matchAll(/@throws \{@link (\w+)\}/g)].map(([, name]) => name ?? '');
  return names.filter((name) => !name.endsWith('ServiceException'));
}
