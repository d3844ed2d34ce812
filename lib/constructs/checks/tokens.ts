import { Token } from 'aws-cdk-lib';

/** Whether a value, or anything in a list or map, is only known once the stack is deployed. */
export const hasToken = (value: unknown): boolean =>
  Token.isUnresolved(value) ||
  (typeof value === 'object' &&
    value !== null &&
    Object.entries(value).some(([key, member]) => Token.isUnresolved(key) || hasToken(member)));
