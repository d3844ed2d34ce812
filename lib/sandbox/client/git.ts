import type {
  ApiGitBranch,
  ApiGitCheckout,
  ApiGitClone,
  ApiGitCommit,
  ApiGitDiff,
  ApiGitLog,
  ApiGitPull,
  ApiGitPush,
  ApiGitStatus,
} from './api-types';
import { submitEvent } from './command';
import type { Command } from './command';
import type { Http } from './http';

interface Call {
  readonly signal?: AbortSignal;
}

/**
 * Git in a sandbox. Each call is a command: its output can be streamed, and awaiting it gives its exit code and output.
 * `path` is the folder of the repository, by default /workspace. Credentials reach neither disk nor log.
 */
export class Git {
  constructor(
    private readonly http: Http,
    private readonly box: string,
  ) {}

  clone(request: ApiGitClone & Call): Command {
    return this.run('clone', request);
  }

  /** Of all that has changed, or of `files`. Needs no configured identity. */
  commit(request: ApiGitCommit & Call): Command {
    return this.run('commit', request);
  }

  /** In the form of `git status --porcelain=v2`. */
  status(request: ApiGitStatus & Call = {}): Command {
    return this.run('status', request);
  }

  diff(request: ApiGitDiff & Call = {}): Command {
    return this.run('diff', request);
  }

  log(request: ApiGitLog & Call = {}): Command {
    return this.run('log', request);
  }

  /** Lists branches, or makes or deletes `name`. */
  branch(request: ApiGitBranch & Call = {}): Command {
    return this.run('branch', request);
  }

  checkout(request: ApiGitCheckout & Call): Command {
    return this.run('checkout', request);
  }

  push(request: ApiGitPush & Call = {}): Command {
    return this.run('push', request);
  }

  pull(request: ApiGitPull & Call = {}): Command {
    return this.run('pull', request);
  }

  private run(name: string, { signal, ...request }: object & Call): Command {
    return submitEvent(this.http, this.box, `git/${name}`, request, signal);
  }
}
