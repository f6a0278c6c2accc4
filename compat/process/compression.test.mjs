// Option compression: JSON answers are compressed for clients that take it, and only where length may tell nothing of a secret.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import zlib from 'node:zlib';
import { until } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';

const gzip = { 'Accept-Encoding': 'gzip, br' };

/** One request; the body as the bytes that came. */
const get = (server, path, { method = 'GET', headers = {}, body } = {}) =>
  new Promise((resolve, reject) => {
    const all = { 'X-Parse-Application-Id': 'app', ...headers };
    const request = http.request(server.url + path, { method, headers: all, agent: false }, response => {
      const chunks = [];
      response.on('data', chunk => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, bytes: Buffer.concat(chunks) }));
    });
    request.on('error', reject);
    request.end(body);
  });

const options = { allowClientClassCreation: true, mountGraphQL: true, jsonLogs: true, fileUpload: { enableForPublic: true } };
const fill = async (server, count) => {
  const requests = Array.from({ length: count }, (_, n) => ({ method: 'POST', path: '/parse/classes/Note', body: { n, text: 'a text that comes again and again' } }));
  for (let begin = 0; begin < count; begin += 50) {
    const { status, text } = await server.request('POST', '/batch', { json: { requests: requests.slice(begin, begin + 50) } });
    assert.equal(status, 200, text);
  }
};

for (const store of ['embedded', 'mongo']) {
  let server;
  before(async () => {
    server = await startServer({ ...options, compression: true }, { database: freshDatabase(store) });
    await fill(server, 600);
  });
  after(() => server?.stop());

  test(`${store}: long answers are compressed for who takes it`, async () => {
    for (const limit of [20, 600]) {
      const path = `/classes/Note?order=n&limit=${limit}`;
      const plain = await get(server, path);
      const packed = await get(server, path, { headers: { ...gzip, 'X-Request-Id': `packed-${limit}` } });
      assert.deepEqual([plain.headers['content-encoding'], packed.headers['content-encoding']], [undefined, 'gzip']);
      assert.deepEqual([plain.headers.vary, packed.headers.vary], ['Accept-Encoding', 'Accept-Encoding']);
      assert.equal(Number(packed.headers['content-length']), packed.bytes.length);
      assert.ok(packed.bytes.length < plain.bytes.length / 3, `${packed.bytes.length} of ${plain.bytes.length}`);
      assert.deepEqual(zlib.gunzipSync(packed.bytes), plain.bytes);
      const line = () => server.child.output.split('\n').find(line => line.includes(`"packed-${limit}"`));
      await until(line, { what: 'the line of the request' });
      assert.equal(JSON.parse(line()).bytesOut, packed.bytes.length);
    }
    const graphql = await get(server, '/../graphql', { method: 'POST', headers: { ...gzip, 'Content-Type': 'application/json' }, body: JSON.stringify({ query: '{ notes(first: 50) { edges { node { id n text } } } }' }) });
    assert.equal(graphql.headers['content-encoding'], 'gzip');
    assert.equal(JSON.parse(zlib.gunzipSync(graphql.bytes)).data.notes.edges.length, 50);
  });

  test(`${store}: others are left as they are`, async () => {
    const path = '/classes/Note?limit=50';
    const { body: user } = await server.request('POST', '/users', { json: { username: 'ann', password: 'secret', about: 'x'.repeat(5000) } });
    const upload = await server.request('POST', '/files/a.json', { data: JSON.stringify('y'.repeat(5000)), headers: { 'Content-Type': 'application/json' } });
    const file = new URL(upload.body.url).pathname.slice('/parse'.length);
    const session = { 'X-Parse-Session-Token': user.sessionToken };
    for (const [what, where, { method, headers = {}, body } = {}] of [
      ['short', '/classes/Note?limit=1'],
      ['with a cookie', path, { headers: { Cookie: 'a=b' } }],
      ['by HTTP authentication', path, { headers: { Authorization: `Basic ${Buffer.from('app:').toString('base64')}` } }],
      ['HEAD', path, { method: 'HEAD' }],
      ['gzip refused', path, { headers: { 'Accept-Encoding': 'gzip;q=0' } }],
      ['log in', '/login', { method: 'POST', body: '{"username":"ann","password":"secret"}' }],
      ['users/me', '/users/me', { headers: session }],
      ['a batch with a log in', '/batch', { method: 'POST', body: '{"requests":[{"method":"POST","path":"/parse/login","body":{"username":"ann","password":"secret"}}]}' }],
      ['a file', file],
      ['a part of a file', file, { headers: { Range: 'bytes=0-3999' } }],
    ]) {
      const answer = await get(server, where, { method, headers: { ...gzip, ...headers }, body });
      assert.ok(answer.status < 300, `${what}: ${answer.status} ${answer.bytes}`);
      assert.equal(answer.headers['content-encoding'], undefined, what);
    }
    // without the token, which its owner gets, the same user is compressed
    assert.equal((await get(server, `/users/${user.objectId}`, { headers: { ...gzip, 'X-Parse-Master-Key': 'master' } })).headers['content-encoding'], 'gzip');
  });
}

test('without the option nothing is', async () => {
  const server = await startServer(options, { database: freshDatabase('embedded') });
  await fill(server, 50);
  const { headers } = await get(server, '/classes/Note', { headers: gzip });
  assert.deepEqual([headers['content-encoding'], headers.vary], [undefined, undefined]);
  await server.stop();
});
