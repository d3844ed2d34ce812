import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import type { Requirement } from './requirements';

/** Where systems and people put Chromium or Chrome; CHROMIUM names another. */
const PLACES = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

const found = (): string | undefined => PLACES.find((path) => path !== undefined && existsSync(path));

export const browserProgram: Requirement = {
  missing: () =>
    found() === undefined ? 'no Chromium: install the package chromium, or name the program in CHROMIUM' : undefined,
};

/** Chromium's own sandbox doesn't work for root, as which the tests of containers run. */
export async function startBrowser(): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  return chromium.launch({ executablePath: found(), args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}
