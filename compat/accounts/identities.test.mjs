// Identity providers: log in with a real OpenID provider, and tokens that must be rejected.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Parse, forgetUser } from '../js/support.mjs';
import { freePort } from '../lib/net.mjs';
import { serve } from '../lib/outside.mjs';
import { keys, spawnReparse, startServer, writeConfig } from '../lib/server.mjs';
import { logIn, row, signUp } from './support.mjs';
import { REDIRECT, encode, newKey, sign, startProvider } from './provider.mjs';

const opened = [];
const keep = one => {
  opened.push(one);
  return one;
};
after(() => Promise.all(opened.map(one => one.stop())));

let provider;
let evil;
before(async () => {
  provider = keep(await startProvider());
  // serves keys of its own, and anything else one may ask for
  const key = newKey('evil');
  evil = keep(await serve(() => ({ json: { keys: [key.public], id: 'alice', sub: 'alice', active: true, access_token: 'x' } })));
  evil.key = key;
});

/** Signs up or logs in by an identity. */
const show = (server, name, data) => server.request('POST', '/users', { json: { authData: { [name]: data } } });
const refused = (answer, code = 101) => {
  assert.equal(answer.body?.code, code, answer.text);
  assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
};
const now = () => Math.floor(Date.now() / 1000);

describe('OpenID Connect at a real provider', () => {
  test('by discovery: sign up, log in, link, unlink, with the SDK', async () => {
    const server = keep(await startServer({ auth: { corp: { module: 'oidc', options: { issuer: provider.issuer, clientId: 'app' } } } }));
    Parse.initialize(keys.appId, undefined, keys.masterKey);
    Parse.serverURL = server.url;
    await forgetUser();
    const { id_token } = await provider.tokens('app', 'alice');
    const alice = await Parse.User.logInWith('corp', { authData: { id: 'alice', id_token } });
    assert.ok(alice.getSessionToken());
    await forgetUser();
    const again = await Parse.User.logInWith('corp', { authData: { id: 'alice', id_token: (await provider.tokens('app', 'alice')).id_token } });
    assert.equal(again.id, alice.id);
    await forgetUser();
    const bob = await Parse.User.signUp('bob', 'secret');
    await bob.linkWith('corp', { authData: { id: 'bob', id_token: (await provider.tokens('app', 'bob')).id_token } });
    await assert.rejects(bob.linkWith('corp', { authData: { id: 'alice', id_token } }), error => error.code === 208);
    await forgetUser();
    const asBob = { id: 'bob', id_token: (await provider.tokens('app', 'bob')).id_token };
    assert.equal((await Parse.User.logInWith('corp', { authData: asBob })).id, bob.id);
    const logged = Parse.User.current();
    await logged._unlinkFrom('corp');
    await forgetUser();
    assert.notEqual((await Parse.User.logInWith('corp', { authData: asBob })).id, bob.id);
    await forgetUser();
    // a guest becomes a user
    const guest = await Parse.AnonymousUtils.logIn();
    const carol = { id: 'carol', id_token: (await provider.tokens('app', 'carol')).id_token };
    await guest.linkWith('corp', { authData: carol });
    await forgetUser();
    assert.equal((await Parse.User.logInWith('corp', { authData: carol })).id, guest.id);
    await forgetUser();
  });

  test('keys may change at any moment, and are not asked for at will', async () => {
    const port = await freePort();
    let issuer = await startProvider({ port, key: newKey('one') });
    const options = { issuer: issuer.issuer, clientId: 'app' };
    const server = keep(await startServer({ auth: { corp: { module: 'oidc', options } } }));
    const log = async () => show(server, 'corp', { id: 'alice', id_token: (await issuer.tokens('app', 'alice')).id_token });
    assert.equal((await log()).status, 201);
    const old = (await issuer.tokens('app', 'alice')).id_token;
    await issuer.stop();
    issuer = keep(await startProvider({ port, key: newKey('two', 'ES256') }));
    assert.equal((await log()).status, 200);
    // the old key is gone
    refused(await show(server, 'corp', { id: 'alice', id_token: old }));
    const before = issuer.seen.filter(line => line === 'GET /jwks').length;
    const flood = Array.from({ length: 200 }, async (_, index) => show(server, 'corp', { id: 'alice', id_token: sign({ ...issuer.key, kid: `invented ${index}` }, { sub: 'alice' }) }));
    for (const answer of await Promise.all(flood)) refused(answer);
    assert.ok(issuer.seen.filter(line => line === 'GET /jwks').length - before <= 5, issuer.seen.join());
    assert.equal((await log()).status, 200);
  });

  test('many who come at once have the keys asked for once', async () => {
    const issuer = keep(await startProvider());
    const server = keep(await startServer({ auth: { corp: { module: 'oidc', options: { issuer: issuer.issuer, clientId: 'app' } } } }));
    const { id_token } = await issuer.tokens('app', 'alice');
    const answers = await Promise.all(Array.from({ length: 50 }, () => show(server, 'corp', { id: 'alice', id_token })));
    assert.equal(answers.filter(answer => answer.status === 201).length, 1);
    for (const answer of answers) assert.ok([200, 201].includes(answer.status) || answer.body.code === 208, answer.text);
    assert.equal(issuer.seen.filter(line => line === 'GET /jwks').length, 1);
  });

  test('a nonce binds a token to one log in', async () => {
    const options = { issuer: provider.issuer, clientId: 'app' };
    const server = keep(await startServer({ auth: { corp: { module: 'oidc', options }, strict: { module: 'oidc', options: { ...options, requireNonce: true } } } }));
    const nonce = 'a secret of the client';
    const hash = crypto.createHash('sha256').update(nonce).digest('hex');
    const bound = (await provider.tokens('app', 'alice', { nonce: hash })).id_token;
    const plain = (await provider.tokens('app', 'alice')).id_token;
    for (const name of ['corp', 'strict']) {
      assert.ok((await show(server, name, { id: 'alice', id_token: bound, nonce })).status < 300);
      refused(await show(server, name, { id: 'alice', id_token: bound, nonce: 'guessed' }));
      refused(await show(server, name, { id: 'alice', id_token: bound, nonce: { $ne: null } }));
      refused(await show(server, name, { id: 'alice', id_token: plain, nonce }));
    }
    for (const id_token of [bound, plain]) refused(await show(server, 'strict', { id: 'alice', id_token }));
  });

  test('a discovery document that names somebody else is not believed', async () => {
    const liar = keep(await serve(({ path }) => (path.includes('openid-configuration') ? { json: { issuer: provider.issuer, jwks_uri: `${evil.url}/keys` } } : undefined)));
    const remote = keep(await serve(({ path }) => (path.includes('openid-configuration') ? { json: { issuer: remote.url, jwks_uri: 'http://keys.example.com/keys' } } : undefined)));
    const server = keep(await startServer({ auth: {
      liar: { module: 'oidc', options: { issuer: liar.url, clientId: 'app' } },
      remote: { module: 'oidc', options: { issuer: remote.url, clientId: 'app' } },
    } }));
    const claims = iss => ({ sub: 'alice', aud: 'app', iss, exp: now() + 600 });
    const calls = evil.calls.length;
    for (const iss of [liar.url, provider.issuer]) refused(await show(server, 'liar', { id: 'alice', id_token: sign(evil.key, claims(iss)) }));
    refused(await show(server, 'remote', { id: 'alice', id_token: sign(evil.key, claims(remote.url)) }));
    assert.equal(evil.calls.length, calls);
  });
});

// 4q3h-vp4r-prv2, x6fw-778m-wr9v, 48mh-j4p5-7j9v: the same attacks on every provider with signed tokens
describe('adv_4q3h adv_x6fw adv_48mh signed tokens', () => {
  let server;
  const realm = { path: '/realms/main', certs: '/realms/main/protocol/openid-connect/certs' };
  let castle;
  const takers = {
    corp: { field: 'id_token' },
    google: { field: 'id_token' },
    apple: { field: 'token' },
    facebook: { field: 'token' },
    keycloak: { field: 'access_token' },
  };
  const issuerOf = name => (name === 'keycloak' ? castle.url + realm.path : provider.issuer);
  before(async () => {
    castle = keep(await serve(({ path }) => (path === realm.certs ? { json: { keys: [provider.key.public] } } : undefined)));
    const local = { issuer: provider.issuer, jwksUrl: `${provider.issuer}/jwks` };
    server = keep(await startServer({
      auth: {
        corp: { module: 'oidc', options: { ...local, clientId: ['app', 'app.web'] } },
        google: { clientId: 'app', ...local },
        apple: { clientId: ['app', 'app.web'], ...local },
        facebook: { appIds: ['app'], appSecret: 's', ...local },
        keycloak: { config: { 'auth-server-url': castle.url, realm: 'main', 'client-id': 'app' } },
      },
    }));
  });

  for (const [name, { field }] of Object.entries(takers)) {
    test(name, async () => {
      const good = { sub: 'alice', aud: 'app', azp: 'app', iss: issuerOf(name), exp: now() + 600, iat: now() };
      const token = (claims = {}, header = {}, key = provider.key) => sign(key, { ...good, ...claims }, header);
      const mac = (alg, secret, claims = {}) => {
        const signed = `${encode({ alg, kid: provider.key.kid })}.${encode({ ...good, ...claims })}`;
        return `${signed}.${crypto.createHmac('sha256', secret).update(signed).digest('base64url')}`;
      };
      const publicKey = crypto.createPublicKey({ key: provider.key.public, format: 'jwk' });
      const pem = publicKey.export({ type: 'spki', format: 'pem' });
      const der = publicKey.export({ type: 'spki', format: 'der' });
      const [head, body, signature] = (token()).split('.');
      const strangers = newKey(provider.key.kid);
      const attacks = {
        'not for us': token({ aud: 'other', azp: 'other' }),
        'for nobody': token({ aud: undefined, azp: undefined }),
        'an empty audience': token({ aud: [], azp: '' }),
        'an audience that is no text': token({ aud: { app: true }, azp: ['app'] }),
        'an audience that contains ours': token({ aud: 'apple', azp: 'app2' }),
        'another issuer': token({ iss: 'https://evil.example' }),
        'an issuer that begins like ours': token({ iss: `${good.iss}.evil.example` }),
        'no issuer': token({ iss: undefined }),
        expired: token({ exp: now() - 1 }),
        'without an end': token({ exp: undefined }),
        'an end that is no time': token({ exp: 'tomorrow' }),
        'not yet': token({ nbf: now() + 600 }),
        'somebody else': token({ sub: 'bob' }),
        nobody: token({ sub: undefined }),
        'an empty subject': token({ sub: '' }),
        'a stranger’s signature': token({}, {}, strangers),
        'an unknown key': token({}, { kid: 'unknown' }),
        'a key id that is a path': token({}, { kid: '../../dev/null' }),
        'no key id': token({}, { kid: undefined }),
        'a key inside': token({}, { kid: 'inside', jwk: evil.key.public }, evil.key),
        'a key elsewhere': token({}, { kid: 'evil', jku: `${evil.url}/keys` }, evil.key),
        'a certificate elsewhere': token({}, { kid: 'evil', x5u: `${evil.url}/keys` }, evil.key),
        unsigned: `${encode({ alg: 'none', kid: provider.key.kid })}.${body}.`,
        'unsigned, with a signature': `${encode({ alg: 'none', kid: provider.key.kid })}.${body}.${signature}`,
        'unsigned, in capitals': `${encode({ alg: 'NONE', kid: provider.key.kid })}.${body}.`,
        'the public key as a shared secret': mac('HS256', pem),
        'the public key as a shared secret, in binary': mac('HS256', der),
        'the client’s secret': mac('HS256', 's'),
        'an empty secret': mac('HS256', ''),
        'another algorithm': `${encode({ alg: 'RS512', kid: provider.key.kid })}.${body}.${signature}`,
        'no algorithm': `${encode({ kid: provider.key.kid })}.${body}.${signature}`,
        'changed claims': `${head}.${encode({ ...good, sub: 'alice', admin: true })}.${signature}`,
        'no signature': `${head}.${body}.`,
        'two parts': `${head}.${body}`,
        'four parts': `${head}.${body}.${signature}.${signature}`,
        'five parts': `${head}.x.x.${body}.${signature}`,
        'no JSON': `${encode('{')}.${encode('{')}.x`,
        'a list': `${encode([])}.${encode([])}.x`,
        critical: token({}, { crit: ['exp'] }),
        'a long one': `${head}.${'A'.repeat(100_000)}.${signature}`,
        empty: '',
        'an object': { $ne: null },
        'a list with one': [token()],
        'a number': 1,
        null: null,
      };
      const calls = evil.calls.length;
      for (const [what, bad] of Object.entries(attacks)) {
        const answer = await show(server, name, { id: 'alice', [field]: bad });
        assert.ok(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status} ${answer.text}`);
        assert.equal(answer.body?.code, 101, `${what}: ${answer.text}`);
      }
      refused(await show(server, name, { [field]: token() }));
      refused(await show(server, name, { id: 'alice' }));
      assert.equal(evil.calls.length, calls, 'an address out of a token was called');
      const made = await show(server, name, { id: 'alice', [field]: token() });
      assert.equal(made.status, 201, made.text);
      assert.equal((await show(server, name, { id: 'alice', [field]: token() })).body.objectId, made.body.objectId);
    });
  }

  test('the real provider’s own tokens', async () => {
    for (const name of ['corp', 'google', 'apple', 'facebook']) {
      const { field } = takers[name];
      const { id_token } = await provider.tokens('app', `real ${name}`);
      assert.equal((await show(server, name, { id: `real ${name}`, [field]: id_token })).status, 201);
      const stolen = (await provider.tokens('other', `real ${name}`)).id_token;
      refused(await show(server, name, { id: `real ${name}`, [field]: stolen }));
    }
  });

  test('keycloak: what the client says of itself must be what the token says', async () => {
    const claims = { sub: 'roles', azp: 'app', iss: issuerOf('keycloak'), exp: now() + 600, roles: ['user'], groups: ['a'] };
    const access_token = sign(provider.key, claims);
    refused(await show(server, 'keycloak', { id: 'roles', access_token, roles: ['admin'], groups: ['a'] }));
    refused(await show(server, 'keycloak', { id: 'roles', access_token, roles: ['user'], groups: ['b'] }));
    assert.equal((await show(server, 'keycloak', { id: 'roles', access_token, roles: ['user'], groups: ['a'] })).status, 201);
  });

  test('without a client id nothing starts', async () => {
    for (const auth of [
      { google: {} },
      { google: { clientId: '' } },
      { apple: {} },
      { apple: { clientId: [] } },
      { facebook: {} },
      { facebook: { appIds: [] } },
      { keycloak: { config: { 'auth-server-url': 'https://sso.example.com', realm: 'main' } } },
      { corp: { module: 'oidc', options: { issuer: 'https://sso.example.com' } } },
      { corp: { module: 'oidc', options: { issuer: 'http://sso.example.com', clientId: 'app' } } },
      { corp: { oauth2: true, tokenIntrospectionEndpointUrl: 'http://sso.example.com' } },
      { github: { clientId: 'x' } },
      { spotify: {} },
      { mfa: { options: [] } },
      { mfa: { options: ['SMS'] } },
      { ldap: { url: 'ldap://127.0.0.1', suffix: 'dc=x' } },
    ]) {
      const { file } = await writeConfig({ auth });
      const child = spawnReparse([file]);
      const timer = setTimeout(() => child.kill(), 20_000);
      const { code, signal } = await child.ended;
      clearTimeout(timer);
      assert.ok(code !== 0 && signal === null, JSON.stringify(auth));
      assert.match(child.output, new RegExp(`auth\\.?.*${Object.keys(auth)[0]}`), child.output);
    }
  });
});

describe('codes that the server trades', () => {
  let server;
  let services;
  before(async () => {
    // github, instagram and linkedin do not speak OpenID Connect: what is known of their addresses, spoken here
    const good = { 'code alice': 'token alice', 'code bob': 'token bob' };
    services = keep(await serve(({ path, method, json, form, headers, query }) => {
      if (path.endsWith('/token') && method === 'POST') {
        const sent = path.startsWith('/github') ? json : form;
        const right = sent?.client_id === 'app' && sent?.client_secret === 'secret of app';
        if (!right || !good[sent.code]) return { json: { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' } };
        const access_token = good[sent.code];
        return { json: { access_token } };
      }
      const token = headers.authorization?.replace(/^Bearer /, '') ?? query.access_token;
      const who = /^token (\w+)$/.exec(token ?? '')?.[1];
      return who ? { json: { id: path.startsWith('/github') ? 4242 : who } } : { status: 401, json: { error: 'no' } };
    }));
    const own = { tokenUrl: `${provider.issuer}/token`, userUrl: `${provider.issuer}/me` };
    const app = { clientId: 'app', clientSecret: 'secret of app' };
    const at = name => ({ ...app, tokenUrl: `${services.url}/${name}/token`, userUrl: `${services.url}/${name}/user` });
    server = keep(await startServer({
      auth: {
        line: { ...app, ...own, enableInsecureAuth: true },
        microsoft: { ...app, ...own },
        spotify: { clientId: 'public', ...own },
        github: at('github'),
        instagram: { ...at('instagram'), redirectUri: REDIRECT },
        linkedin: at('linkedin'),
      },
    }));
  });

  test('line, microsoft and spotify at a real provider', async () => {
    for (const [name, client] of [['line', 'app'], ['microsoft', 'app'], ['spotify', 'public']]) {
      const data = await provider.authorize(client, `${name} user`);
      const made = await show(server, name, data);
      assert.equal(made.status, 201, made.text);
      const stored = (await row(server, made.body.objectId))[`_auth_data_${name}`] ?? (await row(server, made.body.objectId)).authData?.[name];
      assert.equal(stored.id, `${name} user`);
      for (const secret of ['code', 'code_verifier', 'redirect_uri', 'client_secret']) assert.ok(!(secret in stored), secret);
      // a code is good once, also for us
      refused(await show(server, name, data));
      const again = await show(server, name, { ...(await provider.authorize(client, `${name} user`)), id: `${name} user` });
      assert.deepEqual([again.status, again.body.objectId], [200, made.body.objectId]);
      // codes of another app, and of another user
      const other = client === 'app' ? 'other' : 'app';
      refused(await show(server, name, await provider.authorize(other, `${name} user`)));
      refused(await show(server, name, { ...(await provider.authorize(client, 'mallory')), id: `${name} user` }));
    }
    const pkce = await provider.authorize('public', 'alice');
    refused(await show(server, 'spotify', { ...pkce, code_verifier: 'x'.repeat(43) }));
  });

  test('github, instagram and linkedin', async () => {
    for (const [name, id] of [['github', '4242'], ['instagram', 'alice'], ['linkedin', 'alice']]) {
      const made = await show(server, name, { code: 'code alice' });
      assert.equal(made.status, 201, made.text);
      const claimed = await show(server, name, { code: 'code alice', id });
      assert.deepEqual([claimed.status, claimed.body.objectId], [200, made.body.objectId]);
      refused(await show(server, name, { code: 'code alice', id: 'bob' }));
      refused(await show(server, name, { code: 'code mallory', id }));
    }
  });

  test('what readers see of an identity can be sent back, and proves nothing', async () => {
    const data = () => provider.authorize('app', 'reader');
    const made = await show(server, 'line', await data());
    const session = made.body.sessionToken;
    const seen = (await server.request('GET', '/users/me', { session })).body.authData;
    assert.deepEqual(seen, { line: { id: 'reader' } });
    const change = authData => server.request('PUT', `/users/${made.body.objectId}`, { session, json: { authData } });
    // as the SDKs do when they link and unlink another one
    const linked = await change({ ...seen, instagram: { code: 'code bob' } });
    assert.equal(linked.status, 200, linked.text);
    assert.equal((await change({ ...seen, instagram: null })).status, 200);
    refused(await change({ line: { id: 'somebody else' } }), 142);
    const other = await signUp(server, { username: 'other reader' });
    const steal = await server.request('PUT', `/users/${other.body.objectId}`, { session: other.body.sessionToken, json: { authData: seen } });
    refused(steal, 142);
    refused(await server.request('POST', '/users', { json: { authData: seen } }), 142);
    refused(await logIn(server, 'other reader', 'first', { authData: seen }), 142);
    const challenge = authData => server.request('POST', '/challenge', { json: { authData, challengeData: { line: {} } } });
    refused(await challenge(seen));
    assert.equal((await challenge({ line: await data() })).status, 200);
    // a stolen session can do no more
    refused(await server.request('POST', '/users', { session: other.body.sessionToken, json: { authData: seen } }), 142);
  });

  // 837q-jhwx-cmpv, r657-33vp-gp22: an access token of any app is no identity; only a code of ours is
  test('adv_837q adv_r657 tokens that clients bring are not believed', async () => {
    const foreign = (await provider.tokens('other', 'line user')).access_token;
    const own = (await provider.tokens('app', 'line user')).access_token;
    for (const name of ['line', 'microsoft', 'spotify', 'github', 'instagram', 'linkedin']) {
      for (const data of [
        { id: 'line user', access_token: foreign },
        { id: 'line user', access_token: own },
        { id: 'alice', access_token: 'token alice' },
        { id: 'alice' },
        { code: '' },
        { code: null, id: 'alice' },
        { code: { $ne: null }, id: 'alice' },
        { code: ['code alice'], id: 'alice' },
      ]) {
        const answer = await show(server, name, data);
        assert.ok(answer.status >= 400 && answer.status < 500 && [101, 142].includes(answer.body.code), `${name} ${JSON.stringify(data)}: ${answer.text}`);
      }
    }
  });

  // 3f5f-xgrj-97pf
  test('adv_3f5f no address comes from a client', async () => {
    const calls = evil.calls.length;
    const addresses = Object.fromEntries(['apiURL', 'apiUrl', 'userUrl', 'tokenUrl', 'jwksUrl', 'jwks_uri', 'issuer', 'graphUrl', 'url', 'endpoint'].map(name => [name, evil.url]));
    for (const name of ['line', 'microsoft', 'spotify', 'github', 'instagram', 'linkedin']) {
      const answer = await show(server, name, { id: 'alice', code: 'x', access_token: 'x', redirect_uri: evil.url, code_verifier: 'x', ...addresses });
      assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
    }
    assert.equal(evil.calls.length, calls);
  });

  test('a service that is away, answers nonsense or never', async () => {
    const odd = keep(await serve(async ({ path }) => {
      if (path === '/redirect') return { status: 302, headers: { location: `${evil.url}/token` } };
      if (path === '/html') return { text: '<html>', headers: { 'content-type': 'text/html' } };
      if (path === '/long') return { text: `{"access_token":"${'x'.repeat(3_000_000)}"}` };
      if (path === '/object') return { json: { access_token: { toString: 'x' } } };
      return { status: 500 };
    }));
    const calls = evil.calls.length;
    for (const path of ['redirect', 'html', 'long', 'object', 'error']) {
      const app = { clientId: 'app', clientSecret: 's', tokenUrl: `${odd.url}/${path}`, userUrl: `${odd.url}/user` };
      const server = await startServer({ auth: { github: app } });
      refused(await show(server, 'github', { code: 'x' }));
      await server.stop();
    }
    const gone = await startServer({ auth: { github: { clientId: 'app', clientSecret: 's', tokenUrl: 'http://127.0.0.1:1/', userUrl: 'http://127.0.0.1:1/' } } });
    refused(await show(gone, 'github', { code: 'x' }));
    await gone.stop();
    assert.equal(evil.calls.length, calls);
  });
});

describe('tokens that the provider is asked about', () => {
  const introspect = (client, more) => ({
    oauth2: true,
    tokenIntrospectionEndpointUrl: `${provider.issuer}/token/introspection`,
    authorizationHeader: `Basic ${Buffer.from(`${client}:${encodeURIComponent(`secret of ${client}`)}`).toString('base64')}`,
    useridField: 'sub',
    appidField: 'client_id',
    appIds: [client],
    ...more,
  });
  let server;
  before(async () => {
    server = keep(await startServer({ auth: { one: introspect('app'), two: introspect('other'), any: introspect('app', { appidField: undefined, appIds: undefined }) } }));
  });

  // 2cjm-2gwv-m892, 69xg-f649-w5g2, fr88-w35c-r596
  test('adv_2cjm adv_69xg adv_fr88 two providers do not mix, and ids belong to tokens', async () => {
    const one = (await provider.tokens('app', 'alice')).access_token;
    const two = (await provider.tokens('other', 'alice')).access_token;
    assert.equal((await show(server, 'one', { id: 'alice', access_token: one })).status, 201);
    assert.equal((await show(server, 'two', { id: 'alice', access_token: two })).status, 201);
    refused(await show(server, 'one', { id: 'alice', access_token: two }));
    refused(await show(server, 'two', { id: 'alice', access_token: one }));
    for (const name of ['one', 'any']) {
      refused(await show(server, name, { id: 'bob', access_token: one }));
      refused(await show(server, name, { access_token: one }));
      refused(await show(server, name, { id: 'alice', access_token: 'x' }));
    }
    // both at once, again and again: nothing is shared between them
    const rounds = await Promise.all(Array.from({ length: 100 }, (_, index) => show(server, index % 2 ? 'one' : 'two', { id: 'alice', access_token: one })));
    rounds.forEach((answer, index) => (index % 2 ? assert.equal(answer.status, 200) : refused(answer)));
  });

  // 64mf-fqfc-3pjh
  test('adv_64mf what was good once is asked about again', async () => {
    const { access_token } = await provider.tokens('app', 'stale');
    const data = { id: 'stale', access_token };
    const made = await show(server, 'one', data);
    assert.equal(made.status, 201);
    await provider.revoke('app', access_token);
    refused(await show(server, 'one', data));
    refused(await show(server, 'one', { id: 'stale' }));
    // nor does the second provider in the same request help
    const fresh = (await provider.tokens('other', 'stale')).access_token;
    refused(await server.request('POST', '/users', { json: { authData: { one: data, two: { id: 'stale', access_token: fresh } } } }));
    refused(await server.request('POST', '/users', { json: { authData: { one: { id: 'stale' }, two: { id: 'stale', access_token: fresh } } } }));
    const renewed = (await provider.tokens('app', 'stale')).access_token;
    const again = await show(server, 'one', { id: 'stale', access_token: renewed });
    assert.deepEqual([again.status, again.body.objectId], [200, made.body.objectId]);
  });

  // mr43-w6c2-mvjq
  test('adv_mr43 an identity beside a password is looked at as well', async () => {
    await signUp(server, { username: 'both' });
    const { access_token } = await provider.tokens('app', 'both');
    refused(await logIn(server, 'both', 'first', { authData: { one: { id: 'both', access_token: 'x' } } }));
    refused(await logIn(server, 'both', 'first', { authData: { one: { id: 'somebody', access_token } } }));
    const good = await logIn(server, 'both', 'first', { authData: { one: { id: 'both', access_token } } });
    assert.equal(good.status, 200, good.text);
    await signUp(server, { username: 'thief' });
    refused(await logIn(server, 'thief', 'first', { authData: { one: { id: 'both', access_token } } }), 208);
    refused(await server.request('POST', '/challenge', { json: { authData: { one: { id: 'both', access_token: 'x' } }, challengeData: { one: {} } } }));
    assert.equal((await logIn(server, 'thief', 'first')).status, 200);
  });

  // 8w3j-g983-8jh5
  test('adv_8w3j who links without proof learns nothing', async () => {
    const { access_token } = await provider.tokens('app', 'known');
    assert.equal((await show(server, 'one', { id: 'known', access_token })).status, 201);
    const { body } = await signUp(server, { username: 'curious' });
    const link = id => server.request('PUT', `/users/${body.objectId}`, { session: body.sessionToken, json: { authData: { one: { id, access_token: 'x' } } } });
    const [known, unknown] = [await link('known'), await link('unknown')];
    assert.deepEqual([known.status, known.text], [unknown.status, unknown.text]);
    const [in_, out] = [await show(server, 'one', { id: 'known', access_token: 'x' }), await show(server, 'one', { id: 'unknown', access_token: 'x' })];
    assert.deepEqual([in_.status, in_.text], [out.status, out.text]);
  });

  // pfj7-wv7c-22pr, 5fw2-8jcv-xh87, wjqw-r9x4-j59v, #10223
  test('adv_pfj7 adv_5fw2 adv_wjqw half an identity is none', async () => {
    const { access_token } = await provider.tokens('app', 'whole');
    const made = await show(server, 'one', { id: 'whole', access_token });
    assert.equal(made.status, 201);
    for (const data of [{ id: 'whole' }, { id: 'whole', access_token: null }, { id: 'whole', access_token: '' }, { id: 'whole', access_token: { $exists: true } }, { id: 'whole', access_token: [access_token] }]) {
      refused(await show(server, 'one', data));
    }
    for (const id of [{ $ne: null }, { $regex: '.*' }, ['whole'], 0, true, { toString: 'whole' }]) refused(await show(server, 'one', { id, access_token }), 162);
    for (const authData of [{}, { one: {} }, { one: null }, { anonymous: {} }, { anonymous: null }]) {
      const answer = await server.request('POST', '/users', { json: { authData } });
      assert.ok(answer.status >= 400 && answer.status < 500 && !answer.body.sessionToken, `${JSON.stringify(authData)} ${answer.text}`);
    }
    for (const authData of ['x', 1, true, [], [{ one: { id: 'whole' } }], { one: 'whole' }, { one: [] }, { one: true }]) {
      const answer = await server.request('POST', '/users', { json: { username: `odd ${JSON.stringify(authData)}`, password: 'p', authData } });
      assert.ok(answer.status >= 400 && answer.status < 500 && !answer.body.sessionToken, `${JSON.stringify(authData)} ${answer.text}`);
    }
    const session = made.body.sessionToken;
    for (const json of [{ 'authData.one.id': 'other' }, { 'authData.one': { id: 'other' } }, { 'authData.anonymous.id': 'x' }, { _auth_data_one: { id: 'other' } }, { '_auth_data_one.id': 'other' }]) {
      const answer = await server.request('PUT', `/users/${made.body.objectId}`, { session, json });
      assert.ok(answer.status >= 400 && answer.status < 500, `${JSON.stringify(json)} ${answer.text}`);
    }
    assert.equal((await show(server, 'one', { id: 'whole', access_token })).status, 200);
  });

  // g4cf-xj29-wqqr, qf8x-vqjv-92gr, rh9j-f5f8-rvgc, 4w46-w44m-3jq3, 7m6r-fhh7-r47c, 863r-39r9-vfcf
  test('adv_g4cf adv_qf8x adv_863r providers the server does not have', async () => {
    const calls = evil.calls.length;
    for (const name of ['gcenter', 'gpgames', 'ldap', 'instagram', 'twitter', 'nowhere', 'toString', 'hasOwnProperty', 'valueOf', 'a.b', '$where', '', ' ', 'one ']) {
      const answer = await show(server, name, { id: 'alice', password: '', publicKeyUrl: `${evil.url}/static.gc.apple.com/x.cer`, url: evil.url, access_token: 'x', apiURL: evil.url });
      assert.ok(answer.status >= 400 && answer.status < 500, `${name} ${answer.text}`);
      assert.ok([252, 105, 101].includes(answer.body.code), `${name} ${answer.text}`);
    }
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      const answer = await server.request('POST', '/users', { data: `{"authData":{"${name}":{"id":"alice"}}}`, headers: { 'Content-Type': 'application/json' } });
      assert.ok(answer.status >= 400 && answer.status < 500, `${name} ${answer.text}`);
    }
    assert.equal(evil.calls.length, calls);
  });
});

// pfj7-wv7c-22pr, where a service stores nothing but the id
test('adv_pfj7 what is stored proves nothing, with allowExpiredAuthDataToken either', async () => {
  const service = keep(await serve(({ json }) => {
    const [data] = json.args;
    return { json: data.token === 'good' ? { ok: true, result: { save: { id: data.id } } } : { error: { code: 101, message: 'not this token' } } };
  }));
  const auth = { own: { module: 'webhook', options: { url: service.url, methods: ['validateAuthData'] } } };
  const server = keep(await startServer({ auth, allowExpiredAuthDataToken: true }));
  const made = await show(server, 'own', { id: 'alice', token: 'good' });
  assert.equal(made.status, 201, made.text);
  for (const data of [{ id: 'alice' }, { id: 'alice', token: 'bad' }]) refused(await show(server, 'own', data));
  assert.equal((await show(server, 'own', { id: 'alice', token: 'good' })).body.objectId, made.body.objectId);
});

// r657-33vp-gp22, x6fw-778m-wr9v
describe('adv_r657 facebook’s access tokens', () => {
  test('are of our app, of this user, and asked about with proof', async () => {
    const graph = keep(await serve(({ path, query }) => {
      const [app, user] = (query.access_token ?? '').split(':');
      if (path.endsWith('/app')) return app ? { json: { id: app } } : { status: 400 };
      return path.endsWith('/me') && user ? { json: { id: user } } : { status: 400 };
    }));
    const server = keep(await startServer({ auth: { facebook: { appIds: ['ours', 'ours too'], appSecret: 'hush', graphUrl: graph.url } } }));
    const made = await show(server, 'facebook', { id: 'alice', access_token: 'ours:alice' });
    assert.equal(made.status, 201, made.text);
    for (const { query } of graph.calls) {
      assert.equal(query.appsecret_proof, crypto.createHmac('sha256', 'hush').update('ours:alice').digest('hex'));
    }
    assert.equal((await show(server, 'facebook', { id: 'alice', access_token: 'ours too:alice' })).body.objectId, made.body.objectId);
    for (const data of [
      { id: 'alice', access_token: 'theirs:alice' },
      { id: 'alice', access_token: 'ours:mallory' },
      { id: 'alice', access_token: ':alice' },
      { id: 'alice', access_token: 'x' },
      { id: 'alice', access_token: '' },
      { id: 'alice', access_token: { $ne: 1 } },
      { access_token: 'ours:alice' },
      { id: 'alice' },
    ]) refused(await show(server, 'facebook', data));
  });
});
