import type { Sandbox, SandboxClient } from '../client';
import { SessionNotFoundError } from '../client';

/**
 * The sandbox that an agent works in when it names none: the one it was given, else one that is made at its first use, found
 * again while it lasts, and destroyed with the workplace.
 */
export class Workplace {
  private made: Promise<Sandbox> | undefined;

  constructor(
    private readonly client: SandboxClient,
    private readonly options: {
      /** Id of a sandbox that is there already. It is never destroyed from here. */
      readonly id?: string;
      /** What made it, as metadata `created_by`. */
      readonly createdBy: string;
      /** Leaves the sandbox to its time to live. */
      readonly keep?: boolean;
    },
  ) {}

  /** The sandbox with this id, or the workplace's own. */
  async sandbox(id: string | undefined = this.options.id): Promise<Sandbox> {
    if (id !== undefined) return this.client.connect(id);
    if (this.made !== undefined) {
      const made = await this.made;
      // Its time to live may be over.
      if ((await made.refresh()).status === 'active') return made;
      this.made = undefined;
    }
    this.made = this.client.create({ metadata: { created_by: this.options.createdBy } });
    // One that could not be made is tried again by the next call.
    this.made.catch(() => {
      this.made = undefined;
    });
    return this.made;
  }

  /** The id of the sandbox that `sandbox()` gives; undefined while there is none. */
  async id(): Promise<string | undefined> {
    return this.options.id ?? (await this.made?.catch(() => undefined))?.id;
  }

  /** Destroys what was made here. */
  async close(): Promise<void> {
    const made = await this.made?.catch(() => undefined);
    this.made = undefined;
    if (made === undefined || this.options.keep === true) return;
    await made.destroy().catch((error: unknown) => {
      if (!(error instanceof SessionNotFoundError)) throw error;
    });
  }
}
