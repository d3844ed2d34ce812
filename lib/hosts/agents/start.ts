import { MngrFargateError } from '../../contract/errors';
import { pause } from '../../util/abort';
import type { AgentNotice } from '../model/types';
import { agentOfCommand, inputBox } from './coding-agents';
import { dialogOn } from './dialogs';
import { AgentPane } from './pane';
import type { Observation, RunScript } from './pane';
import { SESSION_PREFIX } from '../../contract/agent-session';
import { shownRows } from './screen';

/** Between two looks at the pane. Milliseconds. */
const LOOK_INTERVAL_MS = 200;
/** A command that runs for this long has not ended at once. Milliseconds. */
const RUNNING_AFTER_MS = 500;
/** How long a coding agent may need before it takes text or asks something. Milliseconds. */
const AGENT_LIMIT_MS = 20_000;
/** An input line that is there for less time may be a frame of a first screen: Codex shows one before it asks. Milliseconds. */
const STEADY_AFTER_MS = 800;

/**
 * Watches a host's command start. Returns what its user should know: that it has ended already, or what it asks; undefined
 * where it simply runs. Throws `failed` when it ends at once with another exit code than 0, with its last screen.
 */
export async function watchStart(
  run: RunScript,
  hostName: string,
  command: readonly string[],
  signal?: AbortSignal,
): Promise<AgentNotice | undefined> {
  const started = performance.now();
  const agent = agentOfCommand(command);
  const { pane, observation: first } = await AgentPane.find(run, hostName, SESSION_PREFIX + hostName, false);
  let runningSince: number | undefined;
  let boxSince: number | undefined;
  for (let observation = first; ; observation = await pane.look()) {
    const now = performance.now();
    if (observation.exitCode !== null) return endedAtOnce(command, observation.exitCode, observation);
    const isAgent = observation.foreground.kind === 'agent';
    if (isAgent) runningSince ??= now;
    if (agent !== undefined && isAgent) {
      boxSince = inputBox(agent, observation.screen) === undefined ? undefined : (boxSince ?? now);
      if (boxSince !== undefined && now - boxSince >= STEADY_AFTER_MS) return undefined;
      const dialog = boxSince === undefined ? dialogOn(observation.screen) : undefined;
      if (dialog !== undefined) return { exitCode: null, dialog: dialog.name, screen: shownRows(observation.screen) };
    }
    const limit =
      agent === undefined && runningSince !== undefined ? runningSince + RUNNING_AFTER_MS : started + AGENT_LIMIT_MS;
    if (now > limit) return undefined;
    await pause(LOOK_INTERVAL_MS, `watching the start of ${command[0]}`, signal);
  }
}

function endedAtOnce(command: readonly string[], exitCode: number, { screen }: Observation): AgentNotice {
  const notice: AgentNotice = { exitCode, dialog: null, screen: shownRows(screen) };
  if (exitCode === 0) return notice;
  throw new MngrFargateError('failed', `the command ${command[0]} ended at once with exit code ${exitCode}`, {
    hint:
      exitCode === 127
        ? 'the image does not have that program: see docs/image.md for how to bake agents in'
        : undefined,
    details: { exitCode, screen: notice.screen },
  });
}
