// Read preferences of a request reach MongoDB, each for the right query.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { startMongod } from '../lib/mongod.mjs';
import { until } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';

let mongod;
let server;
let client;
let database;
let team;

before(async () => {
  mongod = await startMongod();
  // Not one server but a set: a connection to one server asks that one whatever is preferred.
  const uri = `mongodb://127.0.0.1:${mongod.port}/preferences?replicaSet=rs0&serverSelectionTimeoutMS=5000`;
  server = await startServer({}, { database: uri });
  client = await new MongoClient(uri).connect();
  database = client.db();
  const create = async (name, json) => {
    const made = await server.request('POST', `/classes/${name}`, { json, master: true });
    assert.equal(made.status, 201, made.text);
    return { __type: 'Pointer', className: name, objectId: made.body.objectId };
  };
  team = await create('Team', { name: 'red' });
  await create('Player', { name: 'ann', team });
});

after(async () => {
  await client?.close();
  await server?.stop();
  // Asked to end, it would wait for its other member.
  await mongod?.kill();
  await mongod?.stop();
});

/** The mode with which each collection was read during a request. */
async function modes(query, path = '/classes/Player') {
  await database.command({ profile: 2 });
  const answer = await server.request('GET', path, { query });
  await database.command({ profile: 0 });
  assert.equal(answer.status, 200, answer.text);
  const profile = database.collection('system.profile');
  const commands = await profile.find({ 'command.find': { $in: ['Player', 'Team'] } }).toArray();
  await profile.drop();
  return Object.fromEntries(commands.map(({ command }) => [command.find, command.$readPreference?.mode ?? 'primary']));
}

const ofRed = JSON.stringify({ team: { $inQuery: { className: 'Team', where: { name: 'red' } } } });

test('without preferences the primary is asked', async () => {
  assert.deepEqual(await modes({ include: 'team' }), { Player: 'primary', Team: 'primary' });
});

test('readPreference holds for all that a query asks', async () => {
  assert.deepEqual(await modes({ readPreference: 'NEAREST', include: 'team' }), { Player: 'nearest', Team: 'nearest' });
  assert.deepEqual(await modes({ readPreference: 'NEAREST', where: ofRed }), { Player: 'nearest', Team: 'nearest' });
});

test('what is included, and what a condition asks, have their own', async () => {
  const included = { include: 'team', includeReadPreference: 'SECONDARY_PREFERRED' };
  assert.deepEqual(await modes(included), { Player: 'primary', Team: 'secondaryPreferred' });
  assert.deepEqual(await modes({ ...included, readPreference: 'NEAREST' }), { Player: 'nearest', Team: 'secondaryPreferred' });
  const asked = { where: ofRed, subqueryReadPreference: 'SECONDARY_PREFERRED' };
  assert.deepEqual(await modes(asked), { Player: 'primary', Team: 'secondaryPreferred' });
  assert.deepEqual(await modes({ ...asked, readPreference: 'NEAREST' }), { Player: 'nearest', Team: 'secondaryPreferred' });
});

test('a read by id has preferences too', async () => {
  const path = `/classes/Team/${team.objectId}`;
  assert.deepEqual(await modes({ readPreference: 'PRIMARY_PREFERRED' }, path), { Team: 'primaryPreferred' });
});

// The last one: it leaves a member in the set that is away.
test('a read of secondaries does not wait for one where there is none', async () => {
  const read = path => server.request('GET', path, { query: { readPreference: 'SECONDARY' } });
  const refused = { code: 102, error: 'The replica set has no secondary to read from' };
  for (const path of ['/classes/Team', `/classes/Team/${team.objectId}`]) {
    const { status, body } = await read(path);
    assert.deepEqual({ status, body }, { status: 400, body: refused });
  }

  const second = await startMongod(undefined, { joins: mongod });
  try {
    await until(async () => (await read('/classes/Team')).status === 200, { limit: 30_000, what: 'a read of the secondary' });
    await second.kill();
    await until(async () => (await read('/classes/Team')).status === 503, { limit: 30_000, what: 'the end of the waiting' });
    // It may come back: a read waits for it, here for five seconds.
    const started = Date.now();
    assert.equal((await read('/classes/Team')).status, 503);
    assert.ok(Date.now() - started > 4000);
  } finally {
    await second.stop();
  }
});
