import { STACK_OUTPUTS } from '../../../lib/contract/outputs';

/** Outputs that only an environment with a setting for them has. */
export const OPTIONAL_OUTPUTS: ReadonlySet<string> = new Set([STACK_OUTPUTS.defaultMaxAge, STACK_OUTPUTS.proxyJump]);
