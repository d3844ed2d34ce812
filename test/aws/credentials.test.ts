import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { awsCredentials } from '../../lib/aws/client-options';
import { startSts } from '../support/network/sts';
import type { StandInSts } from '../support/network/sts';

const VARIABLES = [
  ...['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE', 'AWS_PROFILE', 'AWS_ENDPOINT_URL_STS'],
  ...['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_EC2_METADATA_DISABLED'],
];

describe('the credentials of this machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mngr-credentials-'));
  const before = Object.fromEntries(VARIABLES.map((name) => [name, process.env[name]]));
  /** Codes that STS was given. */
  const codes: (string | null)[] = [];
  let sts: StandInSts;
  let files = 0;

  beforeAll(async () => {
    sts = await startSts((code) => codes.push(code) > 0 && code !== '000000');
  });
  beforeEach(() => {
    for (const name of VARIABLES) delete process.env[name];
    process.env.AWS_SHARED_CREDENTIALS_FILE = join(folder, 'no-credentials');
    process.env.AWS_EC2_METADATA_DISABLED = 'true';
    process.env.AWS_ENDPOINT_URL_STS = sts.url;
    codes.length = 0;
  });
  afterAll(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    sts.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The SDK reads each file once in a process. */
  const configure = (text: string): void => {
    process.env.AWS_CONFIG_FILE = join(folder, `config-${files++}`);
    writeFileSync(process.env.AWS_CONFIG_FILE, text);
  };

  test('a misspelt profile is reported with the one that was probably meant', async () => {
    configure(
      '[profile development]\nregion = eu-west-1\n[profile production]\nregion = eu-west-1\n[sso-session work]\nsso_region = eu-west-1\n',
    );
    await expect(awsCredentials({ profile: 'developmnet' })()).rejects.toMatchObject({
      code: 'usage',
      message: 'the AWS configuration has no profile "developmnet"',
      hint: 'did you mean "development"?',
    });
    process.env.AWS_PROFILE = 'xyz';
    await expect(awsCredentials({})()).rejects.toMatchObject({
      code: 'usage',
      message: 'the AWS configuration has no profile "xyz"',
      hint: expect.stringContaining('it has development, production;') as string,
    });
  });

  test('a misspelt source_profile names the profile that names it', async () => {
    configure(`[profile work]\nrole_arn = ${ROLE}\nsource_profile = bse\n[profile base]\nregion = eu-west-1\n`);
    await expect(awsCredentials({ profile: 'work' })()).rejects.toMatchObject({
      message: 'the AWS configuration has no profile "bse", which profile work names as its source_profile',
      hint: 'did you mean "base"?',
    });
  });

  test.each([
    ['what it said last', 'echo first >&2; echo "vault: not logged in" >&2; exit 3', 'vault: not logged in'],
    ['that it said nothing', 'exit 3', 'it ended with an error and said nothing'],
    ['what is wrong with what it printed', 'echo nonsense', 'Profile work credential_process returned invalid JSON'],
  ])('a credential_process that fails shows %s, and none of its arguments', async (_what, script, says) => {
    const program = join(folder, `program-${files}`);
    writeFileSync(program, `#!/bin/sh\n${script}\n`);
    chmodSync(program, 0o700);
    configure(`[profile work]\ncredential_process = ${program} --token geheim\n`);
    const failure: unknown = await awsCredentials({ profile: 'work' })().catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'denied',
      message: `credential_process of AWS profile work (${program}) failed: ${says}`,
    });
    expect(String((failure as Error).stack)).not.toContain('geheim');
  });

  test('a credential_process of the default profile that fails is not passed over', async () => {
    configure('[default]\ncredential_process = sh -c "echo expired >&2; exit 1"\n');
    await expect(awsCredentials({})()).rejects.toMatchObject({
      code: 'denied',
      message: 'credential_process of AWS profile default (sh) failed: expired',
    });
  });

  test('a machine without any credentials is told how to get some', async () => {
    configure('[default]\nregion = eu-west-1\n');
    await expect(awsCredentials({})()).rejects.toMatchObject({
      code: 'denied',
      message: 'this machine has no AWS credentials',
      hint: expect.stringContaining('aws sso login') as string,
    });
  });

  test('keys in the environment need no profile', async () => {
    configure('[default]\ncredential_process = false\n');
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 'secret' });
    await expect(awsCredentials({})()).resolves.toMatchObject({ accessKeyId: 'AKIDENV' });
  });

  describe('with an MFA device', () => {
    beforeEach(() =>
      configure(
        `[profile work]\nregion = us-east-1\nrole_arn = ${ROLE}\nsource_profile = base\nmfa_serial = ${DEVICE}\n` +
          '[profile base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = secret\n',
      ),
    );

    test('the code is asked for once, however many clients need it', async () => {
      const mfaCode = jest.fn((_device: string) => Promise.resolve('123456'));
      const place = { profile: 'work', region: 'us-east-1' };
      const [one, other] = [awsCredentials(place, { mfaCode }), awsCredentials(place, { mfaCode })];
      await expect(Promise.all([one(), other(), one()])).resolves.toEqual(
        [1, 2, 3].map(() => expect.objectContaining({ accessKeyId: 'ASIAASSUMED' }) as unknown),
      );
      expect(mfaCode.mock.calls).toEqual([[DEVICE, undefined]]);
      expect(codes).toEqual(['123456']);
    });

    test('another code is asked for when AWS refuses one, but the same one is not tried again', async () => {
      const given = ['000000', '123456'];
      const mfaCode = jest.fn((_device: string) => Promise.resolve(given.shift() ?? ''));
      const place = { profile: 'work', region: 'us-east-1' };
      await expect(awsCredentials(place, { mfaCode })()).resolves.toMatchObject({ accessKeyId: 'ASIAASSUMED' });
      expect(mfaCode.mock.calls).toEqual([
        [DEVICE, undefined],
        [DEVICE, '000000'],
      ]);
      codes.length = 0;
      await expect(awsCredentials(place, { mfaCode: () => Promise.resolve('000000') })()).rejects.toMatchObject({
        code: 'denied',
        message: 'AWS refuses the code of the MFA device for profile work',
      });
      expect(codes).toEqual(['000000', '000000']);
    });

    test('without anybody to ask it is refused with what to do', async () => {
      await expect(awsCredentials({ profile: 'work', region: 'us-east-1' })()).rejects.toMatchObject({
        code: 'denied',
        message: `AWS profile work needs the code of the MFA device ${DEVICE}`,
        hint: expect.stringContaining('run this in a terminal') as string,
      });
      expect(codes).toEqual([]);
    });
  });
});

const ROLE = 'arn:aws:iam::123456789012:role/operator';
const DEVICE = 'arn:aws:iam::123456789012:mfa/me';
