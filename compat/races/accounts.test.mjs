// Tokens that are valid once are used once, and counters are exact, with many clients at the same time and through
// two servers.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { store } from '../lib/env.mjs';
import { introspection, serve } from '../lib/outside.mjs';
import { until } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { code, newSecret } from '../lib/totp.mjs';

const RACERS = 200;
const THRESHOLD = 10;

let provider;
let gateway;
/** An identity provider that thinks about these tokens until it is told to answer. */
let slow;
const held = new Map();
before(async () => {
  slow = await serve(async ({ form }) => {
    await new Promise(answer => (form.token.startsWith('slow') ? held.set(form.token, answer) : answer()));
    return { json: { active: true, sub: form.token.split('-')[1], client_id: 'app' } };
  });
  gateway = await serve(() => ({ json: { ok: true } }));
  provider = await introspection(token => /^token-(.+)$/.exec(token)?.[1]);
});
after(() => Promise.all([provider.stop(), gateway.stop(), slow.stop()]));

const options = hashRecoveryCodes => ({
  appName: 'Races',
  publicServerURL: 'http://127.0.0.1:1/parse',
  emailAdapter: { module: 'discard' },
  verifyUserEmails: true,
  mountGraphQL: true,
  hashQueue: 5000,
  allowCustomObjectId: true,
  auth: {
    slow: { oauth2: true, tokenIntrospectionEndpointUrl: `${slow.url}/introspect`, appidField: 'client_id', appIds: ['app'] },
    mfa: { options: ['TOTP', 'SMS'], hashRecoveryCodes, period: 600, sms: { module: 'webhook', options: { url: gateway.url } } },
    corp: { oauth2: true, tokenIntrospectionEndpointUrl: `${provider.url}/introspect`, appidField: 'client_id', appIds: ['app'] },
  },
});

function suite(name, count, hashRecoveryCodes) {
  describe(name, () => {
    const servers = [];
    /** As many that lock accounts: on the others wrong codes do not count, which would end the races for codes early. */
    const locking = [];
    before(async () => {
      const database = freshDatabase();
      const accountLockout = { threshold: THRESHOLD, duration: 5 };
      // the embedded store belongs to one server
      const shared = database.startsWith('mongodb') ? database : freshDatabase();
      for (let index = 0; index < count; index += 1) {
        servers.push(await startServer(options(hashRecoveryCodes), { database }));
        locking.push(await startServer({ ...options(hashRecoveryCodes), accountLockout }, { database: shared }));
      }
    });
    after(() => Promise.all([...servers, ...locking].map(server => server.stop())));

    const race = (send, among = servers) => Promise.all(Array.from({ length: RACERS }, (_, index) => send(among[index % among.length], index)));
    const post = (server, where, json, more) => server.request('POST', where, { json, timeout: 120_000, ...more });
    const logIn = (server, username, password, authData) => post(server, '/login', { username, password, authData });
    const signUp = async (fields, server = servers[0]) => {
      const made = await post(server, '/users', { password: 'first', ...fields });
      assert.equal(made.status, 201, made.text);
      return made.body;
    };
    /** The row of a user, with the columns that nobody else sees. */
    const row = async (id, server = servers[0]) => (await server.request('GET', `/users/${id}`, { maintenance: true })).body;
    const tally = answers => {
      const seen = {};
      for (const { status, body } of answers) {
        const key = body?.code === undefined ? `${status}` : `${status} ${body.code} ${body.error}`;
        seen[key] = (seen[key] ?? 0) + 1;
      }
      return seen;
    };

    // r3xq-68wh-gwvh
    test('adv_r3xq a reset token sets one password, by the page and by GraphQL', async () => {
      const user = await signUp({ username: 'reset', email: 'reset@example.com' });
      assert.equal((await post(servers[0], '/requestPasswordReset', { email: 'reset@example.com' })).status, 200);
      const token = (await row(user.objectId))._perishable_token;
      const query = 'mutation($input: ConfirmResetPasswordInput!) { confirmResetPassword(input: $input) { ok } }';
      const answers = await race(async (server, index) => {
        const password = `new ${index}`;
        if (index % 4 < 2) {
          const headers = { 'X-Requested-With': 'XMLHttpRequest' };
          const answer = await post(server, '/apps/app/request_password_reset', { token, new_password: password }, { headers });
          return { done: answer.status === 200, refused: answer.body?.code === -1, answer };
        }
        const answer = await post({ request: (method, where, rest) => server.request(method, `/../graphql`, rest) }, '', { query, variables: { input: { username: 'reset', token, password } } });
        return { done: answer.body?.data?.confirmResetPassword?.ok === true, refused: /token is invalid/.test(answer.text), answer };
      });
      const won = answers.flatMap(({ done }, index) => (done ? [index] : []));
      assert.equal(won.length, 1, JSON.stringify(won));
      for (const { done, refused, answer } of answers) assert.ok(done !== refused, answer.text);
      for (const server of servers) assert.equal((await logIn(server, 'reset', `new ${won[0]}`)).status, 200);
      for (const other of [(won[0] + 1) % RACERS, (won[0] + 2) % RACERS]) {
        assert.equal((await logIn(servers[0], 'reset', `new ${other}`)).status, 404);
      }
      assert.equal((await row(user.objectId))._perishable_token, undefined);
    });

    test('a verification token verifies once', async () => {
      const user = await signUp({ username: 'verify', email: 'verify@example.com' });
      const token = (await row(user.objectId))._email_verify_token;
      const answers = await race(server => server.request('GET', '/apps/app/verify_email', { query: { token }, timeout: 120_000 }));
      assert.deepEqual([...new Set(answers.map(answer => answer.status))], [200]);
      assert.equal(answers.filter(answer => answer.text.includes('Your address has been confirmed')).length, 1);
      assert.equal(answers.filter(answer => answer.text.includes('This link does not work')).length, RACERS - 1);
      assert.equal((await row(user.objectId)).emailVerified, true);
    });

    // #10266
    test('failed log ins are counted exactly, whatever door they knock at', async () => {
      const user = await signUp({ username: 'locked' }, locking[0]);
      const answers = await race((server, index) => {
        const wrong = { username: 'locked', password: `wrong ${index}` };
        return index % 4 < 2 ? post(server, '/login', wrong) : post(server, '/verifyPassword', wrong);
      }, locking);
      const locked = '404 101 Your account is locked due to multiple failed login attempts. Please try again after 5 minute(s)';
      assert.deepEqual(tally(answers), { '404 101 Invalid username/password.': THRESHOLD, [locked]: RACERS - THRESHOLD });
      assert.equal((await row(user.objectId, locking[0]))._failed_login_count, THRESHOLD);
      assert.deepEqual(tally(await race(server => logIn(server, 'locked', 'first'), locking)), { [locked]: RACERS });
    });

    test('log ins that succeed are never refused by each other', async () => {
      await signUp({ username: 'busy' }, locking[0]);
      assert.deepEqual(tally(await race(server => logIn(server, 'busy', 'first'), locking)), { 200: RACERS });
    });

    test('a log in under way does not outlive a change of its password', async () => {
      const user = await signUp({ username: 'changing' });
      const change = (server, index) => server.request('PUT', `/users/${user.objectId}`, { master: true, json: { password: `later ${index}` }, timeout: 120_000 });
      const answers = await race((server, index) => (index === 0 ? change(server, index) : logIn(server, 'changing', 'first')));
      assert.equal(answers[0].status, 200, answers[0].text);
      const old = answers.slice(1);
      assert.deepEqual(Object.keys(tally(old)).filter(kind => kind !== '200' && kind !== '404 101 Invalid username/password.'), []);
      for (const { body } of old.filter(({ status }) => status === 200)) {
        const me = await servers[0].request('GET', '/users/me', { session: body.sessionToken });
        assert.equal(me.body.code, 209, me.text);
      }
    });

    test('a session that ends takes the changes of the password with it that wait for their turn', async () => {
      const user = await signUp({ username: 'stolen' });
      const change = (server, password, caller) => server.request('PUT', `/users/${user.objectId}`, { ...caller, json: { password }, timeout: 120_000 });
      const answers = await race((server, index) => (index === RACERS / 2
        ? change(server, 'of the owner', { master: true })
        : change(server, `of a thief ${index}`, { session: user.sessionToken })));
      assert.equal(answers[RACERS / 2].status, 200, answers[RACERS / 2].text);
      const thief = answers.filter((_, index) => index !== RACERS / 2);
      for (const { body } of thief.filter(({ body }) => body.sessionToken)) {
        const me = await servers[0].request('GET', '/users/me', { session: body.sessionToken });
        assert.equal(me.body.code, 209, me.text);
      }
      assert.ok(thief.filter(({ status }) => status === 200).length <= 1, JSON.stringify(tally(thief)));
      assert.equal((await logIn(servers[0], 'stolen', 'of the owner')).status, 200, JSON.stringify(tally(thief)));
    });

    /** A log in that the provider thinks about, and what is done meanwhile. */
    const meanwhile = async (sent, token, act) => {
      const answer = sent();
      await until(() => held.has(token), { limit: 60_000, what: 'a question to the provider' });
      await act();
      held.get(token)();
      return answer;
    };
    const slowly = (id, token) => ({ authData: { slow: { id, access_token: token } } });

    test('an identity that was unlinked while its provider thought opens no session and comes not back', async () => {
      const id = `id${name.length}`;
      const user = await signUp({ username: 'unlinks', ...slowly(id, `quick-${id}`) });
      const token = `slow-${id}-1`;
      const answer = await meanwhile(() => post(servers.at(-1), '/users', slowly(id, token)), token, async () => {
        const unlinked = await servers[0].request('PUT', `/users/${user.objectId}`, { session: user.sessionToken, json: { authData: { slow: null } } });
        assert.equal(unlinked.status, 200, unlinked.text);
      });
      assert.equal(answer.body.sessionToken, undefined, answer.text);
      assert.equal((await row(user.objectId))._auth_data_slow, undefined, answer.text);
    });

    test('a log in whose password was changed while a provider thought links nothing', async () => {
      const id = `linked${name.length}`;
      const user = await signUp({ username: 'links' });
      const token = `slow-${id}-1`;
      const answer = await meanwhile(() => logIn(servers.at(-1), 'links', 'first', slowly(id, token).authData), token, async () => {
        const changed = await servers[0].request('PUT', `/users/${user.objectId}`, { session: user.sessionToken, json: { password: 'second' } });
        assert.equal(changed.status, 200, changed.text);
      });
      assert.equal(answer.body.error, 'Invalid username/password.', answer.text);
      assert.equal((await row(user.objectId))._auth_data_slow, undefined, answer.text);
    });

    test('a session that ends while a provider thinks links nothing', async () => {
      const id = `late${name.length}`;
      const user = await signUp({ username: 'late' });
      const token = `slow-${id}-1`;
      const link = () => servers.at(-1).request('PUT', `/users/${user.objectId}`, { session: user.sessionToken, json: slowly(id, token) });
      const answer = await meanwhile(link, token, async () => {
        assert.equal((await post(servers[0], '/logout', {}, { session: user.sessionToken })).status, 200);
      });
      assert.equal(answer.body.code, 209, answer.text);
      assert.equal((await row(user.objectId))._auth_data_slow, undefined, answer.text);
    });

    test('a user whose ACL was closed while a provider thought gets no session', async () => {
      const id = `closed${name.length}`;
      const user = await signUp({ username: 'closes', ...slowly(id, `quick-${id}`) });
      const token = `slow-${id}-1`;
      const answer = await meanwhile(() => post(servers.at(-1), '/users', slowly(id, token)), token, async () => {
        const closed = await servers[0].request('PUT', `/users/${user.objectId}`, { master: true, json: { ACL: {} } });
        assert.equal(closed.status, 200, closed.text);
      });
      assert.equal(answer.body.sessionToken, undefined, answer.text);
    });

    test('a new user with the id of a deleted one does not get its sessions', async () => {
      const first = await signUp({ username: 'first of the id', objectId: 'thesameid1' });
      const gone = await servers[0].request('DELETE', `/users/${first.objectId}`, { master: true });
      assert.equal(gone.status, 200, gone.text);
      const second = await signUp({ username: 'second of the id', objectId: 'thesameid1' });
      const me = session => servers.at(-1).request('GET', '/users/me', { session });
      assert.equal((await me(second.sessionToken)).body.username, 'second of the id');
      assert.equal((await me(first.sessionToken)).body.code, 209);
    });

    test('a new user or role with the id of a deleted one does not get its roles', async () => {
      const [server, other] = [servers[0], servers.at(-1)];
      const master = async (method, where, json) => {
        const answer = await server.request(method, where, { master: true, json });
        assert.ok(answer.status < 300, answer.text);
        return answer.body;
      };
      const members = (className, ...ids) => ({ __op: 'AddRelation', objects: ids.map(objectId => ({ __type: 'Pointer', className, objectId })) });
      const first = await signUp({ username: 'first with a role', objectId: 'hadarole01' });
      await master('POST', '/roles', { objectId: 'moderators', name: 'moderators', ACL: {}, users: members('_User', first.objectId) });
      await master('POST', '/roles', { name: 'chiefs', ACL: {}, roles: members('_Role', 'moderators') });
      const { objectId } = await master('POST', '/classes/Chiefly', { ACL: { 'role:chiefs': { read: true } } });
      const reads = async session => (await other.request('GET', `/classes/Chiefly/${objectId}`, { session })).status;
      assert.equal(await reads(first.sessionToken), 200);
      await master('DELETE', `/users/${first.objectId}`);
      const second = await signUp({ username: 'second with the id', objectId: first.objectId });
      assert.equal(await reads(second.sessionToken), 404);
      await master('DELETE', '/roles/moderators');
      const own = { objectId: 'moderators', name: 'own', ACL: {}, users: members('_User', second.objectId) };
      await server.request('POST', '/roles', { session: second.sessionToken, json: own });
      assert.equal(await reads(second.sessionToken), 404);
    });

    const enrol = async username => {
      const user = await signUp({ username });
      const secret = newSecret();
      const json = { authData: { mfa: { secret, token: code(secret, { period: 600 }) } } };
      const enrolled = await servers[0].request('PUT', `/users/${user.objectId}`, { session: user.sessionToken, json });
      assert.equal(enrolled.status, 200, enrolled.text);
      return { ...user, codes: enrolled.body.authDataResponse.mfa.recovery.split(', ') };
    };

    // 2299-ghjr-6vjp, w73w-g5xw-rwhf, 4hf6-3x24-c9m8
    test('adv_2299 adv_w73w adv_4hf6 a recovery code logs in once', async () => {
      const { objectId, codes } = await enrol('mfa');
      assert.equal((await row(objectId))._auth_data_mfa.recovery[0] === codes[0], !hashRecoveryCodes);
      assert.equal((await logIn(servers[0], 'mfa', 'first')).body.code, -1);
      const answers = await race(server => logIn(server, 'mfa', 'first', { mfa: { token: codes[0] } }));
      assert.deepEqual(tally(answers), { 200: 1, '400 141 Invalid MFA token': RACERS - 1 });
      assert.equal((await row(objectId))._auth_data_mfa.recovery.length, 1);
      // both codes at once: the second is good still, and once
      const second = await race((server, index) => logIn(server, 'mfa', 'first', { mfa: { token: codes[index % 4 < 2 ? 1 : 0] } }));
      assert.equal(second.filter(answer => answer.status === 200).length, 1);
      assert.deepEqual((await row(objectId))._auth_data_mfa.recovery, []);
    });

    test('adv_2299 a recovery code lets the second factor be replaced once', async () => {
      const { objectId, sessionToken, codes } = await enrol('replace');
      const answers = await race(server => {
        const secret = newSecret();
        const json = { authData: { mfa: { old: codes[1], secret, token: code(secret, { period: 600 }) } } };
        return server.request('PUT', `/users/${objectId}`, { session: sessionToken, json, timeout: 120_000 });
      });
      const won = answers.filter(answer => answer.status === 200);
      assert.equal(won.length, 1, JSON.stringify(tally(answers)));
      const kept = (await row(objectId))._auth_data_mfa;
      const answer = await logIn(servers[0], 'replace', 'first', { mfa: { token: won[0].body.authDataResponse.mfa.recovery.split(', ')[0] } });
      assert.equal(answer.status, 200, `${answer.text} ${JSON.stringify(kept)}`);
    });

    // jpq4-7fmq-q5fj
    test('adv_jpq4 a code that came by SMS logs in once', async () => {
      const { objectId, sessionToken } = await signUp({ username: 'sms' });
      const mfa = data => servers[0].request('PUT', `/users/${objectId}`, { session: sessionToken, json: { authData: { mfa: { mobile: '+15555555555', ...data } } } });
      const sent = () => gateway.calls.at(-1).json.args[0];
      assert.equal((await mfa()).status, 200);
      assert.equal((await mfa({ token: sent() })).status, 200);
      assert.equal((await logIn(servers[0], 'sms', 'first', { mfa: { token: 'request' } })).body.error, 'Please enter the token');
      const token = sent();
      const answers = await race(server => logIn(server, 'sms', 'first', { mfa: { token } }));
      assert.equal(answers.filter(answer => answer.status === 200).length, 1, JSON.stringify(tally(answers)));
      for (const answer of answers.filter(answer => answer.status !== 200)) assert.equal(answer.body.code, 141, answer.text);
    });

    const identity = id => ({ authData: { corp: { id, access_token: `token-${id}` } } });

    // w73w-g5xw-rwhf, #10149
    test('adv_w73w sign ups with one identity make one user', async () => {
      const answers = await race(server => post(server, '/users', identity('one')));
      const made = answers.filter(answer => answer.status === 201);
      assert.equal(made.length, 1);
      for (const answer of answers) {
        const same = answer.status === 200 && answer.body.objectId === made[0].body.objectId;
        assert.ok(answer.status === 201 || same || answer.body?.code === 208, answer.text);
      }
      const { body } = await servers[0].request('GET', '/users', { master: true, query: { limit: 1000 } });
      assert.equal(body.results.filter(user => user.authData?.corp?.id === 'one').length, 1);
    });

    test('one of many users gets an identity', async () => {
      const users = await Promise.all(Array.from({ length: RACERS }, (_, index) => signUp({ username: `link ${index}` })));
      const answers = await race((server, index) => {
        const { objectId, sessionToken } = users[index];
        return server.request('PUT', `/users/${objectId}`, { session: sessionToken, json: identity('wanted'), timeout: 120_000 });
      });
      assert.deepEqual(tally(answers), { 200: 1, '400 208 this auth is already used': RACERS - 1 });
      const owner = users[answers.findIndex(answer => answer.status === 200)].objectId;
      const logged = await post(servers.at(-1), '/users', identity('wanted'));
      assert.deepEqual([logged.status, logged.body.objectId], [200, owner]);
    });
  });
}

suite(`one server, ${store}`, 1, true);
if (store === 'mongo') suite('two servers on one database', 2, false);
if (store === 'embedded') suite('one server, recovery codes as parse-server has them', 1, false);
