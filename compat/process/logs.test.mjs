// The log has one line per request and contains no secrets.
import assert from 'node:assert/strict';
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
