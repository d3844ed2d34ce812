import 'aws-cdk-lib/testhelpers/jest-autoclean';
import { Template } from 'aws-cdk-lib/assertions';
import type { MngrFargateApp } from '../../../lib/stacks/app';
import { createApp } from '../../../lib/stacks/app';
import { ENV } from './stack-variants';

/**
 * The app for a context as `-c` would give it; account and region are those of ENV unless the context has its own, and
 * an empty one leaves the key out. The validator that the CDK runs by itself costs seconds a template; one test runs it.
 */
export function appFor(context: Readonly<Record<string, unknown>>, options = { validate: false }): MngrFargateApp {
  const all: Record<string, unknown> = { ...ENV, ...context };
  const given = Object.entries(all).filter(([, value]) => value !== '');
  return createApp({
    // Without this flag the CDK prints every warning; the tests look at the annotations themselves.
    postCliContext: { ...Object.fromEntries(given), '@aws-cdk/core:annotationsInValidationReport': false },
    builtinCloudFormationValidation: options.validate,
    analyticsReporting: false,
  });
}

export const templateFor = (context: Readonly<Record<string, unknown>>): Template =>
  Template.fromStack(appFor(context).stack);
