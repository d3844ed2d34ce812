/** mngr's prefix of the names of the tmux sessions that agents run in. */
export const SESSION_PREFIX = 'mngr-';
