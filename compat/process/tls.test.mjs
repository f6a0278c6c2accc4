// The server's own TLS: protocols that it speaks and refuses, HTTP/2, and a certificate that is replaced while clients are connected.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import path from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import WebSocket from 'ws';
import { makeCertificates } from '../accounts/certificates.mjs';
import { until } from '../lib/net.mjs';
import { Server, spawnReparse, writeConfig } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { tempDir } from '../lib/temp.mjs';
import { refused } from './support.mjs';

const LIMIT = 60_000;

/** A folder with the files of a certificate, which `write` replaces. */
function folder() {
  const dir = tempDir('reparse-tls');
  const files = { certificate: path.join(dir, 'cert.pem'), key: path.join(dir, 'key.pem') };
  const write = ({ cert, key }) => {
    if (cert) fs.writeFileSync(files.certificate, cert);
    if (key) fs.writeFileSync(files.key, key);
  };
  return { files, write };
}

/** A server with TLS, once its port is open. */
async function start(tlsOptions, options = {}) {
  const { file, config, dir } = await writeConfig({ ...options, serverURL: undefined, tls: tlsOptions }, { database: freshDatabase('embedded') });
  const child = spawnReparse([file], { cwd: dir });
  const server = new Server(child, config.port, config);
  server.root = `https://localhost:${config.port}`;
  server.url = server.root + config.mountPath;
  await until(() => /is ready/.test(child.output) || !child.alive, { limit: LIMIT, what: 'a server with TLS' });
  assert.ok(child.alive, child.output);
  return server;
}

/** One request on a connection of its own, or on that of `agent`. */
function get(url, { ca, agent = false, ...options }) {
  return new Promise((resolve, reject) => {
    const request = https.request(url, { ca, agent, timeout: LIMIT, ...options }, response => {
      const { fingerprint256: peer } = response.socket.getPeerCertificate();
      let text = '';
      response.on('data', chunk => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text, peer }));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
    request.end(options.body);
  });
}

/** A request over HTTP/2. */
function stream(session, headers, body) {
  return new Promise((resolve, reject) => {
    const request = session.request(headers);
    let text = '';
    let answer;
    request.on('response', received => (answer = received));
    request.on('data', chunk => (text += chunk));
    request.on('end', () => resolve({ status: answer?.[':status'], headers: answer, text }));
    request.on('error', reject);
    request.end(body);
  });
}

/** What a handshake with these settings ends with: the version and the protocol, or the client's error. */
function shake(port, settings) {
  return new Promise(resolve => {
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ...settings });
    socket.setTimeout(LIMIT, () => socket.destroy(new Error('silence')));
    // With TLS 1.3 the client is done before the server refuses: only an answer is an agreement.
    socket.on('secureConnect', () => socket.write('GET /parse/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'));
    socket.on('data', () => {
      resolve({ version: socket.getProtocol(), protocol: socket.alpnProtocol });
      socket.destroy();
    });
    socket.on('error', error => resolve({ error }));
    socket.on('close', () => resolve({ error: new Error('closed') }));
  });
}

const certificate = names => {
  const { ca, tls: pair } = makeCertificates(names);
  return { ca: fs.readFileSync(ca), ...pair };
};

test('protocols that are spoken, and those that are refused', async () => {
  const made = certificate();
  const { files, write } = folder();
  write(made);
  const ca = made.ca;
  const server = await start(files);
  const at = settings => shake(server.port, { ca, ...settings });
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    assert.equal((await at({ minVersion: version, maxVersion: version })).version, version);
  }
  // The ciphers are weak enough for OpenSSL to try, so the refusal is the server's.
  for (const version of ['TLSv1', 'TLSv1.1']) {
    const { error } = await at({ minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' });
    assert.match(`${error?.code} ${error?.message}`, /ALERT|ECONNRESET|closed/, version);
  }
  for (const ciphers of ['AES128-SHA', 'DHE-RSA-AES128-SHA256', 'ECDHE-RSA-AES128-SHA', 'NULL:@SECLEVEL=0']) {
    assert.ok((await at({ maxVersion: 'TLSv1.2', ciphers })).error, ciphers);
  }
  assert.equal((await at({ ALPNProtocols: ['http/1.1'] })).protocol, 'http/1.1');
  assert.ok((await at({ ALPNProtocols: ['spdy/3'] })).error, 'a protocol that nobody speaks');
  assert.ok((await shake(server.port, {})).error, 'the certificate is checked by clients');
  // HTTP without TLS is not answered, and what is no TLS at all ends.
  await assert.rejects(fetch(`http://127.0.0.1:${server.port}/parse/health`));
  assert.equal((await get(`${server.url}/health`, { ca })).status, 200);
  await server.stop();

  const strict = await start({ ...files, minVersion: '1.3', http2: false });
  assert.ok((await shake(strict.port, { ca, maxVersion: 'TLSv1.2' })).error);
  assert.equal((await shake(strict.port, { ca, ALPNProtocols: ['h2', 'http/1.1'] })).protocol, 'http/1.1');
  await strict.stop();
});

test('HTTP/2: many requests at once, bodies, bounds, and the end', async () => {
  const made = certificate();
  const { files, write } = folder();
  write(made);
  const ca = made.ca;
  const server = await start(files, { masterKeyIps: ['0.0.0.0/0', '::0'], limits: { headers: 30 }, shutdownDelayMs: 500 });
  const session = http2.connect(server.root, { ca });
  session.on('error', () => {});
  const keys = { 'x-parse-application-id': 'app', 'x-parse-master-key': 'master', 'content-type': 'application/json' };
  const stored = await Promise.all(
    Array.from({ length: 90 }, (_, n) =>
      stream(session, { ':method': 'POST', ':path': '/parse/classes/Thing', ...keys }, JSON.stringify({ n, pad: 'x'.repeat(n * 100) }))),
  );
  for (const answer of stored) assert.equal(answer.status, 201, answer.text);
  assert.match(stored[0].headers.location, new RegExp(`^https://localhost:${server.port}/parse/classes/Thing/`));
  assert.equal(stored[0].headers.connection, undefined);
  const found = await stream(session, { ':path': '/parse/classes/Thing?limit=1000&order=n', ...keys });
  assert.equal(JSON.parse(found.text).results.length, 90);
  assert.deepEqual(JSON.parse(found.text).results.map(({ n }) => n), Array.from({ length: 90 }, (_, n) => n));
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`x-${n}`, '1']));
  assert.equal((await stream(session, { ':path': '/parse/health', ...many })).status, 431);
  assert.equal((await stream(session, { ':path': '/nowhere' })).status, 404);
  // a stream that the client gives up hurts no other
  const given = session.request({ ':path': '/parse/classes/Thing', ...keys });
  given.on('error', () => {});
  given.close(http2.constants.NGHTTP2_CANCEL);
  assert.equal((await stream(session, { ':path': '/parse/health' })).status, 200);
  // one that stops says so to its clients, which finish what they have begun
  const closed = new Promise(resolve => session.once('close', resolve));
  const ended = server.stop(LIMIT);
  await stream(session, { ':path': '/parse/health/live' }).catch(() => {});
  await closed;
  assert.deepEqual(await ended, { code: 0, signal: null });
});

test('a new certificate is taken without closing a connection', async () => {
  const [first, second, third] = [certificate(), certificate(['second.example']), certificate()];
  // which certificate it is shows by its fingerprint
  const trust = { rejectUnauthorized: false };
  const { files, write } = folder();
  write(first);
  // so that no connection ends because it waits
  const server = await start(files, { liveQuery: { classNames: ['Thing'] }, startLiveQueryServer: true, requestTimeoutMs: 3_600_000 });
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ...trust });
  const [session, live] = [http2.connect(server.root, trust), new WebSocket(server.root.replace('https', 'wss'), trust)];
  await new Promise((resolve, reject) => live.once('open', resolve).once('error', reject));
  const kept = await get(`${server.url}/health`, { agent, ...trust });
  const sees = async () => (await get(`${server.url}/health`, trust)).peer;
  assert.equal(await sees(), kept.peer);

  // without a word to the server
  write(second);
  await until(async () => (await sees()) !== kept.peer, { limit: LIMIT, what: 'the second certificate' });
  const replaced = await sees();

  // one file of the two: they do not belong together, so nothing changes
  write({ cert: third.cert });
  server.child.signal('SIGHUP');
  await until(() => /the certificate in use stays/.test(server.child.output), { limit: LIMIT, what: 'a warning' });
  assert.equal(await sees(), replaced);
  write({ key: third.key });
  server.child.signal('SIGHUP');
  await until(async () => (await sees()) !== replaced, { limit: LIMIT, what: 'the third certificate' });

  // rubbish
  write({ cert: 'no certificate' });
  server.child.signal('SIGHUP');
  await until(() => server.child.output.split('the certificate in use stays').length > 2, { limit: LIMIT, what: 'a second warning' });
  assert.equal((await get(`${server.url}/health`, trust)).status, 200);

  // connections that are older than all of that
  assert.equal((await get(`${server.url}/health`, { agent, ...trust })).peer, kept.peer);
  assert.equal((await stream(session, { ':path': '/parse/health' })).status, 200);
  live.send(JSON.stringify({ op: 'connect', applicationId: 'app' }));
  assert.equal(JSON.parse(await new Promise(resolve => live.once('message', resolve))).op, 'connected');
  assert.doesNotMatch(server.child.output, /PRIVATE KEY/);
  live.terminate();
  session.destroy();
  agent.destroy();
  await server.stop();
});

test('a certificate that does not work stops the start', async () => {
  const [one, other] = [certificate(), certificate()];
  const { files, write } = folder();
  assert.match(await refused({ tls: files }), /option tls\.certificate: cannot read .*cert\.pem/);
  assert.match(await refused({ tls: { certificate: files.certificate } }), /options tls\.certificate and tls\.key must be set together/);
  assert.match(await refused({ tls: { ...files, minVersion: '1.1' } }), /tls\.minVersion/);
  write({ cert: one.cert, key: other.key });
  const mixed = await refused({ tls: files });
  assert.match(mixed, /options tls\.certificate and tls\.key/);
  assert.doesNotMatch(mixed, /PRIVATE KEY/);
  write({ cert: one.key });
  assert.match(await refused({ tls: files }), /has no certificate as PEM/);
  write({ cert: one.cert, key: 'nothing' });
  assert.match(await refused({ tls: files }), /has no private key as PEM/);
});
