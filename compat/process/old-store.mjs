// What the databases of old formats have in them (`tests/data/embedded-format-N.db.gz`): made here, and looked for by embedded.test.mjs.
// `node compat/process/old-store.mjs tests/data` adds the file of the format that the program writes now. A file is never made again: it is
// there to show that what an old program wrote is read.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import zlib from 'node:zlib';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { directoryOf } from './support.mjs';

/** The format of a database: `user_version` in the header of an SQLite file. */
export const formatOf = bytes => bytes.readUInt32BE(60);

const values = {
  text: 'Grüße\u0001',
  n: -0.5,
  flag: true,
  when: { __type: 'Date', iso: '2026-11-29T11:00:00.123Z' },
  list: [1, 'two', { three: [3] }],
  inner: { a: { b: null } },
  bytes: { __type: 'Bytes', base64: 'AP8=' },
  place: { __type: 'GeoPoint', latitude: 48.1, longitude: 11.6 },
  area: { __type: 'Polygon', coordinates: [[0, 0], [0, 1], [1, 1], [0, 0]] },
};
const ann = { username: 'Ann', password: 'correct horse', email: 'ann@example.org' };
const permissions = { find: { '*': true }, get: { '*': true }, create: { '*': true }, update: { '*': true }, count: { '*': true }, delete: {}, addField: {} };
const options = { allowClientClassCreation: true };

async function fill(server) {
  const ask = async (...request) => {
    const { status, body, text } = await server.request(...request);
    assert.ok(status < 300, text);
    return body;
  };
  const to = (className, objectId) => ({ __type: 'Pointer', className, objectId });
  const add = pointer => ({ __op: 'AddRelation', objects: [pointer] });
  const user = await ask('POST', '/users', { json: ann });
  const first = await ask('POST', '/classes/Thing', { json: { text: 'the first', n: 1 } });
  const other = to('Thing', first.objectId);
  await ask('POST', '/classes/Thing', { json: { ...values, file: { __type: 'File', name: 'a.txt' }, other, others: add(other), ACL: { [user.objectId]: { read: true } } } });
  await ask('POST', '/roles', { master: true, json: { name: 'Keepers', ACL: { '*': { read: true } }, users: add(to('_User', user.objectId)) } });
  await ask('PUT', '/schemas/Thing', { master: true, json: { className: 'Thing', indexes: { byNumber: { n: 1 } }, classLevelPermissions: permissions } });
  await ask('PUT', '/config', { master: true, json: { params: { greeting: 'hello' } } });
}

/** Opens a database that `fill` made, reads everything, and writes. */
export async function look(database) {
  const server = await startServer(options, { database });
  const get = async (path, more) => (await server.request('GET', path, more)).body;
  const { body: user } = await server.request('POST', '/login', { json: ann });
  const session = user.sessionToken;
  assert.ok(session, JSON.stringify(user));
  const where = encodeURIComponent(JSON.stringify({ n: { $lt: 0 } }));
  assert.deepEqual((await get(`/classes/Thing?where=${where}`)).results, [], 'an ACL does not hold');
  const [{ objectId, createdAt, updatedAt, file, other, others, ACL, ...rest }] = (await get(`/classes/Thing?where=${where}&include=other`, { session })).results;
  assert.deepEqual(rest, values);
  assert.deepEqual([file.name, other.text, ACL], ['a.txt', 'the first', { [user.objectId]: { read: true } }]);
  const related = { $relatedTo: { object: { __type: 'Pointer', className: 'Thing', objectId }, key: 'others' } };
  assert.deepEqual((await get(`/classes/Thing?where=${encodeURIComponent(JSON.stringify(related))}`, { session })).results.map(({ text }) => text), ['the first']);
  const members = { users: { __type: 'Pointer', className: '_User', objectId: user.objectId } };
  assert.deepEqual((await get(`/roles?where=${encodeURIComponent(JSON.stringify(members))}`)).results.map(({ name }) => name), ['Keepers']);
  const { indexes, classLevelPermissions } = await get('/schemas/Thing', { master: true });
  assert.deepEqual(indexes.byNumber, { n: 1 });
  for (const [operation, who] of Object.entries(permissions)) assert.deepEqual(classLevelPermissions[operation], who, operation);
  assert.deepEqual((await get('/config')).params, { greeting: 'hello' });
  assert.equal((await server.request('POST', '/users', { json: { username: 'ANN', password: 'x' } })).body.code, 202, 'a name is taken twice');
  assert.equal((await server.request('POST', '/classes/Thing', { json: { n: 2 } })).status, 201);
  await server.stop();
}

/** Unpacks a database into a fresh data directory; returns its `databaseURI` and the file. */
export function unpacked(file) {
  const database = freshDatabase('embedded');
  fs.mkdirSync(directoryOf(database), { recursive: true });
  const place = path.join(directoryOf(database), 'reparse.db');
  fs.writeFileSync(place, zlib.gunzipSync(fs.readFileSync(file)));
  return { database, place };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const database = freshDatabase('embedded');
  const server = await startServer(options, { database });
  await fill(server);
  await server.stop();
  const bytes = fs.readFileSync(path.join(directoryOf(database), 'reparse.db'));
  const file = path.join(process.argv[2], `embedded-format-${formatOf(bytes)}.db.gz`);
  fs.writeFileSync(file, zlib.gzipSync(bytes, { level: 9 }), { flag: 'wx' });
  console.log(file);
}
