// Many downloads at once: the server holds a few pieces of each, whatever the length of the file.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureOn } from '../bench/lib/downloads.mjs';
import { store } from '../lib/env.mjs';
import { startServer } from '../lib/server.mjs';

const COUNT = 100;
const LENGTH = 8 << 20;
/** MiB above what the idle server has. */
const MOST = 64;

test(`${COUNT} downloads at once, ${store}`, { timeout: 300_000 }, async t => {
  const server = await startServer({ fileUpload: { enableForPublic: true } });
  try {
    const { above } = await measureOn(server, COUNT, LENGTH);
    t.diagnostic(`${above.toFixed(1)} MiB above idle`);
    assert.ok(above <= MOST, `${above.toFixed(1)} MiB above idle`);
  } finally {
    await server.stop();
  }
});
