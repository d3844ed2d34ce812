import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { localHosts } from '../../support/cli/cli-local';
import { browserProgram, startBrowser } from '../../support/run/browser';
import { describeWith } from '../../support/run/requirements';
import { startTestServer } from '../../support/sandbox/http-server';
import type { TestServer } from '../../support/sandbox/http-server';

const PHONE = { viewport: { width: 375, height: 740 } };
const ODD = '<img src=x onerror=alert(1)>';

describeWith([...localHosts, browserProgram], 'the web page', () => {
  let server: TestServer;
  let browser: Browser;
  let folder: string;
  const contexts: BrowserContext[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'page-'));
    [server, browser] = await Promise.all([startTestServer(), startBrowser()]);
    await server.admin.sandbox({ id: 'fox' });
  });

  afterEach(() => Promise.all(contexts.splice(0).map((context) => context.close())));

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A page, and what it complained about: errors of scripts, refusals of its policy. */
  const open = async (options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> => {
    const context = await browser.newContext({ acceptDownloads: true, ...options });
    contexts.push(context);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('401')) complaints.push(message.text());
    });
    page.on('dialog', (dialog) => complaints.push(`a script opened a dialog: ${dialog.message()}`));
    await page.goto(server.url);
    return { page, complaints };
  };

  const logIn = async (page: Page): Promise<void> => {
    await page.getByLabel('Key').fill(server.admin.key);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'New sandbox' }).waitFor();
  };

  const openTab = async (page: Page, tab: string): Promise<void> => {
    await page.getByRole('link', { name: 'fox' }).click();
    await page.getByRole('tab', { name: tab }).click();
  };

  const overflow = (page: Page): Promise<number> =>
    page.evaluate('document.documentElement.scrollWidth - window.innerWidth');

  it('refuses a wrong key, takes the right one, and has it in no URL', async () => {
    const { page, complaints } = await open();
    const urls: string[] = [];
    page.on('request', (request) => urls.push(request.url()));
    await page.getByLabel('Key').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('the key is not known').waitFor();
    await logIn(page);
    await page.getByRole('link', { name: 'fox' }).waitFor();
    expect([...urls, page.url()].filter((url) => url.includes(server.admin.key))).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('has a true terminal, which goes on in the same shell after a reload', async () => {
    const { page, complaints } = await open();
    await logIn(page);
    await openTab(page, 'Terminal');
    await page.getByText('Connected.').waitFor();
    await page.locator('.xterm-helper-textarea').focus();
    await page.keyboard.type('name=$((6*7)); tty && stty size && echo "answer-$name"\n');
    await page.locator('.xterm-rows', { hasText: 'answer-42' }).waitFor();
    await page.locator('.xterm-rows', { hasText: '/dev/pts/' }).waitFor();
    await page.reload();
    await page.getByText('Connected.').waitFor();
    await page.locator('.xterm-helper-textarea').focus();
    await page.keyboard.type('echo "still-$((name+1))"\n');
    await page.locator('.xterm-rows', { hasText: 'still-43' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('runs commands and shows their output while it is written', async () => {
    const { page, complaints } = await open();
    await logIn(page);
    await openTab(page, 'Commands');
    await page
      .getByLabel('Command', { exact: true })
      .fill('echo first; until [ -e /tmp/go ]; do sleep 0.05; done; echo second; exit 3');
    await page.keyboard.press('Enter');
    await page.locator('.output', { hasText: 'first' }).waitFor();
    expect(await page.locator('.output', { hasText: 'second' }).count()).toBe(0);
    await server.admin.run('/sandbox/fox', { argv: ['touch', '/tmp/go'] });
    await page.locator('.output', { hasText: 'second' }).waitFor();
    await page.locator('.state', { hasText: 'exit 3' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('uploads, shows, edits and downloads files, and shows names as text', async () => {
    const { page, complaints } = await open();
    writeFileSync(join(folder, ODD.replace('/', '')), 'odd');
    writeFileSync(join(folder, 'note.txt'), 'first\n');
    await logIn(page);
    await openTab(page, 'Files');
    await page.getByRole('button', { name: 'Upload' }).waitFor();
    await page.locator('input[type=file]').setInputFiles([join(folder, 'note.txt'), join(folder, ODD)]);
    await page.getByRole('button', { name: ODD, exact: true }).waitFor();
    await page.getByRole('button', { name: 'note.txt', exact: true }).click();
    await page.getByRole('textbox', { name: '/workspace/note.txt' }).fill('second\n');
    await page.getByRole('button', { name: 'Save' }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download note.txt' }).click(),
    ]);
    expect(readFileSync(await download.path(), 'utf8')).toBe('second\n');
    expect(download.url()).not.toContain(server.admin.key);
    expect(complaints).toEqual([]);
  });

  it('creates and destroys sandboxes with the keyboard alone', async () => {
    const { page, complaints } = await open();
    await logIn(page);
    await page.getByRole('button', { name: 'New sandbox' }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.type('owl');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'owl' }).waitFor();
    await page.getByRole('tab', { name: 'Terminal' }).focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'How it started' }).waitFor();
    await page.getByRole('button', { name: 'Destroy' }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('owl is destroyed').waitFor();
    expect(complaints).toEqual([]);
  });

  it('fits a phone, in both color schemes', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, complaints } = await open({ ...PHONE, colorScheme });
      expect(await overflow(page)).toBe(0);
      await logIn(page);
      await page.getByRole('link', { name: 'fox' }).waitFor();
      expect(await overflow(page)).toBe(0);
      for (const tab of ['Terminal', 'Commands', 'Files', 'Details']) {
        await page.goto(`${server.url}/web/#/fox/${tab.toLowerCase()}`);
        await page.getByRole('tab', { name: tab, selected: true }).waitFor();
        expect(await overflow(page)).toBe(0);
      }
      expect(complaints).toEqual([]);
    }
  });

  it('has a policy that refuses foreign and inline scripts and frames', async () => {
    const response = await fetch(`${server.url}/web/`);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect((await fetch(`${server.url}/web/..%2fpackage.json`)).status).toBe(404);
  });

  it('opens no terminal for a page of another site', async () => {
    const { ticket } = (await server.admin.post('/sandbox/fox/tickets')).json as { ticket: string };
    const url = `${server.url.replace('http', 'ws')}/sandbox/fox/pty?ticket=${ticket}`;
    const socket = new WebSocket(url, { origin: 'https://example.com' });
    const status = await new Promise((resolve) => {
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.on('open', () => resolve('open'));
    });
    socket.on('error', () => undefined).terminate();
    expect(status).toBe(403);
  });
});
