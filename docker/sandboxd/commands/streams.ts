import type { Host } from '../host/host';
import type { OutputPipe } from '../host/output-pipe';
import type { Stream } from '../output/output-log';
import type { CommandPipes } from './journal';

const OUTPUTS = ['stdout', 'stderr'] as const;

/** The pipes of one command, from before its start until its end. */
export class CommandStreams {
  private constructor(
    private readonly host: Host,
    readonly paths: CommandPipes,
    private readonly outputs: Readonly<Record<Stream, OutputPipe>>,
  ) {}

  static async open(
    host: Host,
    { uid, gid }: { readonly uid: number; readonly gid: number },
    needs: { readonly stdin: boolean; readonly secret: boolean },
  ): Promise<CommandStreams> {
    const { pipes } = host;
    const stdout = await pipes.takeOutput(uid, gid);
    const stderr = await pipes.takeOutput(uid, gid);
    const paths = {
      stdout: stdout.path,
      stderr: stderr.path,
      ...(needs.stdin ? { stdin: await pipes.take(uid, gid) } : {}),
      ...(needs.secret ? { secret: await pipes.take(uid, gid) } : {}),
    };
    return new CommandStreams(host, paths, { stdout, stderr });
  }

  /** Those of a command that an earlier engine has started. */
  static join(host: Host, paths: CommandPipes): CommandStreams {
    const outputs = { stdout: host.pipes.joinOutput(paths.stdout), stderr: host.pipes.joinOutput(paths.stderr) };
    for (const path of inputsOf(paths)) host.keeper.hold(path);
    return new CommandStreams(host, paths, outputs);
  }

  /** The same with a pipe for a long command line. */
  withText(text: string): CommandStreams {
    return new CommandStreams(this.host, { ...this.paths, text }, this.outputs);
  }

  listen(hear: (stream: Stream, bytes: Buffer) => void): void {
    for (const stream of OUTPUTS) this.outputs[stream].listen((bytes) => hear(stream, bytes));
  }

  /** Passes on all output that is there at the command's end. */
  drain(): void {
    for (const stream of OUTPUTS) this.outputs[stream].drain();
  }

  /** What still has them open goes on, into the void, until it closes them. */
  release(): void {
    for (const stream of OUTPUTS) this.host.pipes.releaseOutput(this.outputs[stream]);
    for (const path of inputsOf(this.paths)) this.host.pipes.release(path);
  }
}

const inputsOf = ({ stdin, secret, text }: CommandPipes): string[] =>
  [stdin, secret, text].filter((path) => path !== undefined);
