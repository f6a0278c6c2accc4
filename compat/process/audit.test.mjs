// The audit log: what is noted of whom, what never is, and that every change of it shows.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { startServer, spawnReparse } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { tempDir } from '../lib/temp.mjs';

const files = folder => fs.readdirSync(folder).sort().map(name => path.join(folder, name));
const entries = folder => files(folder).flatMap(file => fs.readFileSync(file, 'utf8').trimEnd().split('\n').map(line => JSON.parse(line)));

async function verify(where) {
  const child = spawnReparse(['audit', 'verify', where]);
  const { code } = await child.ended;
  return { code, output: child.output };
}

for (const store of ['mongo', 'embedded']) {
  test(`${store}: who changed what; no secret; the chain`, async () => {
    const folder = path.join(tempDir('reparse-audit'), 'log');
    const options = { auditLog: { folder }, masterKey: 'a-master-key', masterKeyIps: ['127.0.0.1'], readOnlyMasterKey: 'a-reading-key' };
    const server = await startServer(options, { database: freshDatabase(store) });
    const ok = async (status, ...call) => {
      const answer = await server.request(...call);
      assert.equal(answer.status, status, answer.text);
      return answer.body;
    };
    const id = n => ({ 'X-Request-Id': `request-${n}` });
    // what matters whoever does it
    const ann = await ok(201, 'POST', '/users', { json: { username: 'ann', password: 'first secret', email: 'ann@example.org' } });
    await ok(200, 'PUT', `/users/${ann.objectId}`, { session: ann.sessionToken, json: { score: 1 } });
    await ok(200, 'PUT', `/users/${ann.objectId}`, { session: ann.sessionToken, json: { password: 'second secret' }, headers: id(1) });
    await ok(200, 'POST', '/login', { json: { username: 'ann', password: 'second secret' }, headers: id(2) });
    await ok(404, 'POST', '/login', { json: { username: 'ann', password: 'wrong secret' }, headers: id(3) });
    await ok(404, 'POST', '/login', { json: { username: 'a secret typed here', password: 'x' }, headers: id(4) });
    await ok(403, 'GET', '/schemas', { headers: { ...id(5), 'X-Parse-Master-Key': 'a-guessed-key' } });
    // what the master key does
    const note = await ok(201, 'POST', '/classes/Note', { master: true, json: { text: 'private text' }, headers: id(6) });
    await ok(200, 'PUT', `/classes/Note/${note.objectId}`, { master: true, json: { text: 'private text 2', more: 1 }, headers: id(7) });
    await ok(201, 'POST', '/classes/Free', { master: true, json: { text: 'private' }, headers: id(16) });
    const free = await ok(201, 'POST', '/classes/Free', { json: { text: 'by nobody' } });
    const role = await ok(201, 'POST', '/roles', {
      master: true, headers: id(8),
      json: { name: 'admin', ACL: {}, users: { __op: 'AddRelation', objects: [{ __type: 'Pointer', className: '_User', objectId: ann.objectId }] } },
    });
    await ok(200, 'PUT', '/config', { master: true, json: { params: { apiKey: 'private config' } }, headers: id(9) });
    await ok(200, 'PUT', '/schemas/Note', { master: true, json: { fields: { size: { type: 'Number' } }, classLevelPermissions: { find: {} } }, headers: id(10) });
    await ok(200, 'POST', '/hooks/functions', { master: true, json: { functionName: 'f', url: 'http://127.0.0.1:9/private' }, headers: id(11) });
    await ok(200, 'DELETE', `/classes/Note/${note.objectId}`, { master: true, headers: id(12) });
    await ok(200, 'DELETE', '/schemas/Note', { master: true, headers: id(13) });
    // a transaction that fails leaves nothing behind, one that succeeds does
    const batch = (second, n) => server.request('POST', '/batch', {
      master: true, headers: id(n),
      json: { transaction: true, requests: [
        { method: 'POST', path: '/parse/classes/Kept', body: { n } },
        { method: 'PUT', path: `/parse/roles/${second}`, body: { ACL: { '*': { read: true } } } },
      ] },
    });
    const refused = await batch('nobody', 14);
    assert.equal(refused.body.code, 101, refused.text);
    const committed = await batch(role.objectId, 15);
    assert.equal(committed.status, 200, committed.text);
    await server.stop();

    const all = entries(folder);
    const of = n => all.filter(entry => entry.request === `request-${n}`).map(({ what, class: name, id, fields, key, user }) => ({ what, name, id, fields, key, user }));
    const has = (n, expected) => assert.ok(of(n).some(entry => Object.entries(expected).every(([key, value]) => JSON.stringify(entry[key]) === JSON.stringify(value))), `${n}: ${JSON.stringify(of(n))}`);
    assert.ok(of(1).some(({ what, name, fields, user }) => what === 'update' && name === '_User' && fields.includes('password') && user === ann.objectId), JSON.stringify(of(1)));
    has(2, { what: 'logIn', id: ann.objectId, key: 'none' });
    has(3, { what: 'logInFailed', id: ann.objectId });
    has(4, { what: 'logInFailed', id: undefined });
    has(5, { what: 'keyRefused' });
    has(6, { what: 'create', name: 'Note', id: note.objectId, key: 'master' });
    assert.ok(of(7).some(({ what, fields }) => what === 'update' && fields.includes('text') && fields.includes('more')));
    has(8, { what: 'create', name: '_Role', id: role.objectId });
    has(8, { what: 'update', name: '_Role', id: role.objectId, fields: ['users'] });
    assert.ok(of(9).some(({ name, fields }) => name === '_GlobalConfig' && fields.includes('params.apiKey')), JSON.stringify(of(9)));
    has(10, { what: 'changeClass', name: 'Note', fields: ['size', 'classLevelPermissions'] });
    has(11, { what: 'create', name: '_Hooks' });
    has(12, { what: 'delete', name: 'Note', id: note.objectId });
    has(13, { what: 'deleteClass', name: 'Note' });
    assert.deepEqual(of(14), [], 'what was rolled back is not noted');
    has(15, { what: 'create', name: 'Kept' });
    assert.ok(!all.some(entry => entry.id === free.objectId || entry.fields?.includes('score')), 'what does not matter is not noted');
    for (const entry of all.slice(1)) assert.match(entry.address, /^127\.0\.0\.1$/);
    const text = files(folder).map(file => fs.readFileSync(file, 'utf8')).join('');
    assert.doesNotMatch(text, /secret|private|a-master-key|a-guessed-key|\$2[aby]\$|r:[0-9a-f]{32}|ann@/);
    assert.ok(!text.includes(ann.sessionToken));

    // a restart goes on from there
    const again = await startServer(options, { database: server.options.databaseURI });
    await again.request('POST', '/classes/Kept', { master: true, json: {} });
    await again.stop();
    assert.equal(files(folder).length, 2);
    const whole = await verify(folder);
    assert.equal(whole.code, 0, whole.output);
    assert.match(whole.output, /files 2, entries \d+, last hash [0-9a-f]{64}/);
    const [first] = files(folder);
    assert.equal(fs.statSync(first).mode & 0o777, 0o600);
    const bytes = fs.readFileSync(first);
    for (const at of [5, Math.floor(bytes.length / 2), bytes.length - 5]) {
      const broken = Buffer.from(bytes);
      broken[at] ^= 1;
      fs.writeFileSync(first, broken);
      for (const where of [first, folder]) {
        const { code, output } = await verify(where);
        assert.ok(code === 1 && /the audit log is broken: .*line \d+/.test(output), `byte ${at}: ${output}`);
      }
    }
    // cut off at a line: the next file shows it
    fs.writeFileSync(first, bytes.subarray(0, bytes.lastIndexOf('\n', bytes.length - 2) + 1));
    assert.equal((await verify(first)).code, 0);
    assert.equal((await verify(folder)).code, 1);
  });
}

test('what was acknowledged is in the log of a server that is killed', async () => {
  const folder = path.join(tempDir('reparse-audit'), 'log');
  const server = await startServer({ auditLog: { folder } }, { database: freshDatabase('embedded') });
  const acknowledged = [];
  const writers = Array.from({ length: 8 }, async () => {
    for (;;) {
      const answer = await server.request('POST', '/classes/Note', { master: true, json: {} }).catch(() => undefined);
      if (answer?.status !== 201) return;
      acknowledged.push(answer.body.objectId);
      if (acknowledged.length === 60) await server.kill();
    }
  });
  await Promise.all(writers);
  // the system may have written half of the last batch
  const [file] = files(folder);
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  const half = lines.pop();
  const noted = new Set(lines.map(line => JSON.parse(line).id));
  assert.ok(acknowledged.length >= 60);
  assert.deepEqual(acknowledged.filter(id => !noted.has(id)), []);
  const { code, output } = await verify(file);
  assert.ok(half === '' ? code === 0 : /it is incomplete/.test(output), output);
});
