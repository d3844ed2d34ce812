#!/usr/bin/env node
import '../lib/cli/quiet-aws-sdk';
import { main } from '../lib/cli/main';

void main(process.argv.slice(2)).then((exitCode) => process.exit(exitCode));
