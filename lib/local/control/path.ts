/** Everything below this path is the control API. */
export const CONTROL_PATH = '/_control/';
