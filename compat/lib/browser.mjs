// A real browser. `tests/tools/chromium` finds or installs it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { repoDir } from './env.mjs';
import { tempDir } from './temp.mjs';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A browser with its own profile: playwright's `BrowserContext`, whose `close` ends it. */
export async function startBrowser(options = {}) {
  const executablePath = execFileSync(path.join(repoDir, 'tests/tools/chromium'), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
  return chromium.launchPersistentContext(tempDir('reparse-chromium'), {
    executablePath,
    args: FLAGS,
    chromiumSandbox: false,
    viewport: { width: 800, height: 500 },
    locale: 'en-GB',
    ...options,
  });
}

/** Saves a screenshot in the folder that `REPARSE_TEST_SCREENSHOTS` names, if it names one. */
export async function picture(page, name) {
  const dir = process.env.REPARSE_TEST_SCREENSHOTS;
  if (!dir) return;
  fs.mkdirSync(dir, { recursive: true });
  await page.screenshot({ path: path.join(dir, `${name}.png`) });
}
