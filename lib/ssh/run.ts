import type { ChannelExecOptions, CommandExit, HostChannel } from '../contract/channel';
import { TextSink } from './text-sink';

/** Runs a command line like `exec`, and returns both outputs as text. */
export async function run(
  channel: HostChannel,
  command: string,
  options: Pick<ChannelExecOptions, 'stdin' | 'signal'> = {},
): Promise<CommandExit & { readonly stdout: string; readonly stderr: string }> {
  const stdout = new TextSink();
  const stderr = new TextSink();
  const exit = await channel.exec(command, { ...options, stdout, stderr });
  return { ...exit, stdout: stdout.text(), stderr: stderr.text() };
}
