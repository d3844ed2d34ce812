import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppProps } from 'aws-cdk-lib';
import { App } from 'aws-cdk-lib';
import { packageRoot } from '../util/package-root';
import { DEFAULT_STACK_NAME } from '../contract/outputs';
import { meantCdkContext } from './cdk-context';
import type { Settings } from './context';
import { readSettings } from './context';
import { MngrFargateStack } from './mngr-fargate-stack';
import type { NagPackName } from './nag-packs';
import { addNagPacks } from './nag-packs';
import { SandboxServiceStack } from './sandbox-service-stack';

/** The synthesized app: its one stack and the settings it was made from. */
export interface MngrFargateApp {
  readonly app: App;
  readonly stack: MngrFargateStack;
  readonly settings: Settings;
}

/**
 * The CDK app from its context. Started without the CDK's CLI it reads the feature flags of cdk.json by itself, so that
 * the template is the same either way.
 *
 * @throws MngrFargateError `usage` for a context key that is unknown or malformed
 */
export function createApp(props: AppProps = {}): MngrFargateApp {
  const given = { ...props, context: { ...featureFlags(), ...props.context } };
  // Only used to read the context. If it were synthesized, its empty assembly would overwrite the stack's.
  const asGiven = new App({ ...given, autoSynth: false }).node.getAllContext();
  const postCliContext = { ...meantCdkContext(asGiven), ...props.postCliContext };
  const app = new App({ ...given, postCliContext });
  const settings = readSettings(app.node.getAllContext());
  const stackName = settings.stackName ?? prefixed(settings.namePrefix, DEFAULT_STACK_NAME);
  const Stack = settings.sandbox === true ? SandboxServiceStack : MngrFargateStack;
  const stack = new Stack(app, stackName, {
    settings,
    env: { account: settings.account, region: settings.region },
  });
  return { app, stack, settings };
}

/** Makes the synthesis fail on findings of the packs that the settings name, AwsSolutions if they name none. */
export function addChosenNagPacks({ app, settings }: MngrFargateApp): void {
  const names = settings.nagPacks ?? ['AwsSolutions'];
  addNagPacks(
    app,
    names.filter((name): name is NagPackName => name !== 'none'),
  );
}

const prefixed = (prefix: string | undefined, name: string): string =>
  prefix === undefined ? name : `${prefix}-${name}`;

/** The context of this package's cdk.json, which the CDK's CLI would have passed on. */
const featureFlags = (): Record<string, unknown> =>
  (JSON.parse(readFileSync(join(packageRoot(), 'cdk.json'), 'utf8')) as { context: Record<string, unknown> }).context;
