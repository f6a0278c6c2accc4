// Parse.Push of the SDK: with the master key, and in cloud code.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, test } from 'node:test';
import { compatDir, target } from '../../lib/env.mjs';
import { until } from '../../lib/net.mjs';
import { tempDir } from '../../lib/temp.mjs';
import { Parse, useServer } from '../support.mjs';

/** Sends to whatever it is handed, and notes it. */
const handed = [];
const service = http.createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const { body, installations } = JSON.parse(Buffer.concat(chunks).toString());
  handed.push({ data: body.data, tokens: installations.map(({ deviceToken }) => deviceToken).sort() });
  response.end(JSON.stringify(installations.map(device => ({ device, transmitted: true }))));
});
await new Promise(resolve => service.listen(0, '127.0.0.1', resolve));
after(() => service.close());

const cloud = path.join(tempDir(), 'main.js');
fs.writeFileSync(
  cloud,
  `Parse.Cloud.define('push', async ({ params }) => Parse.Push.send(params, { useMasterKey: true }));
   Parse.Cloud.define('status', async ({ params }) => (await Parse.Push.getPushStatus(params.id, { useMasterKey: true })).toJSON());`,
);
const url = `http://127.0.0.1:${service.address().port}`;
const module = target === 'reference' ? path.join(compatDir, 'lib/forward-push.cjs') : 'webhook';
useServer({
  cloud,
  push: { adapter: { module, options: { url, ...(target === 'reference' ? {} : { path: 'push' }) } } },
  prepare: async () => {
    for (const [token, channels] of [['a', ['news']], ['b', ['news', 'sport']], ['c', []]]) {
      const device = { installationId: `i-${token}`, deviceType: 'ios', deviceToken: token, channels };
      await new Parse.Installation(device).save(null, { useMasterKey: true });
    }
  },
});

/** The row of a push, once it is sent. */
async function finished(id) {
  let row;
  await until(async () => (row = await Parse.Push.getPushStatus(id)).get('status') === 'succeeded', { limit: 20_000, what: `push ${id}` });
  return row;
}

test('with the master key, to channels and to a query', async () => {
  handed.length = 0;
  const row = await finished(await Parse.Push.send({ channels: ['sport'], data: { alert: 'one' } }, { useMasterKey: true }));
  assert.deepEqual([row.get('numSent'), row.get('sentPerType')], [1, { ios: 1 }]);
  const where = new Parse.Query(Parse.Installation).containedIn('deviceToken', ['a', 'c']);
  await finished(await Parse.Push.send({ where, data: { alert: 'two' }, expiration_time: new Date(Date.now() + 60_000) }, { useMasterKey: true }));
  assert.deepEqual(handed, [{ data: { alert: 'one' }, tokens: ['b'] }, { data: { alert: 'two' }, tokens: ['a', 'c'] }]);
});

test('in cloud code', async () => {
  handed.length = 0;
  const id = await Parse.Cloud.run('push', { channels: ['news'], data: { alert: 'from cloud code' } });
  await finished(id);
  assert.deepEqual(handed, [{ data: { alert: 'from cloud code' }, tokens: ['a', 'b'] }]);
  assert.equal((await Parse.Cloud.run('status', { id })).numSent, 2);
});

test('not without the master key, and not what is no push', async () => {
  handed.length = 0;
  await assert.rejects(Parse.Push.send({ channels: ['news'], data: { alert: 'x' } }, { useMasterKey: false }));
  await assert.rejects(Parse.Push.send({ data: { alert: 'x' } }, { useMasterKey: true }), { code: Parse.Error.PUSH_MISCONFIGURED });
  const both = { where: new Parse.Query(Parse.Installation), channels: ['news'], data: {} };
  await assert.rejects(Parse.Push.send(both, { useMasterKey: true }), { code: Parse.Error.PUSH_MISCONFIGURED });
  await assert.rejects(Parse.Cloud.run('push', { data: { alert: 'x' } }), { code: Parse.Error.PUSH_MISCONFIGURED });
  assert.deepEqual(handed, []);
});
