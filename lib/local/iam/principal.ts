import type { PolicyDocument } from './policy';

/** Who makes a call: the account's administrator, or a session of a role of the template. */
export type Principal =
  | { readonly kind: 'administrator'; readonly accountId: string; readonly arn: string; readonly userId: string }
  | {
      readonly kind: 'session';
      readonly accountId: string;
      /** `arn:aws:sts::<account>:assumed-role/<role name>/<session name>` */
      readonly arn: string;
      /** `<role id>:<session name>` */
      readonly userId: string;
      readonly roleArn: string;
      /** Session policies; each must allow what the role's policies allow. */
      readonly sessionPolicies: readonly PolicyDocument[];
      readonly expiresAt: Date;
    };

/** Access keys and who they stand for. */
export interface Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly principal: Principal;
}
