// SIGHUP: keys, limits and log levels change in a running server; what cannot is named; a broken configuration changes nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { until } from '../lib/net.mjs';
import { Server, spawnReparse, writeConfig } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';

const LIMIT = 60_000;

test('SIGHUP reads the configuration again', async () => {
  const { file, config, dir } = await writeConfig({ jsonLogs: true, restAPIKey: 'old-rest', rateLimit: [] }, { database: freshDatabase('embedded') });
  const child = spawnReparse([file], { cwd: dir });
  const server = await new Server(child, config.port, config).ready();
  const status = async (headers, where = '/config') => (await server.request('GET', where, { headers })).status;
  const lines = () => child.output.split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line));
  let reloads = 0;
  const reload = async (changes, answer) => {
    const text = typeof changes === 'string' ? changes : JSON.stringify({ ...config, ...changes });
    fs.writeFileSync(`${file}.new`, text);
    fs.renameSync(`${file}.new`, file);
    child.signal('SIGHUP');
    reloads++;
    const told = () => lines().filter(line => /configuration/.test(line.message ?? ''));
    await until(() => told().length >= reloads, { limit: LIMIT, what: `an answer to SIGHUP ${reloads}` });
    assert.match(JSON.stringify(told().at(-1)), answer);
  };
  const old = { 'X-Parse-REST-API-Key': 'old-rest' };
  const fresh = { 'X-Parse-REST-API-Key': 'new-rest' };
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  assert.deepEqual([await status(old), await status(fresh)], [200, 403]);

  await reload({ restAPIKey: 'new-rest', masterKey: 'new-master', limits: { batchParts: 1 }, rateLimit: [{ requestPath: '/classes/Limited', requestTimeWindow: 3_600_000, requestCount: 1, includeInternalRequests: true }] }, /was read again"/);
  assert.deepEqual([await status(old), await status(fresh)], [403, 200]);
  const master = key => status({ ...fresh, 'X-Parse-Master-Key': key }, '/schemas');
  assert.deepEqual([await master('master'), await master('new-master')], [403, 200]);
  const batch = { requests: Array.from({ length: 2 }, () => ({ method: 'GET', path: '/parse/classes/Note' })) };
  assert.match((await server.request('POST', '/batch', { headers: fresh, json: batch })).text, /exceeds the limit of 1/);
  await status(fresh, '/classes/Limited');
  assert.equal(await status(fresh, '/classes/Limited'), 429);

  // what needs a restart is named, without its value
  await reload({ restAPIKey: 'new-rest', port: 1, databaseURI: 'file:./elsewhere', appId: 'another', limits: { backlog: 5 } }, /appId.*port.*databaseURI.*limits\.backlog/);
  assert.doesNotMatch(child.output, /elsewhere|another/);
  assert.equal(await status(fresh), 200);

  // a configuration that would not start changes nothing
  await reload('{ broken', /stays as it is/);
  await reload({ restAPIKey: 'third', sessionLength: 'a year' }, /stays as it is/);
  assert.equal(await status(fresh), 200);
  assert.ok(child.alive);

  // log lines: a trace, then none for requests, then all
  const requests = id => lines().filter(line => line.span?.id === id);
  await server.request('GET', '/health', { headers: { 'X-Request-Id': 'traced', traceparent: `00-${trace}-00f067aa0ba902b7-01` } });
  await until(() => requests('traced').length, { limit: LIMIT, what: 'the line of a request' });
  assert.equal(requests('traced')[0].span.trace, trace);
  await reload({ restAPIKey: 'new-rest', accessLog: false }, /was read again"/);
  await server.request('GET', '/health', { headers: { 'X-Request-Id': 'silent' } });
  await reload({ restAPIKey: 'new-rest', accessLog: true, logLevel: 'debug' }, /was read again"/);
  await server.request('GET', '/health', { headers: { 'X-Request-Id': 'loud' } });
  await until(() => requests('loud').length, { limit: LIMIT, what: 'the line of a later request' });
  assert.deepEqual(requests('silent'), []);
  assert.doesNotMatch(child.output, /new-rest|old-rest|new-master|third/);
  await server.stop();
  assert.ok(!fs.existsSync(path.join(dir, 'elsewhere')));
});
