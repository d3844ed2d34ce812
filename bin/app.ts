#!/usr/bin/env node
import { isMngrFargateError } from '../lib/contract/errors';
import { addChosenNagPacks, createApp } from '../lib/stacks/app';

try {
  const mngrFargate = createApp();
  addChosenNagPacks(mngrFargate);
  mngrFargate.app.synth();
} catch (error) {
  if (!isMngrFargateError(error)) throw error;
  console.error(`mngr-fargate: ${error.message}`);
  if (error.hint !== undefined) console.error(error.hint);
  process.exitCode = 1;
}
