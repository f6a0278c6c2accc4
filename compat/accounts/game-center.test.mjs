// Apple's Game Center, played by a server on this machine with a certificate authority of the test.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { serve } from '../lib/outside.mjs';
import { startServer } from '../lib/server.mjs';
import { certificate } from './certificates.mjs';
import { row } from './support.mjs';

const opened = [];
const keep = one => {
  opened.push(one);
  return one;
};
after(() => Promise.all(opened.map(one => one.stop())));

const BUNDLE = 'com.example.game';
const show = (server, data) => server.request('POST', '/users', { json: { authData: { gcenter: data } } });
const refused = (answer, text, what) => {
  assert.deepEqual([answer.status, answer.body?.code], [404, 101], `${what}: ${answer.text}`);
  assert.match(answer.body.error, text, what);
};

const der = pem => Buffer.from(pem.replace(/-----[^-]*-----|\s/g, ''), 'base64');
const CODE_SIGNING = { name: 'extKeyUsage', codeSigning: true };
const APPLE = { organization: 'Apple Inc.' };
const authority = certificate('Code Signing CA', 'Code Signing CA', undefined, [{ name: 'basicConstraints', cA: true, critical: true }, { name: 'keyUsage', keyCertSign: true, critical: true }]);
const stranger = certificate('Code Signing CA', 'Code Signing CA', undefined, [{ name: 'basicConstraints', cA: true, critical: true }]);
const issued = (more = {}, extensions = [CODE_SIGNING], signer = authority) => certificate('Apple Inc.', 'Code Signing CA', signer.key, extensions, { ...APPLE, ...more });

const CERTIFICATES = {
  good: issued(),
  next: issued({ organization: 'Apple, Inc.' }),
  pem: issued(),
  expired: issued({ from: -20, to: -10 }),
  early: issued({ from: 10, to: 20 }),
  company: issued({ organization: 'Apple Inc. Fans Ltd.' }),
  nobody: issued({ organization: undefined }),
  web: issued({}, [{ name: 'extKeyUsage', serverAuth: true }]),
  below: issued({}, [{ name: 'basicConstraints', cA: true, critical: true }]),
  stranger: issued({}, [CODE_SIGNING], stranger),
  itself: certificate('Apple Inc.', 'Apple Inc.', undefined, [CODE_SIGNING], APPLE),
};
// issued by one that Apple's certificate does not make an authority
CERTIFICATES.chained = certificate('Apple Inc.', 'Apple Inc.', CERTIFICATES.good.key, [CODE_SIGNING], APPLE);

/** What an app gets of Game Center. `parts` changes what is signed, `more` what is sent. */
function proof(id, parts = {}, more = {}) {
  const { name = 'good', bundle = BUNDLE, timestamp = Date.now() - 1000, salt = crypto.randomBytes(4), signed = id } = parts;
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(timestamp));
  const text = Buffer.concat([Buffer.from(signed), Buffer.from(bundle), time, salt]);
  const signature = crypto.sign('sha256', text, CERTIFICATES[name].key).toString('base64');
  return { id, publicKeyUrl: `${apple.url}/public-key/${name}.cer`, timestamp, signature, salt: salt.toString('base64'), ...more };
}

let apple;
let evil;
let server;
before(async () => {
  evil = keep(await serve(() => ({ status: 200, text: CERTIFICATES.good.cert })));
  apple = keep(await serve(({ path }) => {
    const name = /^\/public-key\/(\w+)\.cer$/.exec(path)?.[1];
    if (path === '/ca.pem') return { text: authority.cert };
    if (name === 'redirect') return { status: 302, headers: { location: `${evil.url}/good.cer` } };
    if (name === 'failure') return { status: 500, text: CERTIFICATES.good.cert };
    if (name === 'html') return { text: '<html>' };
    if (name === 'empty') return { text: '' };
    if (name === 'long') return { text: CERTIFICATES.good.cert + '\n'.repeat(20_000) };
    if (name === 'huge') return { text: CERTIFICATES.good.cert + '\n'.repeat(3_000_000) };
    const found = CERTIFICATES[name];
    if (!found) return undefined;
    return { text: name === 'pem' ? found.cert : der(found.cert), headers: { 'content-type': 'application/pkix-cert' } };
  }));
  server = keep(await startServer({ auth: { gcenter: { bundleId: BUNDLE, rootCertificateUrl: `${apple.url}/ca.pem`, publicKeyUrl: apple.url } } }));
});

describe('Game Center', () => {
  test('players sign up, log in, link and unlink', async () => {
    const made = await show(server, proof('T:_alice'));
    assert.equal(made.status, 201, made.text);
    const stored = await row(server, made.body.objectId);
    assert.deepEqual(stored._auth_data_gcenter ?? stored.authData?.gcenter, { id: 'T:_alice' });
    for (const data of [
      proof('T:_alice'),
      proof('T:_alice', { name: 'next' }),
      proof('T:_alice', { name: 'pem' }),
      { ...proof('T:_alice', { timestamp: 1_700_000_000_000 }), timestamp: '1700000000000' },
    ]) {
      const again = await show(server, data);
      assert.deepEqual([again.status, again.body.objectId], [200, made.body.objectId], again.text);
    }
    assert.notEqual((await show(server, proof('T:_bob'))).body.objectId, made.body.objectId);
    const other = await server.request('POST', '/users', { json: { username: 'carol', password: 'p' } });
    const change = gcenter => server.request('PUT', `/users/${other.body.objectId}`, { session: other.body.sessionToken, json: { authData: { gcenter } } });
    assert.equal((await change(proof('T:_alice'))).body.code, 208);
    // why is not said to those who link
    assert.equal((await change({ id: 'T:_carol' })).body.code, 206);
    assert.equal((await change(proof('T:_carol'))).status, 200);
    assert.equal((await show(server, proof('T:_carol'))).body.objectId, other.body.objectId);
    assert.equal((await change(null)).status, 200);
    assert.notEqual((await show(server, proof('T:_carol'))).body.objectId, other.body.objectId);
  });

  test('certificates are asked for once', async () => {
    const own = keep(await startServer({ auth: { gcenter: { bundleId: BUNDLE, rootCertificateUrl: `${apple.url}/ca.pem`, publicKeyUrl: apple.url } } }));
    const from = apple.calls.length;
    for (let count = 0; count < 5; count += 1) assert.ok((await show(own, proof('T:_alice'))).status < 300);
    assert.deepEqual(apple.calls.slice(from).map(({ path }) => path).sort(), ['/ca.pem', '/public-key/good.cer']);
  });

  // qf8x-vqjv-92gr, rh9j-f5f8-rvgc
  test('adv_qf8x adv_rh9j signatures of others', async () => {
    const good = proof('T:_alice');
    const later = proof('T:_alice', { timestamp: Date.now() + 3_600_000 });
    for (const [what, data] of Object.entries({
      'another player': proof('T:_alice', { signed: 'T:_bob' }),
      'another app': proof('T:_alice', { bundle: 'com.example.other' }),
      'another app, named by the client': proof('T:_alice', { bundle: 'com.example.other' }, { bundleId: 'com.example.other' }),
      'another time': { ...good, timestamp: good.timestamp + 1 },
      'a time to come': later,
      'another salt': { ...good, salt: 'AAAA' },
      'another signature': { ...good, signature: proof('T:_bob').signature },
      'an empty one': { ...good, signature: 'AA==' },
      'no base64': { ...good, signature: '%%%' },
      'a certificate that did not sign': { ...good, publicKeyUrl: `${apple.url}/public-key/next.cer` },
    })) {
      refused(await show(server, data), /^Invalid signature\.$/, what);
    }
    // The bytes have no separators: an app whose id begins like ours, with the rest of its id moved into the time.
    const bundle = `${BUNDLE}s`;
    const salt = crypto.randomBytes(4);
    const foreign = proof('T:_alice', { bundle, salt });
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(foreign.timestamp));
    const rest = Buffer.concat([Buffer.from('s'), time, salt]);
    const moved = { ...foreign, timestamp: String(rest.readBigUInt64BE(0)), salt: rest.subarray(8).toString('base64') };
    refused(await show(server, moved), /^Invalid signature\.$/, 'a bundle id that begins like ours');
    for (const field of ['id', 'publicKeyUrl', 'timestamp', 'signature', 'salt']) {
      for (const value of [undefined, null, '', { $ne: null }, ['x'], true, 'x'.repeat(5000)]) {
        const answer = await show(server, { ...good, [field]: value });
        assert.ok(answer.status >= 400 && answer.status < 500 && [101, 162].includes(answer.body?.code), `${field} ${JSON.stringify(value)?.slice(0, 40)}: ${answer.text}`);
      }
    }
    for (const timestamp of [-1, 0, 1.5, '1e3', '0x10', 'x', 1e30]) refused(await show(server, { ...good, timestamp }), /timestamp is missing|Invalid signature/, String(timestamp));
    refused(await server.request('POST', '/challenge', { json: { authData: { gcenter: { id: 'T:_alice' } }, challengeData: { gcenter: {} } } }), /./, 'a challenge without a proof');
  });

  test('adv_rh9j certificates that are not Apple’s', async () => {
    for (const name of ['expired', 'early', 'company', 'nobody', 'web', 'below', 'stranger', 'itself', 'chained']) {
      refused(await show(server, proof('T:_alice', { name })), /^Invalid publicKeyUrl/, name);
    }
    for (const name of ['redirect', 'failure', 'html', 'empty', 'long', 'huge', 'unknown']) {
      refused(await show(server, proof('T:_alice', {}, { publicKeyUrl: `${apple.url}/public-key/${name}.cer` })), /^Invalid publicKeyUrl/, name);
    }
    assert.equal(evil.calls.length, 0);
  });

  test('adv_qf8x certificates from elsewhere are not fetched', async () => {
    const place = new URL(apple.url).host;
    const of = publicKeyUrl => proof('T:_alice', {}, { publicKeyUrl });
    const calls = apple.calls.length;
    for (const url of [
      `${evil.url}/public-key/good.cer`,
      `${apple.url}@${new URL(evil.url).host}/good.cer`,
      `http://user@${place}/public-key/good.cer`,
      `http://user:word@${place}/public-key/good.cer`,
      `https://${place}/public-key/good.cer`,
      `${apple.url}/public-key/good.cer?x=1`,
      `${apple.url}/public-key/good.cer#x`,
      `${apple.url}/public-key/good`,
      `${apple.url}/ca.pem`,
      'file:///etc/passwd.cer',
      'good.cer',
      '',
    ]) {
      refused(await show(server, of(url)), /^Invalid publicKeyUrl|publicKeyUrl is missing/, url);
    }
    assert.equal(apple.calls.length, calls);
    // as it is set up by everybody else
    const real = keep(await startServer({ auth: { gcenter: { bundleId: BUNDLE, rootCertificateUrl: `${apple.url}/ca.pem` } } }));
    for (const url of [
      `${apple.url}/public-key/good.cer`,
      `${evil.url}/static.gc.apple.com/good.cer`,
      `https://static.gc.apple.com@${place}/public-key/good.cer`,
      `https://${place}/apple.com/good.cer`,
      'http://static.gc.apple.com/public-key/gc-prod-10.cer',
      'https://static.gc.apple.com:8443/public-key/gc-prod-10.cer',
      'https://user@static.gc.apple.com/public-key/gc-prod-10.cer',
      'https://static.gc.apple.com/public-key/gc-prod-10.cer?x=.cer',
      'https://static.gc.apple.com/public-key/gc-prod-10.svg',
      'https://apple.com.evil.example/good.cer',
      'https://evilapple.com/good.cer',
      'https://static.gc.apple.com.evil.example/good.cer',
      'https://evil.example/.apple.com/good.cer',
      'https://evil.example\\.apple.com/good.cer',
      'https://evil.example%2f.apple.com/good.cer',
    ]) {
      refused(await show(real, of(url)), /^Invalid publicKeyUrl/, url);
    }
    assert.equal(evil.calls.length, 0);
    assert.equal(apple.calls.length, calls);
  });

  test('an authority that cannot be fetched is asked for again', async () => {
    let answer = { status: 500 };
    const root = keep(await serve(() => answer));
    const own = keep(await startServer({ auth: { gcenter: { bundleId: BUNDLE, rootCertificateUrl: root.url, publicKeyUrl: apple.url } } }));
    refused(await show(own, proof('T:_alice')), /^Root certificate is invalid or missing\.$/, 'none');
    answer = { text: 'no certificate' };
    refused(await show(own, proof('T:_alice')), /^Root certificate is invalid or missing\.$/, 'not one');
    answer = { text: authority.cert };
    assert.equal((await show(own, proof('T:_alice'))).status, 201);
  });
});
