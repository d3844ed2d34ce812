import { MngrFargateError } from '../../contract/errors';
import type { AgentPane, Observation } from './pane';
import type { Obstacle } from './readiness';
import { shownRows } from './screen';

/** The error of a text that was not typed, with what is on the screen. */
export function notReady(
  pane: AgentPane,
  observation: Observation,
  obstacle: Obstacle,
  waitedMs?: number,
): MngrFargateError {
  const waited = waitedMs === undefined || obstacle.isFinal ? '' : ` within ${Math.round(waitedMs / 1000)} s`;
  const message = `nothing was typed into session ${pane.session}${waited}: ${obstacle.text}`;
  return new MngrFargateError('agent-not-ready', message, {
    hint: obstacle.hint,
    details: {
      session: pane.session,
      reason: obstacle.reason,
      ...(obstacle.dialog !== undefined && { dialog: obstacle.dialog }),
      screen: shownRows(observation.screen),
    },
  });
}
