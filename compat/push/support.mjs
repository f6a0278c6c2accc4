// Servers with devices, and pushes to them.
import assert from 'node:assert/strict';
import { sleep } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';

/** A server with these senders (the option `push`) and devices. */
export async function startWith(senders, rows, more = {}) {
  const server = await startServer({ push: senders, ...more });
  for (const row of rows) {
    const made = await server.request('POST', '/installations', { master: true, json: row });
    assert.equal(made.status, 201, made.text);
  }
  return server;
}

/** Sends a push to all devices, and gives its row once nothing is left to do. */
export async function push(server, body) {
  const sent = await server.request('POST', '/push', { master: true, json: { where: {}, ...body } });
  assert.equal(sent.status, 200, sent.text);
  const id = sent.headers['x-parse-push-status-id'];
  for (let tries = 0; tries < 2000; tries++) {
    const { body: row } = await server.request('GET', `/classes/_PushStatus/${id}`, { master: true });
    if (row.status === 'failed') assert.fail(JSON.stringify(row));
    if (row.status === 'succeeded') return row;
    await sleep(20);
  }
  return assert.fail('the push does not end');
}
