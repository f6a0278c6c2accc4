// User enumeration, sessions, tokens, mass assignment: what clients must not learn, take over or set.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sleep } from '../lib/net.mjs';
import { target } from '../lib/env.mjs';
import { introspection } from '../lib/outside.mjs';
import { startServer } from '../lib/server.mjs';
import { logIn, signUp, startWithMail } from './support.mjs';

const opened = [];
const keep = one => {
  opened.push(one);
  return one;
};
after(() => Promise.all(opened.map(one => one.stop())));

const refused = (answer, what = '') => assert.ok(answer.status >= 400 && answer.status < 500, `${what} ${answer.status} ${answer.text}`);
/** Values that are not strings, where a string is expected. */
const NO_TEXTS = [{ $ne: null }, { $regex: '' }, { $gt: '' }, { $in: [] }, {}, [], ['x'], [{ $ne: null }], 0, 1, true, { __op: 'Delete' }, { __type: 'Pointer', className: '_User', objectId: 'x' }, { toString: 'x' }, { length: 1 }];
/** Values that clients send to set fields that they may not set. */
const VALUES = [null, 0, 1, '', 'x', false, true, {}, [], ['x'], { __op: 'Delete' }, { __op: 'Increment', amount: 1 }, { __op: 'Add', objects: ['x'] }, { __op: 'SetOnInsert', amount: 'x' }, { __type: 'Date', iso: '2099-01-01T00:00:00.000Z' }];

describe('enumeration', () => {
  // mmpq-5hcv-hf2v: the cause, not the clock of a shared machine: every branch costs one verification
  test('adv_mmpq nobody learns by the time who exists', async () => {
    const provider = keep(await introspection(token => token));
    const auth = { corp: { oauth2: true, tokenIntrospectionEndpointUrl: provider.url } };
    const server = keep(await startServer({ auth, accountLockout: { threshold: 2, duration: 5 }, mountGraphQL: true, hashThreads: 1 }, { env: { REPARSE_BCRYPT_COST: '12' } }));
    await signUp(server, { username: 'known', email: 'known@example.com' });
    await signUp(server, { username: 'locked' });
    for (let round = 0; round < 2; round += 1) await logIn(server, 'locked', 'wrong');
    assert.equal((await server.request('POST', '/users', { json: { username: 'without', authData: { corp: { id: 'a', access_token: 'a' } } } })).status, 201);
    const took = async call => {
      let best = Infinity;
      for (let round = 0; round < 3; round += 1) {
        const started = performance.now();
        const answer = await call();
        best = Math.min(best, performance.now() - started);
        assert.notEqual(answer.status, 500, answer.text);
      }
      return best;
    };
    const right = await took(() => logIn(server, 'known', 'first'));
    const graphql = username => server.request('POST', '/../graphql', { json: { query: 'mutation($i: LogInInput!) { logIn(input: $i) { viewer { sessionToken } } }', variables: { i: { username, password: 'x' } } } });
    const branches = {
      'an unknown name': () => logIn(server, 'nobody', 'first'),
      'an unknown address': () => server.request('POST', '/login', { json: { email: 'nobody@example.com', password: 'first' } }),
      'an unknown pair': () => server.request('POST', '/login', { json: { username: 'known', email: 'nobody@example.com', password: 'first' } }),
      'a user without a password': () => logIn(server, 'without', 'first'),
      'a locked account': () => logIn(server, 'locked', 'first'),
      'an empty-looking password': () => logIn(server, 'nobody', ' '),
      'verifyPassword by GET': () => server.request('GET', '/verifyPassword', { query: { username: 'nobody', password: 'first' } }),
      verifyPassword: () => server.request('POST', '/verifyPassword', { json: { username: 'nobody', password: 'first' } }),
      challenge: () => server.request('POST', '/challenge', { json: { username: 'nobody', password: 'first', challengeData: { x: {} } } }),
      graphql: () => graphql('nobody'),
      'a second factor': () => logIn(server, 'nobody', 'first', { authData: { corp: { id: 'a', access_token: 'a' } } }),
    };
    for (const [name, call] of Object.entries(branches)) {
      const spent = await took(call);
      assert.ok(spent > right * 0.5, `${name}: ${spent} ms, a right password ${right} ms`);
    }
  });

  // w54v-hf9p-8856, h29g-q5c2-9h4f
  test('adv_w54v adv_h29g requests for mails say the same to everybody', async () => {
    const server = keep(await startWithMail({ module: 'discard' }));
    await signUp(server, { username: 'new', email: 'new@example.com' });
    const done = await signUp(server, { username: 'done', email: 'done@example.com' });
    await server.request('PUT', `/users/${done.body.objectId}`, { master: true, json: { emailVerified: true } });
    const seen = answer => [answer.status, answer.text, Object.keys(answer.headers).filter(name => name !== 'x-parse-request-id').sort().join(), answer.headers.location];
    for (const where of ['/verificationEmailRequest', '/requestPasswordReset']) {
      const answers = [];
      for (const email of ['new@example.com', 'done@example.com', 'nobody@example.com']) answers.push(seen(await server.request('POST', where, { json: { email } })));
      assert.deepEqual(answers[1], answers[0]);
      assert.deepEqual(answers[2], answers[0]);
    }
    const form = { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } };
    const pages = [];
    for (const name of ['new', 'done', 'nobody']) pages.push(seen(await server.request('POST', '/apps/app/resend_verification_email', { data: `username=${name}`, ...form })));
    assert.deepEqual(pages[1], pages[0]);
    assert.deepEqual(pages[2], pages[0]);
    const tokens = [];
    for (const token of ['x', 'y'.repeat(25)]) tokens.push(seen(await server.request('POST', '/apps/app/resend_verification_email', { data: `token=${token}`, ...form })));
    assert.deepEqual(tokens[0], pages[0]);
    assert.deepEqual(tokens[1], pages[0]);
  });

  // 9cp7-3q5w-j92g, #9937, 7cx5-254x-cgrq, xqp8-w826-hh6x
  test('adv_9cp7 adv_7cx5 adv_xqp8 errors tell nothing of the database', async () => {
    const server = keep(await startServer());
    const { body } = await signUp(server, { username: 'u' });
    const find = query => server.request('GET', '/users', { session: body.sessionToken, query });
    for (const $regex of ['(', '[', '*', '(?<', '\\', '(?P<n>', '{', 'a{9999999}', '(?!', '\u0000']) {
      for (const answer of [await find({ where: { username: { $regex } } }), await find({ where: { $or: [{ username: { $regex, $options: 'x' } }] } })]) {
        assert.ok(answer.status < 500, `${$regex} ${answer.text}`);
        assert.doesNotMatch(answer.text, /mongo|sqlite|127\.0\.0\.1|cluster|topology|collection|errmsg|codeName|operationTime/i);
      }
    }
    for (const explain of ['true', 'queryPlanner', 'allPlansExecution', '1']) refused(await find({ explain }), explain);
    for (const explain of ['bogus', '{}', '[]', 'constructor', '__proto__', '{"$ne":1}']) {
      for (const caller of [{ session: body.sessionToken }, { master: true }]) refused(await server.request('GET', '/users', { ...caller, query: { explain } }), explain);
    }
    assert.equal((await server.request('GET', '/health')).status, 200);
  });
});

describe('sessions', () => {
  let server;
  let provider;
  before(async () => {
    provider = keep(await introspection(token => token));
    const corp = { oauth2: true, tokenIntrospectionEndpointUrl: provider.url };
    server = keep(await startServer({ auth: target === 'reference' ? undefined : { corp } }));
  });
  const sessionOf = async token => (await server.request('GET', '/sessions', { master: true, query: { where: { sessionToken: token } } })).body.results[0];
  const how = async token => (await sessionOf(token))?.createdWith;

  // 23r4-5mxp-c7g5
  test('adv_23r4 a session says how it began', async () => {
    const made = await signUp(server, { username: 'how' });
    assert.deepEqual(await how(made.body.sessionToken), { action: 'signup', authProvider: 'password' });
    assert.deepEqual(await how((await logIn(server, 'how', 'first')).body.sessionToken), { action: 'login', authProvider: 'password' });
    const authData = { anonymous: { id: 'how' } };
    const guest = () => server.request('POST', '/users', { json: { authData } });
    assert.deepEqual(await how((await guest()).body.sessionToken), { action: 'login', authProvider: 'anonymous' });
    assert.deepEqual(await how((await guest()).body.sessionToken), { action: 'login', authProvider: 'anonymous' });
    const as = await server.request('POST', '/loginAs', { master: true, json: { userId: made.body.objectId } });
    assert.deepEqual(await how(as.body.sessionToken), { action: 'login', authProvider: 'masterkey' });
    const created = await server.request('POST', '/sessions', { session: as.body.sessionToken, json: {} });
    assert.deepEqual(await how(created.body.sessionToken), { action: 'create' });
    if (target === 'reference') return;
    const corp = () => server.request('POST', '/users', { json: { authData: { corp: { id: 'a', access_token: 'a' } } } });
    for (let round = 0; round < 2; round += 1) assert.deepEqual(await how((await corp()).body.sessionToken), { action: 'login', authProvider: 'corp' });
    // what the client claims does not count
    const claimed = await signUp(server, { username: 'claims', createdWith: { action: 'login', authProvider: 'masterkey' } });
    if (claimed.status === 201) assert.deepEqual(await how(claimed.body.sessionToken), { action: 'signup', authProvider: 'password' });
  });

  // 6w4q-23cf-j9jp, 5v7g-9h8f-8pgg, jc39-686j-wp6q, f6j3-w9v3-cq22
  test('adv_6w4q adv_5v7g adv_jc39 adv_f6j3 nobody sets what the server owns', async () => {
    const victim = (await signUp(server, { username: 'victim' })).body;
    const mallory = (await signUp(server, { username: 'mallory' })).body;
    const [theirs, own] = [await sessionOf(victim.sessionToken), await sessionOf(mallory.sessionToken)];
    const session = mallory.sessionToken;
    const pointer = { __type: 'Pointer', className: '_User', objectId: victim.objectId };
    const owned = {
      sessionToken: [...VALUES, victim.sessionToken, 'r:00000000000000000000000000000000'],
      user: [...VALUES, pointer, victim.objectId, { objectId: victim.objectId }],
      expiresAt: VALUES,
      createdWith: [...VALUES, { action: 'login', authProvider: 'masterkey' }],
      restricted: VALUES,
      objectId: ['x', victim.objectId],
      createdAt: VALUES,
      updatedAt: VALUES,
    };
    const stable = row => Object.fromEntries(Object.entries(row).filter(([name]) => !['updatedAt', 'restricted'].includes(name)));
    for (const [field, values] of Object.entries(owned)) {
      for (const value of values) {
        const json = { [field]: value };
        const what = JSON.stringify(json);
        for (const where of [`/sessions/${own.objectId}`, `/classes/_Session/${own.objectId}`, '/sessions/me']) {
          const answer = await server.request('PUT', where, { session, json });
          assert.ok(answer.status < 500, `${where} ${what} ${answer.text}`);
          const now = await sessionOf(session);
          assert.ok(now, `${where} ${what} took the session away`);
          assert.deepEqual(stable(now), stable(own), `${where} ${what}`);
        }
        for (const where of [`/sessions/${theirs.objectId}`, `/classes/_Session/${theirs.objectId}`]) {
          refused(await server.request('PUT', where, { session, json }), `${where} ${what}`);
        }
        for (const where of ['/sessions', '/classes/_Session']) {
          const answer = await server.request('POST', where, { session, json });
          assert.ok(answer.status < 500, `${where} ${what} ${answer.text}`);
          if (answer.status >= 400) continue;
          const made = (await server.request('GET', '/sessions', { master: true, query: { where: { objectId: answer.body.objectId } } })).body.results[0];
          assert.equal(made.user.objectId, mallory.objectId, what);
          assert.deepEqual(made.createdWith, { action: 'create' }, what);
          assert.match(made.sessionToken, /^r:[0-9a-f]{32}$/, what);
          assert.notEqual(made.sessionToken, victim.sessionToken, what);
          assert.ok(Date.parse(made.expiresAt.iso) < Date.now() + 366 * 86_400_000 && Date.parse(made.expiresAt.iso) > Date.now(), what);
          await server.request('DELETE', `/sessions/${made.objectId}`, { master: true });
        }
      }
    }
    assert.deepEqual(await sessionOf(victim.sessionToken), theirs);
    assert.equal((await server.request('GET', '/users/me', { session: victim.sessionToken })).body.objectId, victim.objectId);
    for (const where of [`/sessions/${theirs.objectId}`, `/classes/_Session/${theirs.objectId}`]) {
      refused(await server.request('GET', where, { session }), where);
      refused(await server.request('DELETE', where, { session }), where);
    }
    assert.ok(await sessionOf(victim.sessionToken));
  });

  // #10582
  test('a session of one’s own ends nobody else’s', async () => {
    const one = (await server.request('POST', '/users', { installation: 'shared phone', json: { username: 'one', password: 'first' } })).body;
    const two = (await server.request('POST', '/users', { installation: 'shared phone', json: { username: 'two', password: 'first' } })).body;
    const alive = async () => assert.equal((await server.request('GET', '/users/me', { session: one.sessionToken })).status, 200);
    await alive();
    const user = { __type: 'Pointer', className: '_User', objectId: one.objectId };
    for (const json of [{ installationId: 'shared phone' }, { installationId: 'shared phone', user }, { user }, { installationId: { $ne: null } }, { installationId: { $ne: null }, user }]) {
      const answer = await server.request('POST', '/sessions', { session: two.sessionToken, installation: 'shared phone', json });
      assert.ok(answer.status < 500, answer.text);
      await alive();
    }
    await server.request('POST', '/login', { installation: 'shared phone', json: { username: 'two', password: 'first' } });
    await alive();
  });

  // #10194
  test('a session that is over is over, however lately it was used', async () => {
    const short = keep(await startServer({ sessionLength: 2, mountGraphQL: true }));
    const { body } = await signUp(short, { username: 'short' });
    const me = () => short.request('GET', '/users/me', { session: body.sessionToken });
    const end = Date.now() + 1800;
    while (Date.now() < end - 300) {
      assert.equal((await me()).status, 200);
      await sleep(100);
    }
    await sleep(1000);
    const late = await me();
    assert.deepEqual([late.status, late.body.code], [400, 209], late.text);
    refused(await short.request('PUT', `/users/${body.objectId}`, { session: body.sessionToken, json: { x: 1 } }));
    refused(await short.request('POST', '/sessions', { session: body.sessionToken, json: {} }));
    const graphql = await short.request('POST', '/../graphql', { session: body.sessionToken, json: { query: '{ viewer { user { id } } }' } });
    assert.ok(!/"id"/.test(graphql.text), graphql.text);
    // and one that an administrator ends
    const other = (await signUp(server, { username: 'ended' })).body;
    assert.equal((await server.request('GET', '/users/me', { session: other.sessionToken })).status, 200);
    const { objectId } = await sessionOf(other.sessionToken);
    assert.equal((await server.request('DELETE', `/sessions/${objectId}`, { master: true })).status, 200);
    refused(await server.request('GET', '/users/me', { session: other.sessionToken }));
  });
});

describe('texts are texts', () => {
  let server;
  let user;
  before(async () => {
    server = keep(await startWithMail({ module: 'discard' }));
    user = (await signUp(server, { username: 'target', email: 'target@example.com' })).body;
    await server.request('POST', '/requestPasswordReset', { json: { email: 'target@example.com' } });
  });
  const stored = async () => {
    const { updatedAt, ...rest } = (await server.request('GET', `/users/${user.objectId}`, { maintenance: true })).body;
    return rest;
  };

  // vgjh-hmwf-c588, h4mf-75hf-67w4
  test('adv_vgjh adv_h4mf operators log nobody in, and reset nothing', async () => {
    const before = await stored();
    const xhr = { headers: { 'X-Requested-With': 'XMLHttpRequest' } };
    for (const odd of NO_TEXTS) {
      const what = JSON.stringify(odd);
      for (const [where, json, more] of [
        ['/login', { username: odd, password: 'first' }],
        ['/login', { username: 'target', password: odd }],
        ['/login', { email: odd, password: 'first' }],
        ['/login', { username: 'target', email: odd, password: 'first' }],
        ['/verifyPassword', { username: odd, password: 'first' }],
        ['/verifyPassword', { username: 'target', password: odd }],
        ['/requestPasswordReset', { email: odd }],
        ['/requestPasswordReset', { token: odd }],
        ['/verificationEmailRequest', { email: odd }],
        ['/verificationEmailRequest', { token: odd }],
        ['/loginAs', { userId: odd }, { master: true }],
        ['/apps/app/request_password_reset', { token: odd, new_password: 'taken over' }, xhr],
        ['/apps/app/request_password_reset', { token: before._perishable_token, new_password: odd }, xhr],
      ]) refused(await server.request('POST', where, { json, ...more }), `${where} ${JSON.stringify(json)}`);
      for (const where of ['/apps/app/resend_verification_email', '/apps/app/request_password_reset']) {
        const answer = await server.request('POST', where, { json: { token: odd, username: odd, new_password: 'taken over' } });
        assert.ok(answer.status < 500, `${where} ${what} ${answer.text}`);
      }
      // keys that come in the body, as the SDK sends them
      const bodies = [
        { _method: 'GET', _ApplicationId: 'app', _SessionToken: odd },
        { _method: 'GET', _ApplicationId: odd },
        { _method: 'GET', _ApplicationId: 'app', _MasterKey: odd },
        { _method: 'GET', _ApplicationId: 'app', _InstallationId: odd },
      ];
      for (const json of bodies) {
        const answer = await server.request('POST', '/users/me', { json, headers: { 'X-Parse-Application-Id': '', 'Content-Type': 'text/plain' } });
        refused(answer, JSON.stringify(json));
      }
      if (odd.__op) continue; // deletes what is not there: leaves it out
      for (const json of [{ username: odd, password: 'p' }, { username: `odd ${what}`, password: odd }, { username: `mail ${what}`, password: 'p', email: odd }]) {
        const answer = await server.request('POST', '/users', { json });
        refused(answer, JSON.stringify(json));
      }
    }
    for (const query of ['token[$ne]=x', 'token[$regex]=', 'token[]=x', 'token=%00', 'token=', 'token', 'token=x&token=y', `token[$gt]=`, `token=%7B%22$ne%22:null%7D`]) {
      for (const route of ['verify_email', 'request_password_reset']) {
        const answer = await server.request('GET', `/apps/app/${route}?${query}`);
        assert.equal(answer.status, 200);
        assert.match(answer.text, /does not work/, query);
      }
      const login = await server.request('GET', `/login?username[$ne]=x&password[$ne]=x&${query}`);
      refused(login, query);
    }
    assert.deepEqual(await stored(), before);
    assert.equal((await server.request('GET', '/users', { master: true, query: { where: { username: { $ne: 'target' } }, count: 1, limit: 0 } })).body.count, 0);
  });

  // cc6h-c8m4-hgrx
  test('adv_cc6h an operator is no device token', async () => {
    for (let index = 0; index < 3; index += 1) {
      const made = await server.request('POST', '/installations', { json: { deviceType: 'ios', deviceToken: `token ${index}`, installationId: `phone ${index}` } });
      assert.equal(made.status, 201, made.text);
    }
    const count = async () => (await server.request('GET', '/installations', { master: true, query: { count: 1, limit: 0 } })).body.count;
    assert.equal(await count(), 3);
    for (const odd of NO_TEXTS.filter(odd => !odd.__op)) {
      refused(await server.request('POST', '/installations', { json: { deviceType: 'ios', deviceToken: odd, installationId: 'evil' } }), JSON.stringify(odd));
      refused(await server.request('POST', '/installations', { json: { deviceType: 'ios', deviceToken: 'evil', installationId: odd } }), JSON.stringify(odd));
      assert.equal(await count(), 3, JSON.stringify(odd));
    }
  });

  // 9ccr-fpp6-78qf, p6h4-93qp-jhcm, 462x-c3jw-7vr6, prm5-8g2m-24gg, q342-9w2p-57fp
  test('adv_9ccr adv_p6h4 adv_462x adv_q342 odd keys, at any depth, change nothing else', async () => {
    const before = await stored();
    const session = user.sessionToken ?? (await logIn(server, 'target', 'first')).body.sessionToken;
    const long = 'k'.repeat(65_536);
    const keys = ['__proto__', 'constructor', 'prototype', '_bsontype', '$where', '$ne', 'a.b', 'a\u0000b', 'toString', 'hasOwnProperty', '__defineGetter__', '', ' ', long];
    const wraps = [inner => `{"x":${inner}}`, inner => `{"x":{"y":[${inner}]}}`, inner => inner, inner => `{"x":{"__op":"Add","objects":[${inner}]}}`, inner => `{"authData":{"anonymous":${inner}}}`, inner => `{"ACL":${inner}}`];
    for (const key of keys) {
      const inner = `{${JSON.stringify(key)}:{"polluted":true,"isAdmin":true}}`;
      for (const wrap of wraps) {
        for (const [method, where] of [['POST', '/users'], ['PUT', `/users/${user.objectId}`], ['POST', '/login']]) {
          const answer = await server.request(method, where, { session: method === 'PUT' ? session : undefined, data: wrap(inner), headers: { 'Content-Type': 'application/json' } });
          assert.ok(answer.status < 500, `${method} ${where} ${wrap(inner).slice(0, 100)}: ${answer.status} ${answer.text}`);
          if (['__proto__', 'constructor'].includes(key)) refused(answer, `${method} ${where} ${wrap(inner)}`);
        }
      }
    }
    for (const wrap of wraps) {
      const code = '{"_bsontype":"Code","code":"return 1","scope":{}}';
      refused(await server.request('PUT', `/users/${user.objectId}`, { session, data: wrap(code), headers: { 'Content-Type': 'application/json' } }), wrap(code));
    }
    const fresh = await signUp(server, { username: 'fresh', email: 'fresh@example.com' });
    assert.equal(fresh.status, 201, fresh.text);
    const row = (await server.request('GET', `/users/${fresh.body.objectId}`, { master: true })).body;
    assert.ok(!('polluted' in row) && !('isAdmin' in row), JSON.stringify(row));
    for (const field of ['username', 'email', '_hashed_password', '_perishable_token', 'emailVerified']) assert.deepEqual((await stored())[field], before[field], field);
  });

  // 6hh7-46r2-vf29, 5j86-7r7m-p8h6, vpj2-qq7w-5qq6
  test('adv_6hh7 adv_5j86 adv_vpj2 names of functions are no paths', async () => {
    for (const name of ['constructor', 'toString', '__proto__', 'f.prototype.constructor', 'hasOwnProperty', 'valueOf', '..%2fusers', '%00', 'a b']) {
      for (const route of ['functions', 'jobs']) {
        for (const caller of [{}, { master: true }]) refused(await server.request('POST', `/${route}/${name}`, { json: {}, ...caller }), `${route} ${name}`);
      }
    }
  });
});

// 8xq9-g7ch-35hg, wjqw-r9x4-j59v
test('adv_8xq9 adv_wjqw no role by an id, no account without a credential', async () => {
  const server = keep(await startServer({ allowCustomObjectId: true }));
  for (const objectId of ['role:admin', 'role:', { $ne: null }, ['x'], 1, true]) {
    const answer = await signUp(server, { username: `id ${JSON.stringify(objectId)}`, objectId });
    refused(answer, JSON.stringify(objectId));
  }
  assert.equal((await signUp(server, { username: 'good', objectId: 'good1' })).status, 201);
  for (const json of [{}, { username: 'x' }, { password: 'x' }, { authData: {} }, { username: 'x', authData: {} }, { password: 'x', authData: {} }, { username: 'x', authData: { anonymous: null } }, { authData: { anonymous: {} } }, { username: '', password: '' }, { username: 'x', password: '' }]) {
    const answer = await server.request('POST', '/users', { json });
    refused(answer, JSON.stringify(json));
    assert.equal(answer.body.sessionToken, undefined);
  }
});
