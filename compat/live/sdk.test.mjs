// The Parse JavaScript SDK's own client, also over the end of a server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Parse from 'parse/node';
import { sleep } from '../lib/net.mjs';
import { keys, startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';

const options = { allowClientClassCreation: true, liveQuery: { classNames: ['Live.*'] }, startLiveQueryServer: true };
const database = freshDatabase();
let server;

before(async () => {
  server = await startServer(options, { database });
  Parse.initialize(keys.appId);
  Parse.serverURL = server.url;
});
after(async () => {
  await Parse.LiveQuery.close();
  await server.stop();
});

async function follow() {
  const query = new Parse.Query('LiveSdk').greaterThan('n', 1).select('n');
  const subscription = await query.subscribe();
  const heard = [];
  for (const event of ['create', 'update', 'enter', 'leave', 'delete']) {
    subscription.on(event, object => heard.push(`${event} ${object.get('n')}`));
  }
  return { subscription, heard };
}

async function until(heard, count) {
  for (let waited = 0; waited < 20_000 && heard.length < count; waited += 10) await sleep(10);
  return heard.splice(0, heard.length);
}

test('one object from its making to its end', async () => {
  const { subscription, heard } = await follow();
  const object = new Parse.Object('LiveSdk');
  for (const n of [0, 5, 6, 0, 9]) await object.save({ n });
  await object.destroy();
  assert.deepEqual(await until(heard, 5), ['enter 5', 'update 6', 'leave 0', 'enter 9', 'delete 9']);
  await subscription.unsubscribe();
});

test('a client goes on after the end of its server', async () => {
  const { subscription, heard } = await follow();
  await server.kill();
  server = await startServer({ ...options, port: server.port }, { database });
  // The client connects again after pauses of its own choice; it does not tell reliably when it has.
  for (let tries = 0; tries < 60 && heard.length === 0; tries += 1) {
    await new Parse.Object('LiveSdk').save({ n: 7 });
    await sleep(500);
  }
  assert.equal(heard[0], 'create 7');
  await subscription.unsubscribe();
});
