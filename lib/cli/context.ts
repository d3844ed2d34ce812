import type { AwsSettings } from '../aws/client-options';
import type { MfaCode } from '../aws/credentials';
import type { Hosts } from '../hosts/hosts';
import type { HostsOptions } from '../hosts/model/types';
import type { LoadedProviderConfig, LoadRequest, TaskPlace } from '../mngr/index';
import type { MngrFargateError } from '../contract/errors';
import type { EcsTasks } from '../tasks/index';
import { asMngrFargateError, errorDocument, errorText } from './error-report';
import { EXIT_CODES } from './exit-codes';
import type { GlobalOptions } from './global-options';
import { overridesOf } from './global-options';
import type { Interrupts } from './interrupts';
import type { Io } from './io';
import { printableText } from './render/colour';
import { jsonLine, printable } from '../util/printable';

/** Directory name that no profile has: where a machine without a profile would keep its keys, and therefore none. */
const NO_PROFILE = '(none)';

/** What a command works with: its streams, its options, and the library, loaded when it is asked for. */
export class CliContext {
  constructor(
    readonly io: Io,
    readonly options: GlobalOptions,
    /** The words after `--`; undefined if there was no `--`. */
    readonly passthrough: readonly string[] | undefined,
    readonly interrupts: Interrupts,
  ) {
    const askMfaCode: MfaCode = async (device, refused) =>
      (await import('./mfa-code.js')).askMfaCode(io, device, { refused, signal: this.signal });
    this.aws = io.stdin.isTTY ? { mfaCode: askMfaCode } : {};
  }

  /** One for all that a run does, so that a code of an MFA device is asked for once. */
  private readonly aws: AwsSettings;

  get signal(): AbortSignal {
    return this.interrupts.signal;
  }

  get json(): boolean {
    return this.options.json === true;
  }

  get verbose(): boolean {
    return this.options.verbose === true;
  }

  get debug(): boolean {
    return Boolean(this.io.environment.MNGR_FARGATE_DEBUG);
  }

  /** The command's result for a person. Nothing in it but our own colours reaches the terminal as a control sequence. */
  print(text: string): void {
    this.io.stdout.write(printableText(text));
  }

  /** The command's result as one line of JSON. */
  printJson(value: unknown): void {
    this.io.stdout.write(`${jsonLine(value)}\n`);
  }

  /** Either of them. */
  result(value: unknown, text: () => string): void {
    if (this.json) this.printJson(value);
    else this.print(text());
  }

  /** A line on stderr, apart from the result. */
  note(line: string): void {
    this.io.stderr.write(`${printable(line)}\n`);
  }

  verboseNote(line: string): void {
    if (this.verbose) this.note(line);
  }

  /** Reports an error the way the user asked for, and says which exit code it has. */
  report(thrown: unknown): number {
    const error = asMngrFargateError(thrown, this.signal);
    if (this.json) this.printJson(errorDocument(error));
    if (!this.json || this.debug) this.io.stderr.write(errorText(error, this));
    return EXIT_CODES[error.code];
  }

  /** Reports one of several errors to a person; the command goes on. */
  reportText(error: MngrFargateError, subject?: string): void {
    this.io.stderr.write(errorText(error, { verbose: this.verbose, debug: this.debug, subject }));
  }

  /** The provider's configuration (lib/mngr). */
  async loadConfig(signal: AbortSignal = this.signal): Promise<LoadedProviderConfig> {
    const { loadProviderConfig } = await import('../mngr/index.js');
    const loaded = await loadProviderConfig(await this.loadRequest(signal));
    for (const [key, source] of Object.entries(loaded.sources)) this.verboseNote(`${key}: from ${source}`);
    return loaded;
  }

  /** What configuration is loaded with. */
  async loadRequest(signal: AbortSignal = this.signal): Promise<LoadRequest> {
    return {
      baseDirectory: await this.baseDirectory(),
      environment: this.io.environment,
      provider: this.options.provider,
      overrides: overridesOf(this.options),
      stack: this.options.stack,
      aws: this.aws,
      signal,
    };
  }

  /** mngr's base directory, which config.toml is in. */
  async baseDirectory(): Promise<string> {
    return (await import('../mngr/index.js')).mngrBaseDirectory(this.io.environment);
  }

  /** Where this machine keeps the keys of hosts. */
  async keyDirectory(): Promise<string> {
    const { keyDirectoryOf, mngrBaseDirectory, readProfile } = await import('../mngr/index.js');
    const base = mngrBaseDirectory(this.io.environment);
    return keyDirectoryOf(base, (await readProfile(base)) ?? NO_PROFILE);
  }

  /** What the library works with. `writesKeys` as in `withHosts`. */
  async hostsOptions({
    writesKeys = false,
    signal,
  }: { writesKeys?: boolean; signal?: AbortSignal } = {}): Promise<HostsOptions> {
    const { config, provider } = await this.loadConfig(signal);
    const { ensureProfile, keyDirectoryOf, mngrBaseDirectory, readProfile } = await import('../mngr/index.js');
    const base = mngrBaseDirectory(this.io.environment);
    const profile = writesKeys ? await ensureProfile(base) : ((await readProfile(base)) ?? NO_PROFILE);
    await this.askMfaCode({ profile: config.aws_profile, region: config.aws_region });
    const { HOME, SSH_AUTH_SOCK } = this.io.environment;
    const userSsh = { home: HOME || undefined, agentSocket: SSH_AUTH_SOCK };
    return { config, provider, keyDirectory: keyDirectoryOf(base, profile), aws: this.aws, userSsh };
  }

  /** Before anything is shown that a question would disturb. */
  private async askMfaCode({ profile, region }: { readonly profile?: string; readonly region: string }): Promise<void> {
    if (this.aws.mfaCode === undefined) return;
    const { needsMfaCode } = await import('../aws/credentials.js');
    if (!(await needsMfaCode(profile))) return;
    const { awsCredentials } = await import('../aws/client-options.js');
    await awsCredentials({ profile, region }, this.aws)();
  }

  /**
   * Runs `work` with the launcher and closes it afterwards. `writesKeys` makes mngr's profile where there is none yet;
   * commands that only read write nothing.
   */
  async withHosts<Result>(
    work: (hosts: Hosts) => Promise<Result>,
    { writesKeys = false, signal }: { writesKeys?: boolean; signal?: AbortSignal } = {},
  ): Promise<Result> {
    const options = await this.hostsOptions({ writesKeys, signal });
    const library = await import('../hosts/index.js');
    const hosts = new library.Hosts(options);
    try {
      return await work(hosts);
    } finally {
      await hosts.close();
    }
  }

  /** Runs `work` with what reads tasks of any cluster, and closes it afterwards. */
  async withTasks<Result>(place: TaskPlace, work: (tasks: EcsTasks) => Promise<Result>): Promise<Result> {
    await this.askMfaCode(place);
    const { EcsTasks } = await import('../tasks/index.js');
    const tasks = new EcsTasks(place, this.aws);
    try {
      return await work(tasks);
    } finally {
      tasks.close();
    }
  }
}
