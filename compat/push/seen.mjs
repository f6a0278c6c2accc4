// What a request says, without what differs each time: proofs are checked and taken apart, messages decrypted, times removed.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import ece from 'http_ece';

const MINUTE = 60;

/** The claims of a token whose signature is right. */
function claims(token, publicKey, algorithm) {
  const [header, payload, signature] = token.split('.');
  const { typ, ...rest } = JSON.parse(Buffer.from(header, 'base64url'));
  assert.ok(typ === undefined || typ === 'JWT');
  assert.equal(rest.alg, algorithm);
  const key = algorithm === 'ES256' ? { key: publicKey, dsaEncoding: 'ieee-p1363' } : publicKey;
  assert.ok(crypto.verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url')), 'signature');
  return { header: rest, claims: JSON.parse(Buffer.from(payload, 'base64url')) };
}

/** Says that a moment (seconds) is `ahead` seconds from now, by the minute. */
function soon(moment, ahead, what) {
  assert.ok(Math.abs(moment - ahead - Date.now() / 1000) < MINUTE, `${what}: ${moment}`);
}

const only = (headers, wanted) => Object.fromEntries(Object.entries(headers).filter(([name]) => wanted.test(name)));

// the adapter sends no body at all for `data: {}`; Apple refuses both
function apns(request, { apple }) {
  const seen = { path: request.path, headers: only(request.headers, /^apns-/), body: JSON.parse(request.body || '{}'), client: request.client };
  if (request.headers.authorization) {
    const proof = claims(request.headers.authorization.replace(/^bearer /, ''), apple.publicKey, 'ES256');
    soon(proof.claims.iat, 0, 'iat');
    delete proof.claims.iat;
    seen.proof = proof;
  }
  return seen;
}

function google(request, { google }) {
  const form = Object.fromEntries(new URLSearchParams(request.body));
  const proof = claims(form.assertion, google, 'RS256');
  soon(proof.claims.iat, 0, 'iat');
  assert.equal(proof.claims.exp, proof.claims.iat + 3600);
  delete proof.claims.iat;
  delete proof.claims.exp;
  proof.claims.scope = proof.claims.scope.split(' ').sort();
  delete form.assertion;
  return { path: request.path, form, proof };
}

function fcm(request) {
  const body = JSON.parse(request.body);
  const data = body.message.android?.data;
  if (data?.push_id) {
    assert.match(data.push_id, /^[A-Za-z0-9]{10}$/);
    soon(Date.parse(data.time) / 1000, 0, 'time');
    Object.assign(data, { push_id: 'ID', time: 'TIME', data: JSON.parse(data.data) });
  }
  return { path: request.path, headers: only(request.headers, /^(authorization|content-type)$/), body };
}

function expo(request) {
  const body = JSON.parse(request.body).sort((one, other) => (one.to < other.to ? -1 : 1));
  return { path: request.path, headers: only(request.headers, /^(accept|authorization|content-type)$/), body };
}

function web(request, { vapid }, browser) {
  const [, token, key] = /^vapid t=([^,]+), k=(.+)$/.exec(request.headers.authorization);
  const proof = claims(token, vapid.publicKey, 'ES256');
  soon(proof.claims.exp, 12 * 3600, 'exp');
  delete proof.claims.exp;
  const ecdh = crypto.createECDH('prime256v1');
  ecdh.setPrivateKey(browser.secret, 'base64url');
  const text = ece.decrypt(request.raw, { version: 'aes128gcm', privateKey: ecdh, authSecret: browser.auth }).toString('utf8');
  assert.equal(request.raw.readUInt32BE(16), 4096, 'record size');
  const headers = only(request.headers, /^(ttl|urgency|topic|content-encoding|content-type)$/);
  return { path: request.path, headers, key, proof, body: JSON.parse(text) };
}

/** A request as it is compared. */
export function seen(request, keys, browser) {
  const read = { apns, google, fcm, expo, web }[request.service];
  return { service: request.service, ...read(request, keys, browser) };
}
