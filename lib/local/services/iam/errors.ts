import { AwsError } from '../../wire/aws-error';

export const invalidInput = (message: string): AwsError => new AwsError('InvalidInput', message);
export const noSuchEntity = (message: string): AwsError => new AwsError('NoSuchEntity', message, { status: 404 });
export const policyEvaluationFailed = (message: string): AwsError =>
  new AwsError('PolicyEvaluation', message, { status: 500 });
export const validationError = (message: string): AwsError => new AwsError('ValidationError', message);
