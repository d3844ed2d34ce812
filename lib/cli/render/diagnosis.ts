import type { Diagnosis, Finding, Severity, Target } from '../../tasks/index';
import { printable } from '../../util/printable';
import type { Colour } from './colour';
import { coloured } from './colour';
import { counted } from './format';

const COLOUR_OF: Readonly<Record<Severity, Colour>> = { error: 'red', warning: 'yellow', info: 'dim' };

function findingLines({ id, severity, message, fix }: Finding, colour: boolean): string[] {
  const word = colour ? coloured(COLOUR_OF[severity], severity) : severity;
  return [`${word} ${printable(`${id}: ${message}`)}`, ...(fix === null ? [] : [`  fix: ${printable(fix)}`])];
}

/** What `doctor` prints for a person. */
export function diagnosisText(target: Target, { findings, unchecked }: Diagnosis, colour: boolean): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const subject = `container ${target.container} of task ${target.taskId} (${target.service ?? target.family})`;
  const lines = [
    printable(`${subject}: ${errors === 0 ? 'no errors found' : `${counted(errors, 'error')} found`}`),
    ...findings.flatMap((finding) => findingLines(finding, colour)),
    ...(unchecked.length === 0 ? [] : ['not checked:']),
    ...unchecked.map(({ id, reason }) => `  ${printable(`${id}: ${reason}`)}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}
