// The log has one line per request and contains no secrets.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';

const SECRETS = { password: 'correct horse battery', changed: 'staple staple staple', masterKey: 'master-key-of-this-test', clientKey: 'client-key-of-this-test' };

async function exercise(options) {
  const { masterKey, clientKey } = SECRETS;
  const server = await startServer({ masterKey, clientKey, verbose: true, ...options }, { database: freshDatabase('embedded') });
  const headers = { 'X-Parse-Client-Key': clientKey };
  const { body: user } = await server.request('POST', '/users', { headers, json: { username: 'alice', password: SECRETS.password, diary: 'dear diary' } });
  await server.request('GET', `/login?username=alice&password=${encodeURIComponent(SECRETS.password)}`, { headers });
  await server.request('POST', '/login', { headers, json: { username: 'alice', password: 'a wrong guess' } });
  await server.request('GET', '/users/me', { headers, session: user.sessionToken });
  await server.request('PUT', `/users/${user.objectId}`, { headers, session: user.sessionToken, json: { password: SECRETS.changed } });
  await server.request('GET', '/users', { master: true });
  await server.request('POST', '/users', { headers, data: '{"password":"half a json', method: 'POST' });
  await server.stop();
  const hidden = [...Object.values(SECRETS), encodeURIComponent(SECRETS.password), SECRETS.password.replaceAll(' ', '+'), user.sessionToken, user.sessionToken.slice(2), 'dear diary', 'a wrong guess', 'half a json'];
  for (const secret of hidden) assert.ok(!server.child.output.includes(secret), `${secret} is in the log`);
  return server.child.output;
}

test('no secret, in the form for people', async () => {
  const log = await exercise({});
  assert.match(log, /POST.*users.*201/);
});

test('no secret, in JSON; method, route, status, duration and id of every request', async () => {
  const log = await exercise({ jsonLogs: true });
  const lines = log.split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line));
  const flat = lines.map(line => JSON.stringify(line));
  const signUp = flat.find(line => line.includes('POST') && line.includes('/users') && line.includes('201'));
  assert.ok(signUp, log.slice(0, 2000));
  for (const field of [/"method":"POST"/, /"status":(201|"201")/, /"(route|path)":"[^"]*users/, /"(duration|elapsed|duration_ms|ms)[^"]*":/, /"(request_id|requestId|id)":/]) assert.match(signUp, field);
});

test('the lines in memory are bounded', async () => {
  for (const logLines of [20, 40]) {
    const server = await startServer({ allowClientClassCreation: true, limits: { logLines } }, { database: freshDatabase('embedded') });
    for (let number = 0; number < 60; number++) await server.request('GET', '/classes/Line');
    const { body } = await server.request('GET', '/scriptlog?size=1000', { master: true });
    assert.equal(body.length, logLines);
    await server.stop();
  }
});

/** Lines that are dropped of those of 2500 requests while nobody reads the log. */
async function dropped(logQueue) {
  const server = await startServer({ allowClientClassCreation: true, limits: { logQueue } }, { database: freshDatabase('embedded') });
  const { stdout } = server.child.process;
  const agent = new http.Agent({ keepAlive: true });
  stdout.pause();
  for (let round = 0; round < 100; round++) {
    const answers = await Promise.all(Array.from({ length: 25 }, () => server.request('GET', '/classes/Line', { agent })));
    for (const { status, text } of answers) assert.equal(status, 200, text);
  }
  stdout.resume();
  agent.destroy();
  await server.stop();
  return Number(/log lines were dropped.*lines=(\d+)/.exec(server.child.output)?.[1] ?? 0);
}

test('a reader that stops reading stops no request; what waits for it is bounded', async () => {
  const [few, many] = [await dropped(100), await dropped(1100)];
  assert.ok(few > 0, 'more lines than the pipe and the queue hold');
  // A thousand more fit into the queue; a few leave it before the pipe is full.
  assert.ok(few - many > 500, `${few} and ${many}`);
});
