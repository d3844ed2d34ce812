import { outputOf } from './file-output';

/** The streams and the environment that a run of the program works with. */
export interface Io {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly environment: NodeJS.ProcessEnv;
}

export const processIo = (): Io => ({
  stdin: process.stdin,
  stdout: outputOf(process.stdout),
  stderr: outputOf(process.stderr),
  environment: process.env,
});

/** True where a person watches the stream and lines may be redrawn. */
export const isInteractive = (stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): boolean =>
  stream.isTTY === true && environment.TERM !== 'dumb';

/** True where colours are welcome: a terminal, and no NO_COLOR (no-color.org). */
export const hasColour = (stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): boolean =>
  isInteractive(stream, environment) && !environment.NO_COLOR;
