// The live query clients of older SDKs, which apps in the field still have: each follows an object, also over the end of its server.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { compatDir } from '../lib/env.mjs';
import { sleep, until } from '../lib/net.mjs';
import { Child } from '../lib/process.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';

const options = { allowClientClassCreation: true, liveQuery: { classNames: ['Live.*'] }, startLiveQueryServer: true };
const SDKS = ['parse-1', 'parse-3', 'parse-5', 'parse'];
const database = freshDatabase();
let server;
const clients = new Map();

before(async () => {
  server = await startServer(options, { database });
  await server.request('POST', '/classes/LiveOld', { json: { n: 0 } });
  for (const sdk of SDKS) clients.set(sdk, new Child(process.execPath, [path.join(compatDir, 'live/follow.cjs'), sdk, server.url]));
});
after(async () => {
  for (const client of clients.values()) await client.kill();
  await server?.stop();
});

/** The lines that a client has written. */
const heard = sdk => clients.get(sdk).output.split('\n');

for (const sdk of SDKS) {
  test(`${sdk}: one object from its making to its end`, async () => {
    // None tells reliably when it has subscribed.
    await until(async () => {
      await server.request('POST', '/classes/LiveOld', { json: { n: 7, who: 'mark' } });
      return heard(sdk).includes('create 7 mark');
    }, { every: 200, what: `${sdk} to subscribe: ${clients.get(sdk).output}` });
    const marked = `n ${sdk}`;
    const { body } = await server.request('POST', '/classes/LiveOld', { json: { who: marked, n: 0 } });
    for (const n of [5, 6, 0, 9]) await server.request('PUT', `/classes/LiveOld/${body.objectId}`, { json: { n } });
    await server.request('DELETE', `/classes/LiveOld/${body.objectId}`);
    const mine = () => heard(sdk).filter(line => line.endsWith(marked)).map(line => line.slice(0, -marked.length - 1));
    await until(() => mine().length >= 5, { what: `events of ${sdk}: ${clients.get(sdk).output}` });
    assert.deepEqual(mine(), ['enter 5', 'update 6', 'leave 0', 'enter 9', 'delete 9']);
  });
}

test('they go on after the end of their server', async () => {
  await server.kill();
  server = await startServer({ ...options, port: server.port }, { database });
  // They connect again after pauses of their own choice.
  const back = () => SDKS.filter(sdk => heard(sdk).some(line => line.endsWith('back')));
  for (let tries = 0; tries < 120 && back().length < SDKS.length; tries += 1) {
    await server.request('POST', '/classes/LiveOld', { json: { n: 7, who: 'back' } });
    await sleep(500);
  }
  assert.deepEqual(back(), SDKS);
});
