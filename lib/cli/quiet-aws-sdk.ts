/**
 * The AWS SDK announces on stderr, in every process, which Node it will want next year; package.json says what is
 * supported. Imported for its effect, by programs alone: a library leaves its user's environment as it is.
 */
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
