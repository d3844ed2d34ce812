/** `$0` of the scripts that run a command in a container. The user's command comes after it in the record of the call. */
export const SCRIPT_NAME = 'mngr-exec';
