import { spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { openBothEnds } from './pipes';

/**
 * A small bash of root's that holds pipes open, so that programs which use them survive the engine: writers block instead of
 * dying, and readers see no end of file. Of pipes that commands write to it holds the reading end alone: they must be able to
 * end. It learns about pipes over its own pipe. The engine holds each pipe as well, so that nothing depends on when the keeper
 * gets to it.
 */
const KEEPER_SCRIPT = `
trap '' HUP INT TERM
declare -A held
while IFS=' ' read -r what path; do
  case $what in
    hold) [[ -n \${held[$path]-} ]] || { { exec {fd}<>"$path"; } 2>/dev/null && held[$path]=$fd; } ;;
    read) [[ -n \${held[$path]-} ]] || { { exec {both}<>"$path" {fd}<"$path" {both}>&-; } 2>/dev/null && held[$path]=$fd; } ;;
    release) fd=\${held[$path]-}; [[ -z $fd ]] || { exec {fd}>&-; unset "held[$path]"; } ;;
    end) exit ;;
  esac
done
`;

export class Keeper {
  private readonly own = new Map<string, number>();

  private constructor(
    private readonly control: number | undefined,
    readonly pid: number | undefined,
  ) {}

  /** A keeper that reads from the named pipe `path`. Without bash there is none, and commands end with the engine. */
  static start(path: string, bash: string | undefined): Keeper {
    if (bash === undefined) return new Keeper(undefined, undefined);
    const control = openBothEnds(path);
    // Its input is open at both ends, so that it doesn't end with the engine.
    const input = openSync(path, 'r+');
    const child = spawn(bash, ['--norc', '--noprofile', '-c', KEEPER_SCRIPT, 'sandboxd-keeper'], {
      detached: true,
      stdio: [input, 'ignore', 'ignore'],
      cwd: '/',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    });
    child.on('error', () => undefined);
    child.unref();
    closeSync(input);
    return new Keeper(control, child.pid);
  }

  /** The keeper of an earlier engine. */
  static join(path: string, pid: number): Keeper {
    return new Keeper(openBothEnds(path), pid);
  }

  hold(path: string): void {
    this.own.set(path, openBothEnds(path));
    this.tell(`hold ${path}`);
  }

  /** The reading end alone. Whoever calls has one of its own. */
  holdReader(path: string): void {
    this.tell(`read ${path}`);
  }

  release(path: string): void {
    const descriptor = this.own.get(path);
    if (descriptor !== undefined) closeSync(descriptor);
    this.own.delete(path);
    this.tell(`release ${path}`);
  }

  end(): void {
    this.tell('end');
  }

  private tell(line: string): void {
    if (this.control === undefined) return;
    try {
      writeSync(this.control, `${line}\n`);
    } catch {
      // A keeper that is 64 KiB behind or dead: then these commands don't survive the engine.
    }
  }
}
