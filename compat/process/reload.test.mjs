// SIGHUP: keys, limits and log levels change in a running server; what cannot is named; a broken configuration changes nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { sleep, until } from '../lib/net.mjs';
import { Server, spawnReparse, startServer, writeConfig } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { tempDir } from '../lib/temp.mjs';

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

const published = { mountGraphQL: true, graphQLSubscriptions: true, liveQuery: { classNames: ['Note'] } };

/** Follows all notes with some headers; `heard`: their titles, and last the error with which it ends. */
function follow(server, key) {
  const heard = [];
  const connectionParams = { 'X-Parse-Application-Id': 'app', ...key };
  const client = createClient({ url: `ws://127.0.0.1:${server.port}/graphql`, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0 });
  const query = 'subscription { note { object { title } } }';
  client.subscribe({ query }, { next: ({ data }) => heard.push(data?.note?.object?.title), error: error => heard.push(error), complete: () => {} });
  return { heard, client };
}

async function write(server, title, ACL) {
  const answer = await server.request('POST', '/classes/Note', { master: true, json: { title, ACL } });
  assert.equal(answer.status, 201, answer.text);
}

/** Writes a note until all have heard of one. */
async function mark(server, followers, title) {
  for (let tries = 0; tries < 200 && followers.some(({ heard }) => !heard.includes(title)); tries += 1) {
    await write(server, title);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  for (const { heard } of followers) assert.ok(heard.includes(title), `${title}: ${JSON.stringify(heard)}`);
}

/** A key counts no more after `change`. `writer`: the server that is written to. */
async function ends(server, writer, change) {
  const master = follow(server, { 'X-Parse-Master-Key': 'master' });
  const anybody = follow(server, {});
  await mark(writer, [master, anybody], 'open to all');
  await write(writer, 'secret before', {});
  await until(() => master.heard.includes('secret before'), { limit: LIMIT, what: 'what the key may read' });
  await change();
  await write(writer, 'secret after', {});
  await until(() => typeof master.heard.at(-1) !== 'string', { limit: LIMIT, what: 'the end of the connection' });
  assert.ok(!master.heard.includes('secret after'), JSON.stringify(master.heard));
  await mark(writer, [anybody], 'open to all still');
  assert.ok(!anybody.heard.some(title => /secret/.test(title)), JSON.stringify(anybody.heard));
  for (const { client } of [master, anybody]) await client.dispose();
}

test('a key that counts no more ends the subscriptions of its holders', async () => {
  const { file, config, dir } = await writeConfig(published, { database: freshDatabase('embedded') });
  const child = spawnReparse([file], { cwd: dir });
  const server = await new Server(child, config.port, config).ready();
  await write(server, 'first', {});
  await ends(server, server, async () => {
    fs.writeFileSync(`${file}.new`, JSON.stringify({ ...config, masterKey: 'new-master' }));
    fs.renameSync(`${file}.new`, file);
    child.signal('SIGHUP');
    await until(() => /was read again/.test(child.output), { limit: LIMIT, what: 'an answer to SIGHUP' });
    server.options = { ...server.options, masterKey: 'new-master' };
  });
  await server.stop();
});

test('so does one that its function gives no more, before any request asks the function', async () => {
  const database = freshDatabase('mongo');
  const dir = tempDir();
  const key = path.join(dir, 'key.txt');
  fs.writeFileSync(key, 'master');
  fs.writeFileSync(path.join(dir, 'key.cjs'), `module.exports = () => require('node:fs').readFileSync(${JSON.stringify(key)}, 'utf8');`);
  const masterKey = { module: path.join(dir, 'key.cjs') };
  const writer = await startServer(published, { database });
  await write(writer, 'first', {});
  const server = await startServer({ ...published, masterKey, masterKeyTtl: 0.5 }, { database });
  await ends(server, writer, async () => {
    fs.writeFileSync(key, 'new-master');
    await sleep(1000); // what was asked half a second ago is asked again
  });
  await server.stop();
  await writer.stop();
});
