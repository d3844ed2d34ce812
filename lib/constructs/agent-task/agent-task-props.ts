import type { Duration } from 'aws-cdk-lib';
import type { IAgentEnvironment } from '../environment/environment-interfaces';
import type { IAgentTaskProvider } from './agent-task-provider';

export interface AgentTaskProps {
  /** Where the host runs. */
  readonly environment: IAgentEnvironment;

  /** Name of the host: letters, digits, `-` and `_`, at most 63. Its agent's tmux session is `mngr-<name>`. */
  readonly name: string;

  /** Who may log in: one OpenSSH public key, as in a `.pub` file. The private key stays out of the stack. */
  readonly publicKey: string;

  /**
   * Additional OpenSSH public keys that may log in.
   *
   * @default - none
   */
  readonly authorizedKeys?: string[];

  /**
   * Program and arguments for the agent's tmux session. Whoever may describe ECS tasks can read it.
   *
   * @default - no session is started
   */
  readonly command?: string[];

  /**
   * Environment variables of the agent. Whoever may read the stack or describe ECS tasks can read them, so names that
   * look like secrets are refused: give a secret to the environment's `secrets` and read it on the host.
   *
   * @default - none
   */
  readonly env?: Record<string, string>;

  /**
   * Time without activity after which the host ends itself. The stack doesn't notice.
   *
   * @default Duration.seconds(0), which means never: the host ends with the stack
   */
  readonly idleTimeout?: Duration;

  /**
   * Age at which the environment's reaper stops the host, at least a minute. Can be changed while it runs.
   *
   * @default - the environment's `defaultMaxAge`
   */
  readonly maxAge?: Duration;

  /**
   * CPU units; see `AgentTaskDefinition` for the possible sizes.
   *
   * @default - the environment's
   */
  readonly cpu?: number;

  /**
   * Memory in MiB.
   *
   * @default - the environment's
   */
  readonly memoryLimitMiB?: number;

  /**
   * The host's disk in GiB, 21 to 200.
   *
   * @default - the environment's
   */
  readonly ephemeralStorageGiB?: number;

  /**
   * Runs on Fargate Spot, where AWS can end the host at two minutes' notice. The stack doesn't start it again.
   *
   * @default false
   */
  readonly spot?: boolean;

  /**
   * Tags of the host, not beginning with `mngr-`. Can be changed while it runs.
   *
   * @default - none
   */
  readonly tags?: Record<string, string>;

  /**
   * Name of the provider block that launchers see the host under.
   *
   * @default 'fargate'
   */
  readonly providerName?: string;

  /**
   * Time that the host may take until sshd answers, at most 55 minutes.
   *
   * @default Duration.minutes(15)
   */
  readonly timeout?: Duration;

  /**
   * What starts and watches the host.
   *
   * @default - one that all hosts of the stack in this environment share
   */
  readonly resourceProvider?: IAgentTaskProvider;
}
