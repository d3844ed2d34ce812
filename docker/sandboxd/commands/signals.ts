import { constants } from 'node:os';
import type { SignalName } from '../../../lib/contract/sandboxd';

export const signalNumber = (name: string): number => constants.signals[`SIG${name}` as NodeJS.Signals];

/** These end a command: a shell must then leave its list of commands, as it does for Ctrl-C in a terminal. */
export const ENDING: ReadonlySet<SignalName> = new Set(['HUP', 'INT', 'QUIT', 'KILL', 'TERM']);
