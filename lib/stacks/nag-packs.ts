import type { App } from 'aws-cdk-lib';
import { Validations } from 'aws-cdk-lib';
import type { NagPack } from 'cdk-nag';
import {
  AwsSolutionsChecks,
  HIPAASecurityChecks,
  NIST80053R4Checks,
  NIST80053R5Checks,
  PCIDSS321Checks,
} from 'cdk-nag';

const PACKS = {
  AwsSolutions: AwsSolutionsChecks,
  'HIPAA.Security': HIPAASecurityChecks,
  'NIST.800.53.R4': NIST80053R4Checks,
  'NIST.800.53.R5': NIST80053R5Checks,
  'PCI.DSS.321': PCIDSS321Checks,
} as const satisfies Record<string, new (scope: App, props: { verbose: boolean }) => NagPack>;

export type NagPackName = keyof typeof PACKS;

/** The packs of cdk-nag that the key `nagPacks` may name. */
export const NAG_PACK_NAMES = Object.keys(PACKS) as [NagPackName, ...NagPackName[]];

/**
 * Makes the synthesis fail on findings of these packs. The template is clean of AwsSolutions; unacknowledged findings
 * of the other packs are for the team that asked for the pack to assess.
 */
export function addNagPacks(app: App, names: readonly NagPackName[]): void {
  Validations.of(app).addPlugins(...names.map((name) => new PACKS[name](app, { verbose: true })));
}
