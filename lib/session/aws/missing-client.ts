import { MngrFargateError } from '../../contract/errors';

export const missingClient = (name: string, doing: string): MngrFargateError =>
  new MngrFargateError('usage', `openSession was called without \`clients.${name}\`, which ${doing}`);
