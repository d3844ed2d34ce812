import { writeFileSync } from 'node:fs';
import { CLI_WORDS, CliHome } from '../support/cli/cli-program';
import { runOnTerminal, terminal } from '../support/cli/cli-terminal';
import type { TerminalRun, TerminalStep } from '../support/cli/cli-terminal';
import { startSts } from '../support/network/sts';
import type { StandInSts } from '../support/network/sts';
import { ROOT } from '../support/run/paths';
import { describeWith } from '../support/run/requirements';

const RIGHT = '246802';
const PROMPT = 'Code of the MFA device arn:aws:iam::123456789012:mfa/me: $';
/** Prints the terminal's settings before and after the program. */
const AROUND = 'stty -g; "$@"; code=$?; stty -g; exit $code';

describeWith(terminal, 'the code of an MFA device, on a real terminal', () => {
  const home = new CliHome();
  const codes: (string | null)[] = [];
  let sts: StandInSts;
  beforeAll(async () => {
    sts = await startSts((code) => codes.push(code) > 0 && code === RIGHT);
    writeFileSync(
      home.path('aws-config'),
      `[profile work]
region = us-east-1
role_arn = arn:aws:iam::123456789012:role/operator
source_profile = base
mfa_serial = arn:aws:iam::123456789012:mfa/me
[profile base]
aws_access_key_id = AKIDBASE
aws_secret_access_key = secret
`,
    );
  });
  beforeEach(() => {
    codes.length = 0;
  });
  afterAll(() => {
    sts.stop();
    home.remove();
  });

  const list = (...steps: TerminalStep[]): Promise<TerminalRun> =>
    runOnTerminal({
      argv: ['/bin/sh', '-c', AROUND, 'sh', process.execPath, ...CLI_WORDS, 'list', '--profile', 'work'],
      env: home.env({
        AWS_CONFIG_FILE: home.path('aws-config'),
        AWS_ENDPOINT_URL: sts.url,
        MNGR_FARGATE_SUBNETS: 'subnet-1',
        TERM: 'xterm-256color',
      }),
      cwd: ROOT,
      steps,
      seconds: 120,
    });

  const expectTerminalAsBefore = ({ output }: TerminalRun): void => {
    const settings = output.match(/^[0-9a-f]+(?::[0-9a-f]+){10,}/gm) ?? [];
    expect(settings).toHaveLength(2);
    expect(settings[1]).toBe(settings[0]);
  };
  const asked = ({ output }: TerminalRun): number => output.split('Code of the MFA device').length - 1;

  test('is typed unseen, and asked for once', async () => {
    const run = await list({ expect: PROMPT, send: `${RIGHT}\r` });
    expect(run.output).toContain('no hosts');
    expect(run.output).not.toContain(RIGHT);
    expect(run.exitCode).toBe(0);
    expect(asked(run)).toBe(1);
    expect(codes).toEqual([RIGHT]);
    expectTerminalAsBefore(run);
  });

  test('is asked for again when it is none, or a wrong one', async () => {
    const steps = ['12345', '000000', RIGHT].map((code) => ({ expect: PROMPT, send: `${code}\r` }));
    const run = await list(...steps);
    expect(run.output).toMatch(/has six digits[\s\S]*AWS refuses this code[\s\S]*no hosts/);
    expect(run.exitCode).toBe(0);
    expect(codes).toEqual(['000000', RIGHT]);
    expectTerminalAsBefore(run);
  });

  test('three wrong ones end the command with the reason', async () => {
    const run = await list(...['000001', '000002', '000003'].map((code) => ({ expect: PROMPT, send: `${code}\r` })));
    expect(run.output).toContain('AWS refuses the code of the MFA device for profile work');
    expect(run.exitCode).toBe(5);
    expect(codes).toHaveLength(3);
    expectTerminalAsBefore(run);
  });

  test.each([
    ['Ctrl-C', '12\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('%s gives up and leaves the terminal as it was', async (_name, send) => {
    const run = await list({ expect: PROMPT, send }, { expect: 'no MFA code was given', send: '' });
    expect(run.exitCode).toBe(130);
    expect(codes).toEqual([]);
    expectTerminalAsBefore(run);
  });
});
