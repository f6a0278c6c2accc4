// Providers that a service on this machine plays as its documentation has it: codes and tokens that are traded, and odd answers.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { serve } from '../lib/outside.mjs';
import { spawnReparse, startServer, writeConfig } from '../lib/server.mjs';
import { row } from './support.mjs';

const opened = [];
const keep = one => {
  opened.push(one);
  return one;
};
after(() => Promise.all(opened.map(one => one.stop())));

const REDIRECT = 'https://app.example/callback';
const show = (server, name, data) => server.request('POST', '/users', { json: { authData: { [name]: data } } });
const refused = (answer, codes = [101, 142]) => {
  assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
  assert.ok(codes.includes(answer.body?.code), answer.text);
};

/** Answers that are none: what a good one, as JSON, is made into. */
const ODD = {
  failure: good => ({ ...good, status: 500 }),
  denied: good => ({ ...good, status: 403 }),
  html: () => ({ text: '<html>', headers: { 'content-type': 'text/html' } }),
  empty: () => ({ text: '' }),
  null: () => ({ text: 'null' }),
  list: good => ({ json: [good.json] }),
  nothing: () => ({ json: {} }),
  objects: good => ({ json: Object.fromEntries(Object.entries(good.json).map(([name, value]) => [name, { toString: value }])) }),
  blank: good => ({ json: Object.fromEntries(Object.keys(good.json).map(name => [name, ''])) }),
  long: good => ({ json: { ...good.json, more: 'x'.repeat(3_000_000) } }),
  redirect: good => ({ ...good, status: 302, headers: { location: `${evil.url}/anything` } }),
};

// A code or request token is `WHO`, or `WHO token KIND`, `WHO user KIND`: the first or the second answer is odd.
const who = text => (text ?? '').split(' ')[0];
const odd = (text, step, good) => {
  const [, at, kind] = (text ?? '').split(' ');
  return at === step ? ODD[kind](good) : good;
};
const bearer = call => call.headers.authorization?.replace(/^Bearer /, '');
const PEOPLE = ['alice', 'bob'];
const APP = { clientId: 'app', clientSecret: 'secret of app' };
const rightApp = sent => sent.client_id === APP.clientId && sent.client_secret === APP.clientSecret && sent.grant_type === 'authorization_code';

// What is signed with OAuth 1.0a.
const escape = text => encodeURIComponent(text).replace(/[!'()*]/g, letter => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
function signedBy(call, origin, secrets) {
  const fields = Object.fromEntries([...(call.headers.authorization ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, decodeURIComponent(value)]));
  const { oauth_signature, ...rest } = fields;
  const pairs = Object.entries({ ...rest, ...call.query }).map(([name, value]) => `${escape(name)}=${escape(value)}`).sort();
  const text = [call.method, escape(`${origin}${call.path}`), escape(pairs.join('&'))].join('&');
  const key = secrets(fields).map(escape).join('&');
  return crypto.createHmac('sha1', key).update(text).digest('base64') === oauth_signature ? fields : undefined;
}

/** Each service: its settings, what a client sends of it, and what it answers. */
const SERVICES = {
  gpgames: {
    settings: APP,
    data: code => ({ code, redirectUri: '' }),
    id: name => name,
    token: call => {
      const sent = call.json ?? call.form;
      if (call.method !== 'POST' || !rightApp(sent) || sent.redirect_uri !== '') return { status: 401, json: { error: 'invalid_client' } };
      if (!PEOPLE.includes(who(sent.code))) return { status: 400, json: { error: 'invalid_grant', error_description: 'Malformed auth code.' } };
      return odd(sent.code, 'token', { json: { access_token: sent.code, token_type: 'Bearer' } });
    },
    // Google shows the profile of any player to any player.
    user: call => {
      const name = call.path.split('/').at(-1);
      return odd(bearer(call), 'user', { json: { playerId: name === 'me' ? who(bearer(call)) : name, displayName: 'x' } });
    },
    userPath: '/players/me',
  },
  qq: {
    settings: APP,
    data: code => ({ code, redirect_uri: REDIRECT }),
    id: name => `openid of ${name}`,
    token: ({ method, query }) => {
      const right = method === 'GET' && rightApp(query) && query.redirect_uri === REDIRECT && PEOPLE.includes(who(query.code));
      if (!right) return { text: 'callback( {"error":100019,"error_description":"code to access token error"} );' };
      return odd(query.code, 'token', { json: { access_token: query.code, expires_in: '7776000', refresh_token: 'r' } });
    },
    user: ({ query }) => {
      const good = { client_id: 'app', openid: `openid of ${who(query.access_token)}` };
      const answer = odd(query.access_token, 'user', { json: good });
      return answer.json === good && !answer.status ? { text: `callback( ${JSON.stringify(good)} );\n` } : answer;
    },
  },
  wechat: {
    settings: APP,
    data: code => ({ code }),
    id: name => `openid of ${name}`,
    token: ({ method, query }) => {
      const right = method === 'GET' && query.appid === APP.clientId && query.secret === APP.clientSecret && query.grant_type === 'authorization_code';
      if (!right || !PEOPLE.includes(who(query.code))) return { json: { errcode: 40029, errmsg: 'invalid code' } };
      return odd(query.code, 'token', { json: { access_token: query.code, openid: `openid of ${who(query.code)}`, scope: 'snsapi_login' } });
    },
  },
  weibo: {
    settings: APP,
    data: code => ({ code, redirect_uri: REDIRECT }),
    id: name => String(1000 + PEOPLE.indexOf(name)),
    token: ({ method, form }) => {
      const right = method === 'POST' && rightApp(form) && form.redirect_uri === REDIRECT && PEOPLE.includes(who(form.code));
      if (!right) return { status: 400, json: { error: 'invalid_grant', error_code: 21325 } };
      // not to be used, says Weibo
      return odd(form.code, 'token', { json: { access_token: form.code, uid: '1' } });
    },
    user: ({ method, form }) => {
      if (method !== 'POST' || !form.access_token) return { status: 400, json: { error: 'no' } };
      return odd(form.access_token, 'user', { json: { uid: 1000 + PEOPLE.indexOf(who(form.access_token)), appkey: 'app' } });
    },
  },
  twitter: {
    settings: { consumer_key: 'app', consumer_secret: 'secret of app' },
    data: code => ({ oauth_token: code, oauth_verifier: 'confirmed' }),
    id: name => String(2000 + PEOPLE.indexOf(name)),
    // Twitter exchanges the tokens of any app.
    token: ({ method, form }) => {
      if (method !== 'POST' || form.oauth_verifier !== 'confirmed' || !PEOPLE.includes(who(form.oauth_token))) return { status: 401, text: 'Invalid request token.' };
      const good = { oauth_token: `access ${form.oauth_token}`, oauth_token_secret: 'secret & more', user_id: String(2000 + PEOPLE.indexOf(who(form.oauth_token))), screen_name: 'x' };
      const answer = odd(form.oauth_token, 'token', { json: good });
      return answer.json === good && !answer.status ? { text: new URLSearchParams(good).toString() } : answer;
    },
    user: call => {
      const fields = signedBy(call, services.url, ({ oauth_consumer_key }) => [`secret of ${oauth_consumer_key}`, 'secret & more']);
      const code = fields?.oauth_token.replace(/^access /, '');
      const app = code?.endsWith('theirs') ? 'other' : 'app';
      const fresh = Math.abs(Date.now() / 1000 - fields?.oauth_timestamp) < 300 && fields.oauth_nonce.length > 10;
      if (!fresh || fields.oauth_consumer_key !== app || fields.oauth_signature_method !== 'HMAC-SHA1') return { status: 401, json: { title: 'Unauthorized' } };
      if (code.endsWith('mixed')) return { json: { data: { id: '1' } } };
      return odd(code, 'user', { json: { data: { id: String(2000 + PEOPLE.indexOf(who(code))), username: 'x' } } });
    },
  },
};

let services;
let evil;
let server;
before(async () => {
  evil = keep(await serve(() => ({ json: { access_token: 'alice', id: 'alice', playerId: 'alice', openid: 'openid of alice', uid: 1000, data: { id: '1000' }, stat: 'ok', result: 'alice' } })));
  services = keep(await serve(call => {
    const [, name, step] = call.path.split('/');
    return SERVICES[name]?.[step === 'token' ? 'token' : 'user']?.(call);
  }));
  const auth = Object.entries(SERVICES).map(([name, { settings, userPath = '/user' }]) => [name, { ...settings, tokenUrl: `${services.url}/${name}/token`, userUrl: `${services.url}/${name}${userPath}` }]);
  server = keep(await startServer({ auth: Object.fromEntries(auth) }));
});

describe('services that trade a code', () => {
  for (const [name, service] of Object.entries(SERVICES)) {
    test(name, async () => {
      const made = await show(server, name, service.data('alice'));
      assert.equal(made.status, 201, made.text);
      const stored = await row(server, made.body.objectId);
      const kept = stored[`_auth_data_${name}`] ?? stored.authData?.[name];
      assert.equal(kept.id, service.id('alice'));
      for (const field of ['code', 'redirect_uri', 'redirectUri', 'oauth_verifier']) assert.ok(!(field in kept), field);
      // the same user again, with and without an id
      for (const more of [{}, { id: service.id('alice') }]) {
        const again = await show(server, name, { ...service.data('alice'), ...more });
        assert.deepEqual([again.status, again.body.objectId], [200, made.body.objectId]);
      }
      assert.notEqual((await show(server, name, service.data('bob'))).body.objectId, made.body.objectId);
      // somebody else’s id, and what clients bring without a code
      const calls = evil.calls.length;
      for (const bad of [
        { ...service.data('bob'), id: service.id('alice') },
        { ...service.data('bob'), id: 'nobody' },
        { ...service.data('bob'), id: `../${service.id('alice')}` },
        service.data('mallory'),
        service.data(''),
        service.data({ $ne: null }),
        service.data(['alice']),
        service.data(null),
        { id: service.id('alice') },
        { id: service.id('alice'), access_token: 'alice' },
        { id: service.id('alice'), access_token: kept.access_token, openid: service.id('alice') },
        { id: service.id('alice'), access_token: 'alice', apiURL: evil.url, userUrl: evil.url, tokenUrl: evil.url },
      ]) {
        refused(await show(server, name, bad));
      }
      for (const step of service.user ? ['token', 'user'] : ['token']) {
        for (const kind of Object.keys(ODD)) {
          const answer = await show(server, name, { ...service.data(`alice ${step} ${kind}`), id: service.id('alice') });
          assert.ok(answer.status >= 400 && answer.status < 500 && [101, 142].includes(answer.body?.code), `${step} ${kind}: ${answer.text}`);
        }
      }
      assert.equal(evil.calls.length, calls, 'an address that a client or an answer names was called');
      // whoever cannot prove who he is does not get as far as a challenge
      refused(await server.request('POST', '/challenge', { json: { authData: { [name]: { id: service.id('alice') } }, challengeData: { [name]: {} } } }));
    });
  }

  test('a redirect URL is required by weibo', async () => {
    const answer = await show(server, 'weibo', { code: 'alice' });
    refused(answer, [101]);
    assert.equal(answer.body.error, 'Weibo auth requires code and redirect_uri to be sent.');
  });

  test('twitter: an access token of another app, or of another user than the first answer said', async () => {
    for (const code of ['alice theirs', 'alice mixed']) refused(await show(server, 'twitter', SERVICES.twitter.data(code)), [101]);
    refused(await show(server, 'twitter', { oauth_token: 'alice', oauth_verifier: 'guessed' }), [101]);
    for (const data of [{ oauth_token: 'alice' }, { oauth_verifier: 'confirmed' }, { code: 'alice' }]) refused(await show(server, 'twitter', data), [142]);
  });

  test('services that never answer hold up nobody else', async () => {
    const held = [];
    const silent = keep(await serve(() => new Promise(resolve => held.push(resolve))));
    const auth = Object.entries(SERVICES).map(([name, { settings }]) => [name, { ...settings, tokenUrl: `${silent.url}/token`, userUrl: `${silent.url}/user` }]);
    const waiting = keep(await startServer({ auth: Object.fromEntries(auth) }));
    const answers = Object.entries(SERVICES).map(([name, service]) => show(waiting, name, service.data('alice')));
    assert.equal((await waiting.request('GET', '/health')).status, 200);
    for (const answer of await Promise.all(answers)) refused(answer);
    held.forEach(resolve => resolve({ status: 500 }));
  });
});

test('janraincapture: the customer’s host says whose token it is', async () => {
  const capture = keep(await serve(({ method, path, query }) => {
    if (method !== 'GET' || path !== '/entity' || query.attribute_name !== 'uuid') return undefined;
    const name = who(query.access_token);
    if (!PEOPLE.includes(name)) return { json: { stat: 'error', code: 414, error: 'access_token_expired', result: 'alice' } };
    return odd(query.access_token, 'user', { json: { stat: 'ok', result: name } });
  }));
  const auth = { janraincapture: { janrain_capture_host: 'capture.example', userUrl: `${capture.url}/entity` } };
  const server = keep(await startServer({ auth }));
  const calls = evil.calls.length;
  const made = await show(server, 'janraincapture', { id: 'alice', access_token: 'alice' });
  assert.equal(made.status, 201, made.text);
  assert.equal((await show(server, 'janraincapture', { id: 'alice', access_token: 'alice' })).body.objectId, made.body.objectId);
  const odds = Object.keys(ODD).map(kind => ({ id: 'alice', access_token: `alice user ${kind}` }));
  for (const data of [{ id: 'alice', access_token: 'bob' }, { id: 'alice', access_token: 'mallory' }, { id: 'alice', access_token: '' }, { id: 'alice', access_token: { $ne: '' } }, { id: 'alice' }, { access_token: 'alice' }, ...odds]) {
    refused(await show(server, 'janraincapture', data), [101]);
  }
  assert.equal(evil.calls.length, calls);
});

test('what is missing is said at the start', async () => {
  for (const [auth, words] of [
    [{ gpgames: { clientId: 'x' } }, /auth\.gpgames: clientSecret/],
    [{ qq: { enableInsecureAuth: true } }, /auth\.qq: client/],
    [{ wechat: { clientSecret: 'x' } }, /auth\.wechat: clientId/],
    [{ weibo: { ...APP, tokenUrl: 'http://weibo.example' } }, /auth\.weibo: .*https/],
    [{ twitter: { consumer_key: 'x', enableInsecureAuth: true } }, /auth\.twitter: consumer_secret/],
    [{ janraincapture: {} }, /auth\.janraincapture: janrain_capture_host/],
    [{ gcenter: {} }, /auth\.gcenter: bundleId/],
    [{ gcenter: { bundleId: 'x', rootCertificateUrl: 'http://ca.example/ca.pem' } }, /auth\.gcenter: .*https/],
    [{ meetup: { enableInsecureAuth: true } }, /auth\.meetup: .*"module"/],
    [{ vkontakte: { appIds: ['x'], appSecret: 'x' } }, /auth\.vkontakte: .*"module"/],
    [{ phantauth: {} }, /auth\.phantauth: .*oidc/],
    [{ janrainengage: { api_key: 'x' } }, /auth\.janrainengage: .*"module"/],
    [{ ldap: { url: 'ldap://127.0.0.1', suffix: 'dc=x' } }, /auth\.ldap: .*"module"/],
    [{ digits: {} }, /auth\.digits: .*"module"/],
  ]) {
    const { file } = await writeConfig({ auth });
    const child = spawnReparse([file]);
    const timer = setTimeout(() => child.kill(), 20_000);
    const { code, signal } = await child.ended;
    clearTimeout(timer);
    assert.ok(code !== 0 && signal === null, JSON.stringify(auth));
    assert.match(child.output, words);
  }
});
