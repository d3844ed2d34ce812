#!/usr/bin/env node
import { isMngrFargateError } from '../lib/contract/errors';
import { addChosenNagPacks, createApp } from '../lib/stacks/app';

try {
  const mngrFargate = createApp();
  addChosenNagPacks(mngrFargate);
  mngrFargate.app.synth();
} catch (error) {
  // A construct that refuses its settings throws a plain Error with its path and the reason.
  if (!(error instanceof Error) || process.env.MNGR_FARGATE_DEBUG) throw error;
  console.error(`mngr-fargate: ${error.message}`);
  if (isMngrFargateError(error) && error.hint !== undefined) console.error(error.hint);
  process.exitCode = 1;
}
