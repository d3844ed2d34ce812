import { createHash } from 'node:crypto';
import { MngrFargateError } from '../../contract/errors';
import { jsonObject } from '../wire/acknowledgement';
import { PAYLOAD } from '../wire/payload-types';
import { Encryption } from './encryption';

/** A data key for one session, in plain text and as the agent gets it. */
export interface DataKey {
  readonly plaintext: Uint8Array;
  readonly ciphertext: Uint8Array;
}

export interface HandshakeOptions {
  readonly clientVersion: string;
  /** What the agent must say it runs. */
  readonly expects: 'shell' | 'port';
  /** Gets a data key from KMS. Throws `denied` and the like. */
  readonly dataKey: (keyId: string) => Promise<DataKey>;
  readonly send: (payloadType: number, payload: Buffer) => void;
}

/** What the agent said and what was agreed. */
export interface Agreement {
  readonly agentVersion: string;
  /** Whether port sessions are multiplexed. */
  readonly multiplexed: boolean;
  readonly encryption: Encryption | undefined;
  /** What the agent has to tell the user. */
  readonly customerMessage: string;
}

const STATUS = { success: 1, failed: 2, unsupported: 3 } as const;
const SHELLS: readonly unknown[] = ['Standard_Stream', 'InteractiveCommands', 'NonInteractiveCommands'];
const HANDSHAKE: ReadonlySet<number> = new Set([
  PAYLOAD.handshakeRequest,
  PAYLOAD.challengeRequest,
  PAYLOAD.handshakeComplete,
]);

interface ProcessedAction {
  readonly ActionType: unknown;
  readonly ActionStatus: number;
  readonly ActionResult: unknown;
  readonly Error: string;
}

/** Answers the agent's side of the handshake. */
export class Handshake {
  private agentVersion = '';
  private multiplexed = false;
  private encryption: Encryption | undefined;

  constructor(private readonly options: HandshakeOptions) {}

  static handles(payloadType: number): boolean {
    return HANDSHAKE.has(payloadType);
  }

  /** Takes one message. Resolves to the agreement once the agent says that the handshake is complete. */
  async take(payloadType: number, payload: Buffer): Promise<Agreement | undefined> {
    const body = jsonObject(payload);
    if (payloadType === PAYLOAD.handshakeRequest) await this.answer(body);
    else if (payloadType === PAYLOAD.challengeRequest) this.meetChallenge(body);
    else {
      const { agentVersion, multiplexed, encryption } = this;
      const { CustomerMessage: customerMessage } = body;
      return { agentVersion, multiplexed, encryption, customerMessage: text(customerMessage) };
    }
    return undefined;
  }

  private async answer({ AgentVersion, RequestedClientActions }: Readonly<Record<string, unknown>>): Promise<void> {
    this.agentVersion = text(AgentVersion);
    const requested: readonly unknown[] = Array.isArray(RequestedClientActions) ? RequestedClientActions : [];
    const processed: ProcessedAction[] = [];
    let problem: MngrFargateError | undefined;
    for (const action of requested) {
      const { ActionType: type, ActionParameters: parameters } = members(action);
      const done = await this.process(type, members(parameters)).catch((error: unknown) => {
        problem ??= error as MngrFargateError;
        return { ActionStatus: STATUS.failed, ActionResult: null, Error: (error as Error).message };
      });
      processed.push({ ActionType: type, ...done });
      if (done.ActionStatus === STATUS.unsupported) problem ??= unsupported(done.Error);
    }
    this.reply(PAYLOAD.handshakeResponse, {
      ClientVersion: this.options.clientVersion,
      ProcessedClientActions: processed,
      Errors: problem === undefined ? null : [problem.message],
    });
    if (problem !== undefined) throw problem;
  }

  private async process(
    type: unknown,
    parameters: Readonly<Record<string, unknown>>,
  ): Promise<Omit<ProcessedAction, 'ActionType'>> {
    if (type === 'SessionType') return this.acceptType(parameters);
    if (type === 'KMSEncryption') return this.makeKey(text(parameters.KMSKeyId));
    return refusal(`this client does not support the action ${text(type)}`);
  }

  private acceptType({ SessionType: type, Properties: properties }: Readonly<Record<string, unknown>>) {
    const isExpected = this.options.expects === 'port' ? type === 'Port' : SHELLS.includes(type);
    if (!isExpected) return refusal(`the session is of type ${text(type)}, not a ${this.options.expects} session`);
    this.multiplexed = members(properties).type === 'LocalPortForwarding';
    return { ActionStatus: STATUS.success, ActionResult: null, Error: '' };
  }

  private async makeKey(keyId: string) {
    const { plaintext, ciphertext } = await this.options.dataKey(keyId);
    this.encryption = new Encryption(plaintext);
    const result = { KMSCipherTextKey: base64(ciphertext), KMSCipherTextHash: hash(ciphertext) };
    return { ActionStatus: STATUS.success, ActionResult: result, Error: '' };
  }

  /** Shows that both sides have the key: decrypts what the agent encrypted, and encrypts it for the agent. */
  private meetChallenge({ Challenge: challenge }: Readonly<Record<string, unknown>>): void {
    const { encryption } = this;
    if (encryption === undefined) throw unsupported('the agent asks for an encrypted answer without a key');
    let plain: Buffer;
    try {
      plain = encryption.decrypt(Buffer.from(text(challenge), 'base64'));
    } catch (error) {
      const problem = 'the agent encrypts with a key other than the one that this session agreed on';
      throw new MngrFargateError('failed', problem, { cause: error });
    }
    this.reply(PAYLOAD.challengeResponse, { Challenge: base64(encryption.encrypt(plain)) });
  }

  private reply(payloadType: number, body: unknown): void {
    this.options.send(payloadType, Buffer.from(JSON.stringify(body)));
  }
}

const refusal = (why: string) => ({ ActionStatus: STATUS.unsupported, ActionResult: null, Error: why });

const unsupported = (why: string): MngrFargateError => new MngrFargateError('failed', why);

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const members = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');
