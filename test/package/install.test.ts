import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { describeWith } from '../support/run/requirements';
import { makeRepository, manifest, npmRegistry, NpmProject, pack } from '../support/run/npm-package';

/** An install, a build, and the compiler's look at all of the CDK's types, on a busy machine. */
const TIMEOUT = 20 * 60_000;

const { peerDependencies, devDependencies } = manifest();
const CDK = ['aws-cdk-lib', 'constructs'] as const;
const oldest = CDK.map((name) => `${name}@${peerDependencies[name]?.replace(/^\^/, '')}`);
const newest = CDK.map((name) => `${name}@${devDependencies[name]}`);

/** An app that gives a VPC of its own CDK to our construct, and uses each entry point of the package. */
const APP = `
import { App, Stack } from 'aws-cdk-lib';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Hosts, providerConfigSchema } from 'mngr-fargate';
import { AgentEnvironment, AgentNetwork, AgentTask } from 'mngr-fargate/constructs';
import { startEndpoint } from 'mngr-fargate/local';
import { Sandbox } from 'mngr-fargate/sandbox-client';

const app = new App();
const stack = new Stack(app, 'Own');
const network = AgentNetwork.fromVpc(stack, 'Network', { vpc: new Vpc(stack, 'Vpc') });
const environment = new AgentEnvironment(stack, 'Environment', { network });
new AgentTask(stack, 'Host', { environment, name: 'reviewer', publicKey: PUBLIC_KEY, command: ['sleep', '60'] });
app.synth();
console.log(stack.stackName, [Hosts, startEndpoint, Sandbox.create].every((value) => typeof value === 'function'));
console.log(providerConfigSchema.parse({}).ecs_cluster);
`;

const asCommonJs = (text: string): string =>
  text.replace(/^import \{(.*)\} from (.*);$/gm, 'const {$1} = require($2);');

async function makeApp(project: NpmProject): Promise<void> {
  const key = project.path('key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const app = APP.replace('PUBLIC_KEY', JSON.stringify((await readFile(`${key}.pub`, 'utf8')).trim()));
  await project.write('app.mjs', app);
  await project.write('app.cjs', asCommonJs(app));
  await project.write('common.cts', app);
  await project.write('module.mts', app);
  await project.write('app.ts', app);
}

describeWith(npmRegistry, 'the package in a project of somebody else’s', () => {
  let repository: string;
  let project: NpmProject;
  beforeAll(async () => {
    repository = await makeRepository();
  }, TIMEOUT);
  afterAll(() => rm(repository, { recursive: true, force: true }));
  beforeEach(async () => {
    project = await NpmProject.make();
  });
  afterEach(() => project.remove());

  test(
    `packed, it works beside ${oldest.join(' and ')}`,
    async () => {
      await project.install(await pack(repository), ...oldest);
      expect(existsSync(project.path('node_modules/mngr-fargate/node_modules/aws-cdk-lib'))).toBe(false);
      await makeApp(project);
      for (const app of ['app.cjs', 'app.mjs']) await expect(project.node([app])).resolves.toBe('Own true\nmngr\n');

      const node10 = ['--module', 'commonjs', '--moduleResolution', 'node10', '--skipLibCheck'];
      await expect(project.typeErrors('app.ts', node10)).resolves.toBe('');
      // With a look at this package's own types.
      await expect(project.typeErrors('module.mts', ['--module', 'nodenext'])).resolves.toBe('');

      // The command line's own stack, with the checks of cdk-nag.
      const output = { CDK_OUTDIR: project.path('cdk.out') };
      await project.node([project.path('node_modules/mngr-fargate/dist/bin/app.js')], output);
      expect(existsSync(project.path('cdk.out/mngr-fargate.template.json'))).toBe(true);

      // Without the CDK, only the synthesis is missing.
      const cli = project.path('node_modules/mngr-fargate/dist/bin/mngr-fargate.js');
      await rename(project.path('node_modules/aws-cdk-lib'), project.path('hidden'));
      await expect(project.node([cli, 'list', '--help'])).resolves.toMatch(/^Usage: mngr-fargate list/);
      const state = { MNGR_FARGATE_LOCAL_DIR: project.path('local') };
      await expect(project.node([cli, 'local', 'up'], state)).rejects.toMatchObject({
        stderr: expect.stringContaining('aws-cdk-lib is not installed\n  hint: run "npm install aws-cdk-lib"'),
      });
    },
    TIMEOUT,
  );

  test(
    `from git, it works beside ${newest.join(' and ')}`,
    async () => {
      await project.install(`git+file://${repository}`, ...newest);
      await makeApp(project);
      for (const app of ['app.cjs', 'app.mjs']) await expect(project.node([app])).resolves.toBe('Own true\nmngr\n');
      const light = ['--skipLibCheck', '--module'];
      await expect(project.typeErrors('common.cts', [...light, 'node16'])).resolves.toBe('');
      const bundler = ['esnext', '--moduleResolution', 'bundler'];
      await expect(project.typeErrors('app.ts', [...light, ...bundler])).resolves.toBe('');
    },
    TIMEOUT,
  );
});
