// /metrics: what is counted, who may read it, and that clients cannot make it grow.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compatDir } from '../lib/env.mjs';
import { send } from '../lib/http.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';

/** The samples of a page of metrics, each as `name{labels}` and value; fails on a line that is none. */
function samples(text) {
  const found = new Map();
  for (const line of text.split('\n')) {
    if (line === '' || /^# (HELP|TYPE) [a-z_]+ .+$/.test(line)) continue;
    const sample = /^([a-zA-Z_:][\w:]*(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*",?)*\})?) (\S+)$/.exec(line);
    assert.ok(sample && !Number.isNaN(Number(sample[2].replace('+Inf', 'Infinity'))), `no sample: ${line}`);
    assert.ok(!found.has(sample[1]), `twice: ${sample[1]}`);
    found.set(sample[1], Number(sample[2]));
  }
  return found;
}

for (const store of ['mongo', 'embedded']) {
  test(`${store}: requests by route and status; labels stay bounded`, async () => {
    const server = await startServer({ metrics: { enabled: true }, cacheTTL: 3_600_000 }, { database: freshDatabase(store) });
    const read = async () => samples((await send(`${server.root}/metrics`)).text);
    for (let count = 0; count < 3; count++) await server.request('POST', '/classes/Counted', { master: true, json: { count } });
    await server.request('GET', '/classes/Counted/missing');
    const first = await read();
    assert.equal(first.get('reparse_requests_total{method="POST",route="/classes/{className}",status="201",protocol="HTTP/1.1"}'), 3);
    assert.equal(first.get('reparse_requests_total{method="GET",route="/classes/{className}/{objectId}",status="404",protocol="HTTP/1.1"}'), 1);
    assert.equal(first.get('reparse_request_duration_seconds_count{method="POST",route="/classes/{className}"}'), 3);
    assert.equal(first.get('reparse_ready'), 1);
    assert.ok(first.get('process_resident_memory_bytes') > 1_000_000);
    assert.equal(first.get('reparse_store_operations_total{operation="insert",outcome="ok"}'), 3);
    assert.equal(first.get('reparse_store_operation_duration_seconds_count{operation="insert"}'), 3);
    assert.equal(first.has('reparse_pool_connections'), store === 'mongo');
    if (store === 'mongo') assert.ok(first.get('reparse_pool_connections') >= 1);
    for (const gauge of ['hash_queue', 'live_clients', 'live_subscriptions', 'cloud_calls_in_flight']) assert.equal(first.get(`reparse_${gauge}`), 0, gauge);
    const ann = await server.request('POST', '/users', { json: { username: 'ann', password: 'secret' } });
    for (let count = 0; count < 3; count++) await server.request('GET', '/users/me', { session: ann.body.sessionToken });
    const known = await read();
    assert.ok(known.get('reparse_cache_lookups_total{cache="sessions",outcome="hit"}') >= 1);
    assert.ok(known.get('reparse_cache_entries{cache="sessions"}') >= 0);
    for (let count = 0; count < 200; count++) {
      await send(`${server.root}/nowhere/${count}`, { headers: { 'X-Request-Id': `id-${count}` } });
      await server.request('GET', `/classes/Class${count}/${count}`);
      await server.request(['PROPFIND', 'LINK', 'PURGE', 'REPORT'][count % 4], `/unknown${count}`);
    }
    const second = await read();
    assert.ok(second.size - known.size < 60, `${second.size - known.size} new series`);
    assert.ok(![...second.keys()].some(key => /Class1|unknown1|PROPFIND/.test(key)));
    await server.stop();
  });
}

test('Grafana shows metrics that are documented', () => {
  const read = file => fs.readFileSync(path.join(compatDir, '..', file), 'utf8');
  const names = text => new Set([...text.matchAll(/\breparse_[a-z_]+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, '')));
  const [shown, documented] = [names(read('docker/grafana/reparse.json')), names(read('docs/operations.md'))];
  assert.ok(shown.size > 15);
  assert.deepEqual([...shown].filter(name => !documented.has(name)), []);
  const emitted = names(read('src/model/measures/mod.rs') + read('src/http/metrics.rs'));
  assert.deepEqual([...documented].filter(name => !emitted.has(name)), []);
  assert.deepEqual([...emitted].filter(name => !documented.has(name)), []);
});

test('who may read them', async () => {
  const closed = await startServer({ metrics: { enabled: true, key: 'scraper' } }, { database: freshDatabase('embedded') });
  const status = async (server, headers) => (await send(`${server.root}/metrics`, { headers })).status;
  assert.equal(await status(closed, {}), 403);
  assert.equal(await status(closed, { Authorization: 'Bearer wrong' }), 403);
  assert.equal(await status(closed, { Authorization: 'Bearer scraper' }), 200);
  await closed.stop();
  const open = await startServer({ metrics: { enabled: true } }, { database: freshDatabase('embedded') });
  assert.equal(await status(open, {}), 200);
  assert.equal(await status(open, { 'X-Forwarded-For': '203.0.113.7' }), 403);
  await open.stop();
  const off = await startServer({}, { database: freshDatabase('embedded') });
  assert.equal(await status(off, {}), 404);
  await off.stop();
});
