import { MngrFargateError } from '../contract/errors';

/**
 * Version of the JSON that commands print. New members leave it as it is; a member that goes, or changes its name, type
 * or meaning, makes a new one (docs/decisions/091). `plugin/contract/` has the schema.
 */
export const CONTRACT_VERSION = 1;

/** Throws `usage` when a program was made for another version (`--contract`). */
export function requireContract(wanted: string | undefined): void {
  if (wanted === undefined || wanted === String(CONTRACT_VERSION)) return;
  throw new MngrFargateError(
    'usage',
    `this mngr-fargate prints JSON of version ${CONTRACT_VERSION}, not ${JSON.stringify(wanted)}`,
    {
      hint: 'run "mngr-fargate mngr install" to install the plugin that matches it',
      details: { wanted, contractVersion: CONTRACT_VERSION },
    },
  );
}
