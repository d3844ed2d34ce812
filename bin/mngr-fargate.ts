#!/usr/bin/env node
import { main } from '../lib/cli/main';

// The AWS SDK announces on stderr, at every run, which Node it will want next year; package.json says what is supported.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

void main(process.argv.slice(2)).then((exitCode) => process.exit(exitCode));
