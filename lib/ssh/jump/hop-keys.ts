import { readFile } from 'node:fs/promises';
import type {
  AnyAuthMethod,
  IdentityCallback,
  KnownPublicKeys,
  ParsedKey,
  SignCallback,
  SigningRequestOptions,
} from 'ssh2';
import { BaseAgent, createAgent, utils } from 'ssh2';
import type { HopSettings } from './hop-settings';

type AgentKey = ParsedKey | Buffer | string;

/** What a login can be tried with, and what to tell if none of it is accepted. */
export interface HopKeys {
  readonly methods: readonly AnyAuthMethod[];
  /** In words, for example `2 keys of ssh-agent`. */
  readonly offered: readonly string[];
  /** Identity files that are there and can't be used, with the reason. */
  readonly unusable: readonly string[];
}

/** Keys of the agent in the order in which ssh tries them; it signs, and the keys never leave it. */
class ChosenAgentKeys extends BaseAgent<AgentKey> {
  constructor(
    private readonly agent: BaseAgent<AgentKey>,
    private readonly keys: readonly AgentKey[],
  ) {
    super();
  }

  getIdentities(done: IdentityCallback<AgentKey>): void {
    done(undefined, [...this.keys]);
  }

  sign(key: AgentKey, data: Buffer, ...rest: [SigningRequestOptions, SignCallback?] | [SignCallback]): void {
    (this.agent.sign as (...words: unknown[]) => void).call(this.agent, key, data, ...rest);
  }
}

/** The keys that the user's ssh would try: those of ssh-agent, then the identity files without a passphrase. */
export async function hopKeys(settings: HopSettings): Promise<HopKeys> {
  const { user: username, identityFiles, identitiesOnly, agentSocket } = settings;
  const offered: string[] = [];
  const unusable: string[] = [];
  const methods: AnyAuthMethod[] = [];
  const named = await Promise.all(identityFiles.map((file) => publicKeyOf(`${file}.pub`)));
  const isNamed = (key: AgentKey): boolean => named.some((one) => one?.equals(blobOf(key)));

  if (agentSocket !== undefined) {
    const agent = createAgent(agentSocket) as BaseAgent<AgentKey>;
    const all = await identitiesOf(agent);
    if (all === undefined) unusable.push(`ssh-agent (nothing answers at ${agentSocket})`);
    const first = (all ?? []).filter(isNamed);
    const keys = identitiesOnly ? first : [...first, ...(all ?? []).filter((key) => !isNamed(key))];
    if (keys.length > 0) {
      methods.push({ type: 'agent', username, agent: new ChosenAgentKeys(agent, keys) as unknown as BaseAgent });
      offered.push(keys.length === 1 ? '1 key of ssh-agent' : `${keys.length} keys of ssh-agent`);
    }
  }
  for (const file of identityFiles) {
    const text = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') unusable.push(`${file} (it can't be read)`);
      return undefined;
    });
    if (text === undefined) continue;
    const parsed = utils.parseKey(text) as ParsedKey | ParsedKey[] | Error;
    const [key] = [parsed].flat();
    if (key === undefined || key instanceof Error || !key.isPrivateKey()) {
      unusable.push(`${file} (${reasonOf(key)})`);
      continue;
    }
    methods.push({ type: 'publickey', username, key });
    offered.push(file);
  }
  return { methods, offered, unusable };
}

const reasonOf = (problem: unknown): string =>
  problem instanceof Error && /passphrase/.test(problem.message)
    ? 'it has a passphrase: add it to ssh-agent with ssh-add'
    : 'not a kind of private key that can be used here';

const blobOf = (key: AgentKey): Buffer => {
  if (Buffer.isBuffer(key)) return key;
  return typeof key === 'string' ? Buffer.from(key, 'base64') : key.getPublicSSH();
};

/** In SSH wire form; undefined where there is no such file. */
async function publicKeyOf(file: string): Promise<Buffer | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const [, key] = text.split(' ');
  return key === undefined ? undefined : Buffer.from(key, 'base64');
}

/** Undefined if no agent answers. */
const identitiesOf = (agent: BaseAgent<AgentKey>): Promise<readonly AgentKey[] | undefined> =>
  new Promise((resolve) =>
    agent.getIdentities((error, keys?: KnownPublicKeys<AgentKey>) =>
      // An agent of our own gives keys alone, without what it says about them.
      resolve(error ? undefined : ((keys ?? []) as AgentKey[])),
    ),
  );
