import { GetRoleCommand, IAMClient, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import type { EvaluationResult, IAMClientConfig, SimulatePrincipalPolicyCommandInput } from '@aws-sdk/client-iam';

/** The calls to IAM. A module of its own, loaded by the first command that asks about permissions. */
export class IamApi {
  private readonly client: IAMClient;

  constructor(options: IAMClientConfig) {
    this.client = new IAMClient(options);
  }

  /** The ARN of a role, which has its path. */
  async roleArn(name: string, abortSignal?: AbortSignal): Promise<string | undefined> {
    return (await this.client.send(new GetRoleCommand({ RoleName: name }), { abortSignal })).Role?.Arn;
  }

  async simulate(input: SimulatePrincipalPolicyCommandInput, abortSignal?: AbortSignal): Promise<EvaluationResult[]> {
    const answer = await this.client.send(new SimulatePrincipalPolicyCommand(input), { abortSignal });
    return answer.EvaluationResults ?? [];
  }

  destroy(): void {
    this.client.destroy();
  }
}
