// Second factors: codes of an authenticator app, and codes by SMS.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sleep } from '../lib/net.mjs';
import { introspection, serve } from '../lib/outside.mjs';
import { startServer } from '../lib/server.mjs';
import { code, newSecret } from '../lib/totp.mjs';
import { logIn, row, signUp } from './support.mjs';

const opened = [];
const keep = one => {
  opened.push(one);
  return one;
};
after(() => Promise.all(opened.map(one => one.stop())));

let number = 0;
/** A new user for one test: `{name, id, session}`. */
async function newUser(server, more) {
  number += 1;
  const name = `user ${number}`;
  const made = await signUp(server, { username: name, ...more });
  assert.equal(made.status, 201, made.text);
  return { name, id: made.body.objectId, session: made.body.sessionToken };
}
const change = (server, user, mfa) => server.request('PUT', `/users/${user.id}`, { session: user.session, json: { authData: { mfa } } });
const withCode = (server, user, token) => logIn(server, user.name, 'first', { authData: { mfa: { token } } });
const refused = (answer, code_, error) => assert.deepEqual([answer.status, answer.body], [400, { code: code_, error }]);

describe('codes of an app', () => {
  let server;
  let provider;
  before(async () => {
    provider = keep(await introspection(token => /^token-(.+)$/.exec(token)?.[1]));
    const corp = { oauth2: true, tokenIntrospectionEndpointUrl: provider.url };
    server = keep(await startServer({ auth: { mfa: { options: ['TOTP'] }, corp, zcorp: corp } }));
  });

  async function enrol(more) {
    const user = await newUser(server, more);
    user.secret = newSecret();
    const answer = await change(server, user, { secret: user.secret, token: code(user.secret) });
    assert.equal(answer.status, 200, answer.text);
    user.codes = answer.body.authDataResponse.mfa.recovery.split(', ');
    return user;
  }

  test('set up, log in, recover, replace, take away', async () => {
    const user = await enrol();
    assert.equal(user.codes.length, 2);
    refused(await logIn(server, user.name, 'first'), -1, 'Missing additional authData mfa');
    refused(await withCode(server, user, '000000'), 141, 'Invalid MFA token');
    const logged = await withCode(server, user, code(user.secret));
    assert.equal(logged.status, 200);
    assert.deepEqual(logged.body.authData, { mfa: { status: 'enabled' } });
    assert.equal((await withCode(server, user, user.codes[0])).status, 200);
    refused(await withCode(server, user, user.codes[0]), 141, 'Invalid MFA token');
    // a password alone does not pass where codes are wanted, nor does a wrong password with a code
    const wrong = await logIn(server, user.name, 'wrong', { authData: { mfa: { token: user.codes[1] } } });
    assert.deepEqual([wrong.status, wrong.body.code], [404, 101]);
    const secret = newSecret();
    refused(await change(server, user, { secret, token: code(secret) }), 141, 'Invalid MFA token');
    refused(await change(server, user, { secret, token: code(secret), old: '000000' }), 141, 'Invalid MFA token');
    const replaced = await change(server, user, { secret, token: code(secret), old: user.codes[1] });
    assert.equal(replaced.status, 200, replaced.text);
    refused(await withCode(server, user, code(user.secret)), 141, 'Invalid MFA token');
    const current = code(secret);
    assert.equal((await withCode(server, user, current)).status, 200);
    // A code is good for one log in; that of the next period counts already.
    refused(await withCode(server, user, current), 141, 'Invalid MFA token');
    const next = await withCode(server, user, code(secret, { at: Date.now() + 30_000 }));
    assert.equal(next.status, 200, next.text);
    user.session = next.body.sessionToken;
    assert.equal((await change(server, user, null)).status, 200);
    assert.equal((await logIn(server, user.name, 'first')).status, 200);
  });

  test('what cannot be set up', async () => {
    const user = await newUser(server);
    const secret = newSecret();
    for (const mfa of [{}, { secret }, { token: '123456' }, { secret: 'short', token: '123456' }, { secret: { $ne: 1 }, token: code(secret) }, { secret: 'not base 32, but long enough!', token: '123456' }, { secret, token: code(secret, { at: Date.now() - 600_000 }) }, { mobile: '+15555555555' }]) {
      const answer = await change(server, user, mfa);
      assert.ok(answer.status === 400 && answer.body.code === 141, `${JSON.stringify(mfa)} ${answer.text}`);
    }
    assert.equal((await logIn(server, user.name, 'first')).status, 200);
  });

  // mw9v-j7v7-vh97
  test('adv_mw9v nothing but a session takes the factor away', async () => {
    const user = await enrol();
    refused(await logIn(server, user.name, 'first', { authData: { mfa: null } }), -1, 'Missing additional authData mfa');
    refused(await logIn(server, user.name, 'first', { authData: {} }), -1, 'Missing additional authData mfa');
    for (const mfa of [{ status: 'enabled' }, { status: 'disabled' }, {}, { id: 'x' }, { secret: user.secret }, { token: null }, { token: { $ne: null } }, { token: [user.codes[0]] }, { token: '' }, { token: true }]) {
      refused(await logIn(server, user.name, 'first', { authData: { mfa } }), 141, 'Invalid MFA token');
    }
    for (const mfa of [{ status: 'disabled' }, { status: 'enabled' }, { secret: user.secret }]) {
      const answer = await change(server, user, mfa);
      assert.equal(answer.body.code, 141, answer.text);
    }
    // no session, or that of somebody else
    const stranger = await newUser(server);
    for (const session of [undefined, stranger.session]) {
      const answer = await server.request('PUT', `/users/${user.id}`, { session, json: { authData: { mfa: null } } });
      assert.ok(answer.status >= 400, answer.text);
    }
    assert.equal((await withCode(server, user, user.codes[0])).status, 200);
  });

  // 64mf-fqfc-3pjh, pfj7-wv7c-22pr: the factor stands behind every first one, and only behind a good one
  test('adv_64mf adv_pfj7 log in by another service needs the code as well', async () => {
    for (const name of ['corp', 'zcorp']) {
      const user = await enrol();
      const identity = { id: `${name} user`, access_token: `token-${name} user` };
      const linked = await server.request('PUT', `/users/${user.id}`, { session: user.session, json: { authData: { [name]: identity } } });
      assert.equal(linked.status, 200, linked.text);
      const show = authData => server.request('POST', '/users', { json: { authData } });
      refused(await show({ [name]: identity }), -1, 'Missing additional authData mfa');
      refused(await show({ [name]: identity, mfa: null }), -1, 'Missing additional authData mfa');
      refused(await show({ [name]: identity, mfa: { token: 'x' } }), 141, 'Invalid MFA token');
      // a good code beside a bad identity is neither told nor used
      for (const bad of [{ ...identity, access_token: 'x' }, { id: identity.id }]) {
        const answer = await show({ [name]: bad, mfa: { token: user.codes[0] } });
        assert.deepEqual([answer.status, answer.body.code], [404, 101], answer.text);
        const other = await show({ [name]: bad, mfa: { token: 'x' } });
        assert.deepEqual([other.status, other.text], [answer.status, answer.text]);
      }
      const good = await show({ [name]: identity, mfa: { token: user.codes[0] } });
      assert.equal(good.status, 200, good.text);
      assert.equal(good.body.objectId, user.id);
      refused(await show({ [name]: identity, mfa: { token: user.codes[0] } }), 141, 'Invalid MFA token');
    }
  });

  // wp76-gg32-8258, 37mj-c2wf-cx96, 75v4-m273-5j49
  test('adv_wp76 adv_37mj adv_75v4 the secret leaves by no door', async () => {
    const user = await enrol({ email: `canary${number}@example.com` });
    const canaries = [user.secret, ...user.codes];
    const as = { session: user.session };
    const doors = async () => [
      await server.request('GET', '/users/me', as),
      await server.request('GET', `/users/${user.id}`, as),
      await server.request('GET', '/users', { ...as, query: { where: { objectId: user.id } } }),
      await server.request('GET', '/users', { ...as, query: { where: { objectId: user.id }, keys: 'authData,_auth_data_mfa,authData.mfa.secret' } }),
      await server.request('PUT', `/users/${user.id}`, { ...as, json: { nick: 'x' } }),
      await server.request('GET', '/verifyPassword', { query: { username: user.name, password: 'first' } }),
      await server.request('POST', '/verifyPassword', { json: { username: user.name, password: 'first' } }),
      await server.request('GET', '/sessions/me', { ...as, query: { include: 'user' } }),
      await server.request('GET', '/sessions', { ...as, query: { include: 'user' } }),
      await withCode(server, user, code(user.secret)),
      await server.request('POST', '/challenge', { json: { username: user.name, password: 'first', challengeData: { mfa: {} } } }),
      await server.request('POST', '/batch', { ...as, json: { requests: [{ method: 'GET', path: `/parse/users/${user.id}` }] } }),
    ];
    for (const answer of await doors()) for (const canary of canaries) assert.ok(!answer.text.includes(canary), answer.text);
    // as an oracle in a query, of oneself or of a user whom everybody may read
    const open = { ACL: { '*': { read: true }, [user.id]: { read: true, write: true } } };
    assert.equal((await server.request('PUT', `/users/${user.id}`, { ...as, json: open })).status, 200);
    const stranger = await newUser(server);
    const inQuery = where => server.request('GET', '/classes/Any', { session: stranger.session, query: { where: { owner: { $inQuery: { className: '_User', where } } } } });
    for (const where of [{ '_auth_data_mfa.secret': user.secret }, { 'authData.mfa.secret': user.secret }, { 'authData.mfa.secret': { $regex: `^${user.secret[0]}` } }, { _auth_data_mfa: { $exists: true } }, { 'authData.mfa': { $exists: true } }, { $or: [{ 'authData.mfa.recovery': user.codes[0] }] }, { $nor: [{ $and: [{ 'authData.mfa.secret': { $gt: 'A' } }] }] }]) {
      for (const session of [user.session, stranger.session, undefined]) {
        for (const answer of [
          await server.request('GET', '/users', { session, query: { where } }),
          await server.request('GET', '/users', { session, query: { where: { ...where, objectId: user.id } } }),
          await server.request('GET', '/users', { session, query: { where, count: 1, limit: 0 } }),
          await inQuery(where),
        ]) {
          assert.ok(answer.status >= 400 && answer.status < 500, `${JSON.stringify(where)} ${answer.text}`);
        }
      }
    }
    for (const order of ['authData.mfa.secret', '-authData.mfa.secret', '_auth_data_mfa.secret']) {
      assert.ok((await server.request('GET', '/users', { session: stranger.session, query: { order } })).status >= 400, order);
    }
    // a class that hides its objects from their owners
    const hidden = { classLevelPermissions: { get: {}, find: {}, create: { '*': true }, update: { '*': true }, addField: { '*': true } } };
    const before = await server.request('GET', '/schemas/_User', { master: true });
    assert.equal((await server.request('PUT', '/schemas/_User', { master: true, json: hidden })).status, 200);
    for (const answer of await doors()) for (const canary of canaries) assert.ok(!answer.text.includes(canary), answer.text);
    await server.request('PUT', '/schemas/_User', { master: true, json: { classLevelPermissions: before.body.classLevelPermissions } });
  });

  // #10224
  test('challenges take texts and objects only', async () => {
    const user = await enrol();
    for (const json of [
      {},
      { challengeData: 'x' },
      { challengeData: [] },
      { challengeData: { mfa: {} }, username: { $ne: null }, password: 'first' },
      { challengeData: { mfa: {} }, username: user.name, password: { $ne: null } },
      { challengeData: { mfa: {} }, username: user.name, password: ['first'] },
      { challengeData: { mfa: {} }, authData: 'x' },
      { challengeData: { mfa: {} }, authData: { mfa: 'x' } },
      { challengeData: { mfa: {} }, authData: { corp: { id: { $ne: null } } } },
      { challengeData: { mfa: {} }, username: user.name, password: 'wrong' },
    ]) {
      const answer = await server.request('POST', '/challenge', { json });
      assert.ok(answer.status >= 400 && answer.status < 500, `${JSON.stringify(json)} ${answer.text}`);
    }
  });
});

describe('codes by text message', () => {
  let gateway;
  let server;
  before(async () => {
    gateway = keep(await serve(({ path, form, json }) => {
      if (path === '/introspect') return { json: { active: /^token-/.test(form.token), sub: form.token.slice(6) } };
      const [, to] = json.args;
      return to.endsWith('99') ? { json: { error: { message: 'The gateway is down.', code: 141 } } } : { json: { ok: true, isUndefined: true } };
    }));
    const mfa = { options: ['SMS', 'TOTP'], digits: 8, period: 60, sms: { module: 'webhook', options: { url: `${gateway.url}/own` } } };
    const corp = { oauth2: true, tokenIntrospectionEndpointUrl: `${gateway.url}/introspect` };
    server = keep(await startServer({ auth: { mfa, corp, zcorp: corp } }));
  });
  const last = () => gateway.calls.filter(call => call.path === '/own/sendSMS').at(-1).json.args;

  async function enrol() {
    const user = await newUser(server);
    user.number = `+1555000${String(number).padStart(4, '0').slice(-2)}11`;
    assert.equal((await change(server, user, { mobile: user.number })).status, 200);
    const confirmed = await change(server, user, { mobile: user.number, token: last()[0] });
    assert.equal(confirmed.status, 200, confirmed.text);
    return user;
  }

  test('set up, confirm, log in', async () => {
    const user = await newUser(server);
    const asked = await change(server, user, { mobile: '+15555555555' });
    assert.deepEqual(Object.keys(asked.body).sort(), ['authDataResponse', 'updatedAt']);
    const [token, to] = last();
    assert.equal(to, '+15555555555');
    assert.match(token, /^\d{8}$/);
    const me = async () => (await server.request('GET', '/users/me', { session: user.session })).body.authData;
    assert.deepEqual(await me(), { mfa: { status: 'disabled' } });
    const stored = (await server.request('GET', `/users/${user.id}`, { master: true })).body.authData.mfa;
    assert.deepEqual(Object.keys(stored.pending), ['+15555555555']);
    const end = Date.parse(stored.pending['+15555555555'].expiry);
    assert.ok(end > Date.now() + 30_000 && end < Date.now() + 61_000);
    // an unconfirmed number is in nobody's way
    assert.equal((await logIn(server, user.name, 'first')).status, 200);
    user.session = (await logIn(server, user.name, 'first')).body.sessionToken;
    refused(await change(server, user, { mobile: '+15555555555', token: '00000000' }), 141, 'Invalid MFA token');
    refused(await change(server, user, { mobile: '+16666666666', token }), 141, 'This number is not pending');
    assert.equal((await change(server, user, { mobile: '+15555555555', token })).status, 200);
    assert.deepEqual(await me(), { mfa: { status: 'enabled' } });
    assert.deepEqual((await server.request('GET', `/users/${user.id}`, { master: true })).body.authData.mfa, { mobile: '+15555555555', pending: {} });

    refused(await logIn(server, user.name, 'first'), -1, 'Missing additional authData mfa');
    refused(await withCode(server, user, 'bad'), 141, 'Invalid MFA token 1');
    refused(await withCode(server, user, 'request'), 141, 'Please enter the token');
    const [second, where] = last();
    assert.equal(where, '+15555555555');
    assert.notEqual(second, token);
    refused(await withCode(server, user, token), 141, 'Invalid MFA token 1');
    const logged = await withCode(server, user, second);
    assert.equal(logged.status, 200, logged.text);
    assert.deepEqual(logged.body.authData, { mfa: { status: 'enabled' } });
    refused(await withCode(server, user, second), 141, 'Invalid MFA token 1');
    user.session = logged.body.sessionToken;
    refused(await change(server, user, { mobile: '+16666666666' }), 141, 'MFA is already set up on this account');
    assert.equal((await change(server, user, null)).status, 200);
    assert.equal((await logIn(server, user.name, 'first')).status, 200);
  });

  test('numbers that are none, and a gateway that is down', async () => {
    const user = await newUser(server);
    const before = gateway.calls.length;
    for (const mobile of ['', 'fail', '+', '$where', 'a.b', '12', '+1555.555', { $ne: null }, ['+15555555555'], 15555555555, '1'.repeat(40), '+15555\n5555']) {
      const answer = await change(server, user, { mobile });
      assert.deepEqual([answer.status, answer.body.code], [400, 141], `${JSON.stringify(mobile)} ${answer.text}`);
    }
    assert.equal(gateway.calls.length, before);
    refused(await change(server, user, { mobile: '+15555555599' }), 141, 'The gateway is down.');
    assert.equal((await row(server, user.id)).authData?.mfa, undefined);
  });

  test('a code dies with its period', async () => {
    const mfa = { options: ['SMS'], period: 10, sms: { module: 'webhook', options: { url: `${gateway.url}/own` } } };
    const quick = keep(await startServer({ auth: { mfa } }));
    const user = await newUser(quick);
    await change(quick, user, { mobile: '+15555555555' });
    const [token] = last();
    assert.match(token, /^\d{6}$/);
    await sleep(10_500);
    refused(await change(quick, user, { mobile: '+15555555555', token }), 141, 'Invalid MFA token');
    // once more, with the same number
    assert.equal((await change(quick, user, { mobile: '+15555555555' })).status, 200);
    assert.equal((await change(quick, user, { mobile: '+15555555555', token: last()[0] })).status, 200);
    refused(await change(quick, user, { secret: newSecret(), token: '123456', old: 'request' }), 141, 'Invalid MFA token');
  });

  // jpq4-7fmq-q5fj
  test('adv_jpq4 a code logs in once, of 200 at the same time', async () => {
    const user = await enrol();
    refused(await withCode(server, user, 'request'), 141, 'Please enter the token');
    const [token] = last();
    const answers = await Promise.all(Array.from({ length: 200 }, () => withCode(server, user, token)));
    assert.equal(answers.filter(answer => answer.status === 200).length, 1);
    for (const answer of answers.filter(answer => answer.status !== 200)) assert.equal(answer.body.code, 141, answer.text);
  });

  test('no message without a good first factor', async () => {
    for (const name of ['corp', 'zcorp']) {
      const user = await enrol();
      const id = `${name} sms`;
      const linked = await server.request('PUT', `/users/${user.id}`, { session: user.session, json: { authData: { [name]: { id, access_token: `token-${id}` } } } });
      assert.equal(linked.status, 200, linked.text);
      const before = gateway.calls.filter(call => call.path === '/own/sendSMS').length;
      const wrong = await logIn(server, user.name, 'wrong', { authData: { mfa: { token: 'request' } } });
      assert.equal(wrong.status, 404);
      for (const access_token of ['x', undefined]) {
        const answer = await server.request('POST', '/users', { json: { authData: { [name]: { id, access_token }, mfa: { token: 'request' } } } });
        assert.equal(answer.status, 404, answer.text);
      }
      const challenge = { authData: { mfa: { token: 'request' } }, challengeData: { mfa: { token: 'request' } } };
      assert.ok((await server.request('POST', '/challenge', { json: challenge })).status >= 400);
      assert.equal(gateway.calls.filter(call => call.path === '/own/sendSMS').length, before);
      // with one there is
      const asked = await server.request('POST', '/users', { json: { authData: { [name]: { id, access_token: `token-${id}` }, mfa: { token: 'request' } } } });
      refused(asked, 141, 'Please enter the token');
      const logged = await server.request('POST', '/users', { json: { authData: { [name]: { id, access_token: `token-${id}` }, mfa: { token: last()[0] } } } });
      assert.deepEqual([logged.status, logged.body.objectId], [200, user.id], logged.text);
    }
  });
});
