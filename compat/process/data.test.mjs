// The commands for all data of an app: `check`, `compact`, `backup`, `restore`, `export`, `import`.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { MongoClient } from 'mongodb';
import { until } from '../lib/net.mjs';
import { Server, spawnReparse, writeConfig } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { tempDir } from '../lib/temp.mjs';
import { directoryOf, refusedWith as refusedWithin } from './support.mjs';

const OPTIONS = { allowClientClassCreation: true, fileUpload: { enableForPublic: true } };

/** A configuration on a fresh database of this kind, with a way to start a server on it. */
async function app(kind, options = {}) {
  const { file, config, dir } = await writeConfig({ ...OPTIONS, ...options }, { database: freshDatabase(kind) });
  const start = () => new Server(spawnReparse([file], { cwd: dir }), config.port, config).ready();
  return { file, config, dir, start };
}

/** Runs a command that must fail; returns its output. */
const refusedWith = args => refusedWithin(args, { cwd: tempDir(), limit: 120_000 });

/** Runs a command to its end. */
async function run(...args) {
  const child = spawnReparse(args, { cwd: tempDir() });
  const { code } = await child.ended;
  return { code, output: child.output };
}

/** Sends a request that must succeed; returns the body of its answer. */
async function ask(server, method, where, options) {
  const answer = await server.request(method, where, { timeout: 60_000, ...options });
  assert.ok(answer.status < 300, `${method} ${where}: ${answer.status} ${answer.text}`);
  return answer.body;
}

const pointer = (className, objectId) => ({ __type: 'Pointer', className, objectId });

test('check tells what is wrong with a configuration, and starts nothing', async () => {
  const { file, config } = await app('embedded');
  const sound = await run('check', file);
  assert.equal(sound.code, 0, sound.output);
  assert.match(sound.output, /configuration is sound/);
  assert.equal(fs.existsSync(directoryOf(config.databaseURI)), false, 'the store was opened');
  fs.writeFileSync(file, JSON.stringify({ ...config, sessionLenght: 5 }));
  assert.match(await refusedWith(['check', file]), /sessionLenght.*sessionLength/s);
  // What only shows when the parts are built.
  fs.writeFileSync(file, JSON.stringify({ ...config, emailAdapter: { module: 'smtp', options: { nonsense: 1 } } }));
  assert.match(await refusedWith(['check', file]), /emailAdapter|nonsense|smtp/);
});

for (const kind of ['embedded', 'mongo']) {
  test(`check finds what does not fit together (${kind})`, async () => {
    const { file, config, start } = await app(kind);
    const server = await start();
    try {
      const { objectId: a } = await ask(server, 'POST', '/classes/Thing', { json: { name: 'a' } });
      const { objectId: b } = await ask(server, 'POST', '/classes/Thing', { json: { name: 'b' } });
      const others = { __op: 'AddRelation', objects: [pointer('Thing', b)] };
      await ask(server, 'PUT', `/classes/Thing/${a}`, { json: { others } });
      await ask(server, 'POST', '/users', { json: { username: 'ann', password: 'correct horse' } });
      const photo = await ask(server, 'POST', '/files/photo.txt', { data: 'bytes', headers: { 'Content-Type': 'text/plain' } });
      await ask(server, 'POST', '/files/unnamed.txt', { data: 'bytes', headers: { 'Content-Type': 'text/plain' } });
      await ask(server, 'POST', '/classes/Thing', { json: { list: [{ photo: { __type: 'File', name: photo.name } }] } });

      // while the server runs
      const whole = await run('check', '--data', file);
      assert.equal(whole.code, 0, whole.output);
      assert.match(whole.output, /1 pairs in relations, 2 files \(1 that no object names\): nothing wrong/);

      await ask(server, 'DELETE', `/classes/Thing/${b}`);
      await ask(server, 'DELETE', `/files/${photo.name}`, { master: true });
      const expected = [`_Join:others:Thing ${a} → ${b}: there is no Thing ${b}`, `file is missing: ${photo.name}, named by Thing`];
      if (kind === 'mongo') {
        const client = await MongoClient.connect(config.databaseURI);
        const rows = name => client.db().collection(name);
        await rows('_User').insertOne({ _id: 'other', username: 'ANN' });
        await rows('_Session').insertOne({ _id: 'dangling', _p_user: '_User$nobody', _session_token: 'r:1' });
        await rows('_Join:gone:Thing').insertOne({ owningId: a, relatedId: a });
        await client.close();
        expected.push('users with one username: ann: ', 'session without a user: dangling: there is no user nobody', 'relation of no field: _Join:gone:Thing');
      }
      const broken = await run('check', '--data', file);
      assert.equal(broken.code, 1, broken.output);
      for (const line of expected) assert.ok(broken.output.includes(line), `${line}\n${broken.output}`);
      assert.match(broken.output, new RegExp(`: ${expected.length} wrong`));
      if (kind === 'embedded') assert.deepEqual(fs.readdirSync(directoryOf(config.databaseURI)).filter(name => name.startsWith('copy-')), []);
    } finally {
      await server.stop();
    }
  });
}

test('check finds damage in the database file', async () => {
  const { file, config, start } = await app('embedded');
  const server = await start();
  const text = 'x'.repeat(2000);
  await ask(server, 'POST', '/batch', { json: { requests: Array.from({ length: 50 }, () => ({ method: 'POST', path: '/parse/classes/Thing', body: { text } })) } });
  await server.stop();
  const database = path.join(directoryOf(config.databaseURI), 'reparse.db');
  const bytes = fs.readFileSync(database);
  // The text of rows is changed without the index of dates: the keys of `updatedAt` are other ones then (1… becomes 2…).
  const mark = '"updatedAt":{"$d":';
  let count = 0;
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1), count += 1) bytes[at + mark.length] ^= 3;
  assert.ok(count >= 50, `${count} rows`);
  fs.writeFileSync(database, bytes);
  const { code, output } = await run('check', '--data', file);
  assert.equal(code, 1, output);
  assert.match(output, /damaged/);
});

test('compact gives room back, and waits for no server', async () => {
  const { file, config, start } = await app('embedded');
  const database = path.join(directoryOf(config.databaseURI), 'reparse.db');
  assert.match(await refusedWith(['compact', file]), /reparse\.db/);
  let server = await start();
  const text = 'x'.repeat(10_000);
  const post = () => ({ method: 'POST', path: '/parse/classes/Thing', body: { text } });
  const made = await ask(server, 'POST', '/batch', { json: { requests: Array.from({ length: 50 }, post) } });
  const gone = made.slice(1).map(({ success }) => ({ method: 'DELETE', path: `/parse/classes/Thing/${success.objectId}` }));
  await ask(server, 'POST', '/batch', { json: { requests: gone } });
  assert.match(await refusedWith(['compact', file]), /in use by process/);
  await server.stop();
  const before = fs.statSync(database).size;
  const { code, output } = await run('compact', file);
  assert.equal(code, 0, output);
  assert.ok(fs.statSync(database).size < before - 300_000, `${before} → ${fs.statSync(database).size}: ${output}`);
  server = await start();
  const { results } = await ask(server, 'GET', '/classes/Thing');
  assert.deepEqual(results.map(object => object.text), [text]);
  await server.stop();
});

/** All objects of a class, by id. */
async function objects(server, className) {
  const { results } = await ask(server, 'GET', `/classes/${className}`, { master: true, query: { limit: 100_000, order: 'objectId' } });
  return new Map(results.map(object => [object.objectId, object]));
}

const upload = (server, name, data) => ask(server, 'POST', `/files/${name}`, { data, headers: { 'Content-Type': 'text/plain' } });

/** The bytes of a file, whatever address the server gives it. */
async function download(server, name) {
  const answer = await server.request('GET', `/files/${server.options.appId}/${name}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.text;
}

const copyOf = (file, change) => {
  const bytes = fs.readFileSync(file);
  const other = path.join(tempDir(), 'other.tar');
  fs.writeFileSync(other, change(bytes) ?? bytes);
  return other;
};

test('a backup during 1000 writes is one moment, and a broken one is refused', async () => {
  const source = await app('embedded');
  const backup = path.join(tempDir(), 'backup.tar');
  const acknowledged = new Map();
  let before;
  let file;
  const server = await source.start();
  try {
    await ask(server, 'POST', '/users', { json: { username: 'ann', password: 'correct horse' } });
    file = await upload(server, 'photo.txt', 'the bytes');
    const left = Array.from({ length: 1000 }, (_, n) => n);
    const writers = Array.from({ length: 16 }, async () => {
      for (let n = left.shift(); n !== undefined; n = left.shift()) {
        const { objectId } = await ask(server, 'POST', '/classes/Thing', { json: { n, text: `text ${n}`, photo: { __type: 'File', name: file.name } } });
        acknowledged.set(objectId, n);
      }
    });
    await until(() => acknowledged.size > 100, { limit: 60_000 });
    before = new Map(acknowledged);
    const made = await run('backup', backup, source.file);
    assert.equal(made.code, 0, made.output);
    await Promise.all(writers);
    assert.match(await refusedWith(['backup', backup, source.file]), /is there already/);
    assert.match(await refusedWith(['restore', backup, source.file]), /in use by process/);
  } finally {
    await server.stop();
  }
  assert.match(await refusedWith(['restore', backup, source.file]), /reparse\.db is there already/);
  assert.equal(fs.statSync(backup).mode & 0o077, 0, 'others may read it');
  assert.deepEqual(fs.readdirSync(path.dirname(backup)), ['backup.tar']);
  assert.deepEqual(fs.readdirSync(directoryOf(source.config.databaseURI)).filter(name => name.startsWith('copy-')), []);

  const target = await app('embedded');
  const length = fs.statSync(backup).size;
  const broken = [0, 700, Math.floor(length / 2), length - 2000, length - 1500, length - 1].map(at => copyOf(backup, bytes => { bytes[at] ^= 1; }));
  for (const other of [...broken, copyOf(backup, bytes => bytes.subarray(0, length - 10_240)), copyOf(backup, () => Buffer.from('no backup'))]) {
    assert.match(await refusedWith(['restore', other, target.file]), /the backup is damaged/);
  }
  assert.equal(fs.existsSync(directoryOf(target.config.databaseURI)), false, 'something was made');

  const restored = await run('restore', backup, target.file);
  assert.equal(restored.code, 0, restored.output);
  const again = await target.start();
  try {
    const there = await objects(again, 'Thing');
    for (const id of before.keys()) assert.ok(there.has(id), `${id} was acknowledged before the backup`);
    for (const [id, object] of there) {
      assert.equal(object.n, acknowledged.get(id));
      assert.equal(object.text, `text ${object.n}`);
    }
    assert.equal(await download(again, file.name), 'the bytes');
    await ask(again, 'GET', '/login', { query: { username: 'ann', password: 'correct horse' } });
    await ask(again, 'POST', '/classes/Thing', { json: { n: -1 } });
  } finally {
    await again.stop();
  }
  const whole = await run('check', '--data', target.file);
  assert.equal(whole.code, 0, whole.output);
});

test('the server makes backups by itself, and keeps so many', async () => {
  const folder = tempDir();
  const old = 'reparse-2020-01-01T00-00-00.000Z.tar';
  fs.writeFileSync(path.join(folder, old), 'an old backup');
  fs.writeFileSync(path.join(folder, 'other.tar'), 'something else');
  const source = await app('embedded', { backup: { schedule: ['00:00'], keep: 1, to: folder } });
  const server = await source.start();
  let made;
  try {
    await ask(server, 'POST', '/classes/Thing', { json: { n: 1 } });
    // The last time of the day has passed, whatever the clock says.
    await until(() => !fs.existsSync(path.join(folder, old)), { limit: 120_000 });
    [made] = fs.readdirSync(folder).filter(name => name.startsWith('reparse-') && name !== old);
  } finally {
    await server.stop();
  }
  assert.ok(fs.existsSync(path.join(folder, 'other.tar')));
  const target = await app('embedded');
  const restored = await run('restore', path.join(folder, made), target.file);
  assert.equal(restored.code, 0, restored.output);
  assert.match(await refusedWith(['check', '--backup.schedule', '25:00', target.file]), /backup\.schedule.*25:00/);
  const onMongo = await app('mongo', { backup: { schedule: ['00:00'] } });
  assert.match(await refusedWith(['check', onMongo.file]), /backup\.schedule.*mongodump/);
});

/** The lines of an export by part, each parsed, in an order that does not depend on the store. */
function partsOf(folder) {
  const { parts } = JSON.parse(fs.readFileSync(path.join(folder, 'export.json'), 'utf8'));
  return Object.fromEntries(Object.keys(parts).sort().map(name => {
    const lines = fs.readFileSync(path.join(folder, name), 'utf8').split('\n').filter(Boolean);
    // Stores list the fields and the indexes of a class in orders of their own.
    const sorted = value => {
      if (Array.isArray(value)) return value.map(sorted);
      if (value === null || typeof value !== 'object') return value;
      return Object.fromEntries(Object.keys(value).sort().map(key => [key, sorted(value[key])]));
    };
    return [name, lines.map(line => JSON.stringify(sorted(JSON.parse(line)))).sort()];
  }));
}

/** Exports an app; returns the folder. */
async function exported({ file }) {
  const folder = path.join(tempDir(), 'export');
  const { code, output } = await run('export', folder, file);
  assert.equal(code, 0, output);
  return folder;
}

/** An app of every kind of data; returns what a client needs to find it again. */
async function fill(server) {
  const { objectId: userId, sessionToken: session } = await ask(server, 'POST', '/users', { json: { username: 'Ann', password: 'correct horse', email: 'ann@example.com' } });
  const photo = await upload(server, 'photo.txt', 'the bytes');
  const mine = { ACL: { [userId]: { read: true, write: true } } };
  const { objectId: first } = await ask(server, 'POST', '/classes/Thing', { session, json: { ...mine, n: 1 } });
  const all = {
    ...mine,
    text: 'a "text" with \\ and ünïcode 😀 \u0001', number: 1.5, large: 2 ** 53, small: 5e-324, truth: true, nothing: null,
    date: { __type: 'Date', iso: '2026-11-29T03:00:00.123Z' }, bytes: { __type: 'Bytes', base64: 'AAEC/w==' },
    point: { __type: 'GeoPoint', latitude: 40.5, longitude: -30.25 },
    polygon: { __type: 'Polygon', coordinates: [[0, 0], [0, 1], [1, 1], [0, 0]] },
    to: pointer('Thing', first), photo: { __type: 'File', name: photo.name },
    list: [1, 'two', { three: [null, { __type: 'Date', iso: '1970-01-01T00:00:00.000Z' }] }, pointer('Thing', first)],
    map: { a: { b: { c: [] } }, photo: { __type: 'File', name: photo.name } },
    others: { __op: 'AddRelation', objects: [pointer('Thing', first)] },
  };
  const { objectId: second } = await ask(server, 'POST', '/classes/Thing', { session, json: all });
  const role = await ask(server, 'POST', '/roles', { master: true, json: { name: 'staff', ACL: {}, users: { __op: 'AddRelation', objects: [pointer('_User', userId)] } } });
  await ask(server, 'POST', '/classes/Secret', { master: true, json: { ACL: { 'role:staff': { read: true } }, n: 7 } });
  await ask(server, 'PUT', '/config', { master: true, json: { params: { greeting: 'hello' }, masterKeyOnly: { greeting: false } } });
  await ask(server, 'POST', '/installations', { json: { deviceType: 'ios', deviceToken: 'a'.repeat(64) } });
  const fields = { name: { type: 'String', required: true, defaultValue: 'none' }, code: { type: 'Number' }, owner: { type: 'Pointer', targetClass: '_User' } };
  const indexes = { by_name: { name: 1, code: -1 }, by_owner: { owner: 1 } };
  const classLevelPermissions = { find: { '*': true }, get: { '*': true }, create: { requiresAuthentication: true }, addField: {} };
  await ask(server, 'POST', '/schemas/Made', { master: true, json: { className: 'Made', fields, indexes, classLevelPermissions } });
  const many = Array.from({ length: 50 }, (_, n) => ({ method: 'POST', path: '/parse/classes/Made', body: { name: `name ${n}`, code: n, owner: pointer('_User', userId) } }));
  await ask(server, 'POST', '/batch', { session, json: { requests: many } });
  return { userId, session, photo: photo.name, first, second, role: role.objectId };
}

/** A client goes on where it was. */
async function goesOn(server, { userId, session, photo, first, second }) {
  const me = await ask(server, 'GET', '/users/me', { session });
  assert.equal(me.objectId, userId);
  await ask(server, 'GET', '/login', { query: { username: 'Ann', password: 'correct horse' } });
  assert.equal((await server.request('GET', `/classes/Thing/${second}`)).status, 404);
  const thing = await ask(server, 'GET', `/classes/Thing/${second}`, { session, query: { include: 'to' } });
  assert.equal(thing.to.n, 1);
  assert.equal(thing.list[3].objectId, first);
  const where = { $relatedTo: { object: pointer('Thing', second), key: 'others' } };
  assert.deepEqual((await ask(server, 'GET', '/classes/Thing', { session, query: { where } })).results.map(object => object.objectId), [first]);
  assert.equal((await ask(server, 'GET', '/classes/Secret', { session })).results[0]?.n, 7);
  assert.equal((await ask(server, 'GET', '/config')).params.greeting, 'hello');
  assert.equal(await download(server, photo), 'the bytes');
  assert.equal((await server.request('POST', '/classes/Made', { json: { code: 1 } })).body?.code, 101);
  const made = await ask(server, 'GET', '/classes/Made', { query: { where: { name: 'name 7' } } });
  assert.equal(made.results[0].owner.objectId, userId);
  const schema = await ask(server, 'GET', '/schemas/Made', { master: true });
  assert.ok(schema.indexes.by_name && schema.indexes.by_owner, JSON.stringify(schema));
  assert.equal(schema.fields.name.required, true);
  await ask(server, 'POST', '/classes/Made', { session, json: { code: 100 } });
}

test('an export goes from the embedded store to MongoDB and back, and clients go on', async () => {
  const source = await app('embedded');
  let server = await source.start();
  const known = await fill(server);
  // Asked for as a class, a relation is noted as one; it stays a relation.
  await ask(server, 'POST', '/schemas/_Join:others:Thing', { master: true, json: {} });
  // while the server runs
  const first = await exported(source);
  await server.stop();
  assert.deepEqual(fs.readdirSync(first).filter(name => name.startsWith('copy')), []);
  assert.match((await run('export', first, source.file)).output, /is complete/);
  const expected = partsOf(first);
  assert.ok(expected['relations/others.Thing.jsonl'].length === 1 && expected['rows/Made.jsonl'].length === 50, JSON.stringify(Object.keys(expected)));

  let from = first;
  for (const kind of ['embedded', 'mongo', 'mongo', 'embedded']) {
    const target = await app(kind);
    const imported = await run('import', from, target.file);
    assert.equal(imported.code, 0, imported.output);
    assert.match(imported.output, / 0 were there already, 2 pairs in relations, 1 files, 0 failed/);
    if (kind === 'mongo') {
      // What a master wrote among the pairs relates nothing.
      const client = await MongoClient.connect(target.config.databaseURI);
      await client.db().collection('_Join:others:Thing').insertOne({ note: 'no pair' });
      await client.close();
    }
    from = await exported(target);
    assert.deepEqual(partsOf(from), expected, kind);
    server = await target.start();
    try {
      await goesOn(server, known);
    } finally {
      await server.stop();
    }
  }
});

for (const kind of ['embedded', 'mongo']) {
  test(`an export and an import go on after an interruption, and nothing is overwritten (${kind})`, async () => {
    const source = await app(kind);
    let server = await source.start();
    const known = await fill(server);
    await server.stop();
    const folder = await exported(source);
    const expected = partsOf(folder);
    // As if the export had been killed: some parts are not noted, one is written in half.
    const contents = path.join(folder, 'export.json');
    const noted = JSON.parse(fs.readFileSync(contents, 'utf8'));
    const { 'rows/Made.jsonl': made, 'files.jsonl': files, ...parts } = noted.parts;
    assert.ok(made && files);
    fs.writeFileSync(contents, JSON.stringify({ ...noted, complete: false, parts }));
    fs.truncateSync(path.join(folder, 'rows/Made.jsonl'), 100);
    const target = await app(kind);
    assert.match(await refusedWith(['import', folder, target.file]), /not complete/);
    const resumed = await run('export', folder, source.file);
    assert.equal(resumed.code, 0, resumed.output);
    assert.deepEqual(partsOf(folder), expected);

    // A broken byte is refused before anything is written.
    const rows = path.join(folder, 'rows/Made.jsonl');
    const whole = fs.readFileSync(rows);
    const damaged = Buffer.from(whole);
    damaged[damaged.indexOf('name 7')] ^= 1;
    fs.writeFileSync(rows, damaged);
    assert.match(await refusedWith(['import', folder, target.file]), /Made\.jsonl is damaged/);
    fs.writeFileSync(rows, whole);

    const count = expected => Object.entries(expected).filter(([name]) => name.startsWith('rows/')).reduce((sum, [, lines]) => sum + lines.length, 0);
    const objects = count(expected);
    assert.match((await run('import', folder, target.file)).output, new RegExp(`^${objects} objects made, 0 were there already`, 'm'));
    assert.match((await run('import', folder, target.file)).output, new RegExp(`^0 objects made, ${objects} were there already.* 0 failed`, 'm'));

    server = await target.start();
    await ask(server, 'PUT', `/classes/Thing/${known.first}`, { master: true, json: { n: 5 } });
    if (kind === 'embedded') assert.match(await refusedWith(['import', folder, target.file]), /in use by process/);
    await server.stop();
    const differs = await run('import', folder, target.file);
    assert.equal(differs.code, 1, differs.output);
    assert.match(differs.output, new RegExp(`Thing ${known.first}: another object has this objectId`));
    server = await target.start();
    try {
      assert.equal((await ask(server, 'GET', `/classes/Thing/${known.first}`, { master: true })).n, 5);

    } finally {
      await server.stop();
    }
  });
}
