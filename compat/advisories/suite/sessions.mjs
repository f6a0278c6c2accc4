// Section E: sessions, tokens, races, values that the server alone sets, names that walk a prototype chain.
import { everybody, open } from '../lib.mjs';

const OPERATORS = [{ $ne: null }, { $regex: '.*' }, { $gt: '' }, { $exists: true }, { $in: [''] }];
const times = (n, run) => Promise.all(Array.from({ length: n }, (_, i) => run(i)));
const session = async (t, user) => (await t.get('/sessions/me', { as: user.token })).body ?? {};

export default [
  {
    id: '23r4-5mxp-c7g5', cve: 'CVE-2021-39138', title: 'the session of an anonymous user says that a password was checked',
    async run(t) {
      const made = await t.post('/users', { authData: { anonymous: { id: t.name('anonymous') } } });
      t.needs(made.status === 201, made.text);
      const own = await session(t, { token: made.body.sessionToken });
      t.must(own.createdWith?.authProvider === 'anonymous', JSON.stringify(own.createdWith));
    },
  },
  {
    id: '6w4q-23cf-j9jp', cve: 'CVE-2022-39225', title: 'a user changes the session of somebody else',
    async run(t) {
      const [one, other] = [await t.signUp(), await t.signUp()];
      const { objectId } = await session(t, one);
      for (const body of [{ a: 1 }, { user: { __type: 'Pointer', className: '_User', objectId: other.id } }, { expiresAt: { __type: 'Date', iso: '2099-01-01T00:00:00.000Z' } }]) {
        const answer = await t.put(`/sessions/${objectId}`, body, { as: other.token });
        t.must(t.refused(answer), `${answer.status} ${answer.text}`);
      }
      const answer = await t.put(`/sessions/${objectId}`, { a: 1 });
      t.must(t.refused(answer), `anybody: ${answer.status} ${answer.text}`);
    },
  },
  {
    id: '5v7g-9h8f-8pgg', title: 'a client chooses the fields of a new session that the server alone sets',
    async run(t) {
      const [user, other] = [await t.signUp(), await t.signUp()];
      const sent = {
        sessionToken: 'r:chosen', expiresAt: { __type: 'Date', iso: '2099-01-01T00:00:00.000Z' }, createdWith: { action: 'chosen' },
        user: { __type: 'Pointer', className: '_User', objectId: other.id },
      };
      const made = await t.post('/sessions', sent, { as: user.token });
      if (t.refused(made)) return;
      const body = made.body ?? {};
      t.must(body.sessionToken !== 'r:chosen' && body.createdWith?.action !== 'chosen' && !JSON.stringify(body.expiresAt ?? '').includes('2099'), made.text);
      t.must((body.user?.objectId ?? user.id) === user.id, made.text);
      const foreign = await t.get('/users/me', { as: 'r:chosen' });
      t.must(foreign.status !== 200, 'the chosen token is good');
    },
  },
  {
    id: 'jc39-686j-wp6q', title: 'an update overwrites the fields of a session that the server alone sets',
    async run(t) {
      const user = await t.signUp();
      const before = await session(t, user);
      for (const [field, value] of [['sessionToken', 'r:other'], ['expiresAt', { __type: 'Date', iso: '2099-01-01T00:00:00.000Z' }], ['createdWith', { action: 'x' }], ['createdWith.action', 'x'], ['user', { __type: 'Pointer', className: '_User', objectId: 'aaaaaaaaaa' }]]) {
        await t.put(`/sessions/${before.objectId}`, { [field]: value }, { as: user.token });
        const after = await session(t, user);
        for (const fixed of ['sessionToken', 'expiresAt', 'createdWith', 'user']) {
          t.must(JSON.stringify(after[fixed]) === JSON.stringify(before[fixed]), `${field} changes ${fixed} to ${JSON.stringify(after[fixed])}`);
        }
      }
    },
  },
  {
    id: 'f6j3-w9v3-cq22', cve: 'CVE-2026-34574', title: 'null and other false values get past the check of fixed fields',
    async run(t) {
      const user = await t.signUp();
      const before = await session(t, user);
      for (const field of ['sessionToken', 'expiresAt', 'createdWith', 'user']) {
        for (const value of [null, 0, '', false, {}, [], { __op: 'Delete' }, { __op: 'Increment', amount: 1 }]) {
          await t.put(`/sessions/${before.objectId}`, { [field]: value }, { as: user.token });
          const after = await session(t, user);
          t.must(JSON.stringify(after[field]) === JSON.stringify(before[field]), `${field}: ${JSON.stringify(value)} makes it ${JSON.stringify(after[field])}`);
        }
      }
    },
  },
  {
    id: 'r3xq-68wh-gwvh', title: 'a token to reset a password can be used twice at once', config: 'mail',
    async run(t) {
      const email = `${t.name('reset')}@example.com`;
      await t.signUp({ email });
      await t.post('/requestPasswordReset', { email });
      let token;
      for (let i = 0; i < 60 && !token; i++) {
        const mails = t.helper.mails.filter(({ kind, mail }) => kind !== 'sendVerificationEmail' && JSON.stringify(mail).includes(email) && /reset/i.test(JSON.stringify(mail)));
        token = /token=([A-Za-z0-9]+)/.exec(JSON.stringify(mails.at(-1) ?? ''))?.[1];
        if (!token) await new Promise(resolve => setTimeout(resolve, 50));
      }
      t.needs(token, 'no mail came');
      const reset = i => t.request('POST', `/apps/${t.keys.app}/request_password_reset`, {
        raw: new URLSearchParams({ token, new_password: `new${i}`, username: '' }).toString(),
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'X-Requested-With': 'XMLHttpRequest' },
      });
      const answers = await times(30, reset);
      const good = answers.filter(answer => answer.status === 200).length;
      t.must(good <= 1, `${good} of 30 succeeded`);
    },
  },
  {
    id: 'vgjh-hmwf-c588', title: 'an operator counts as a token to reset or verify', config: 'mail',
    async run(t) {
      const email = `${t.name('token')}@example.com`;
      const user = await t.signUp({ email });
      await t.post('/requestPasswordReset', { email });
      for (const token of OPERATORS) {
        const answer = await t.post(`/apps/${t.keys.app}/request_password_reset`, { token, new_password: 'stolen' }, { headers: { 'X-Requested-With': 'XMLHttpRequest' } });
        t.must(answer.status < 500, `${JSON.stringify(token)} gives ${answer.status}`);
        await t.post('/requestPasswordReset', { token });
        await t.get(`/apps/${t.keys.app}/verify_email?token[$regex]=.*`);
      }
      const login = await t.post('/login', { username: user.username, password: 'stolen' });
      t.must(login.status !== 200, 'the password was set');
      const row = await t.get(`/users/${user.id}`, { as: 'master' });
      t.must(row.body?.emailVerified !== true, 'the address was verified');
    },
  },
  {
    id: '5fw2-8jcv-xh87', title: 'an operator counts as the id of an identity',
    async run(t) {
      await t.post('/users', { authData: { anonymous: { id: t.name('victim') } } });
      for (const id of OPERATORS) {
        const answer = await t.post('/users', { authData: { anonymous: { id } } });
        t.must(answer.status >= 400 && !answer.body?.sessionToken, `${JSON.stringify(id)}: ${answer.status} ${answer.text}`);
        t.must(answer.status < 500, `${JSON.stringify(id)} gives ${answer.status}`);
      }
    },
  },
  {
    id: 'cc6h-c8m4-hgrx', title: 'an operator as deviceToken deletes installations',
    async run(t) {
      const first = await t.post('/installations', { deviceType: 'ios', deviceToken: t.name('aabb'), installationId: t.name('i') });
      t.needs(first.status === 201, first.text);
      for (const deviceToken of OPERATORS) {
        await t.post('/installations', { deviceType: 'ios', deviceToken, installationId: t.name('i') });
      }
      const still = await t.get(`/installations/${first.body.objectId}`, { as: 'master' });
      t.must(still.status === 200, 'the installation of somebody else is gone');
    },
  },
  {
    id: 'wjqw-r9x4-j59v', title: 'empty authData stands for name and password',
    async run(t) {
      for (const authData of [{}, null, [], { anonymous: null }, { anonymous: {} }, { anonymous: { id: '' } }, { anonymous: { id: null } }, { nothing: null }]) {
        const answer = await t.post('/users', { authData });
        t.must(answer.status >= 400 && !answer.body?.sessionToken, `${JSON.stringify(authData)}: ${answer.status} ${answer.text}`);
        t.must(answer.status < 500, `${JSON.stringify(authData)} gives ${answer.status}`);
      }
    },
  },
  {
    id: '9ccr-fpp6-78qf', title: 'a request poisons the schema of others',
    async run(t) {
      const name = t.name('Poison');
      await t.request('POST', `/classes/${name}`, { raw: '{"a":1,"__proto__":{"polluted":{"type":"String"}},"constructor":{"prototype":{"polluted":1}}}', headers: { 'Content-Type': 'application/json' } });
      await t.request('POST', `/schemas/${t.name('Poison')}`, { raw: '{"fields":{"__proto__":{"type":"String"},"constructor":{"type":"String"}}}', headers: { 'Content-Type': 'application/json' }, as: 'master' });
      const other = t.name('Clean');
      await t.makeClass(other, { a: { type: 'Number' } });
      const schema = await t.get(`/schemas/${other}`, { as: 'master' });
      t.must(!schema.text.includes('polluted'), schema.text);
    },
  },
  {
    id: 'p6h4-93qp-jhcm', cve: 'CVE-2022-24760', title: 'a key pollutes the prototype and runs code',
    async run(t) {
      const name = t.name('Pollution');
      for (const raw of ['{"__proto__":{"canaryField":1}}', '{"a":{"__proto__":{"canaryField":1}}}', '{"constructor":{"prototype":{"canaryField":1}}}', '{"a":[{"constructor":{"prototype":{"canaryField":1}}}]}', '{"__proto__.canaryField":1}', '{"a.__proto__.canaryField":1}']) {
        const answer = await t.request('POST', `/classes/${name}`, { raw, headers: { 'Content-Type': 'application/json' } });
        t.must(answer.status < 500, `${raw} gives ${answer.status}`);
      }
      const id = await t.make(name, { clean: true, ACL: everybody });
      const row = await t.get(`/classes/${name}/${id}`);
      t.must(!row.text.includes('canaryField'), row.text);
      t.must(await t.alive(), 'the server is gone');
    },
  },
  {
    id: '462x-c3jw-7vr6', cve: 'CVE-2023-36475', title: 'values with _bsontype reach the database driver',
    async run(t) {
      const name = t.name('Bson');
      for (const body of [{ a: { _bsontype: 'Code', code: 'delete Object.prototype.evalFunctions' } }, { _bsontype: 'Code', code: 'x' }, { a: [{ b: { _bsontype: 'Code' } }] }]) {
        const answer = await t.post(`/classes/${name}`, body);
        t.must(t.refused(answer) && /_bsontype|Prohibited/i.test(answer.text), `${JSON.stringify(body)}: ${answer.status} ${answer.text}`);
      }
    },
  },
  {
    id: 'q342-9w2p-57fp', cve: 'CVE-2026-30938', title: 'the list of denied keywords ends at a nested value',
    async run(t) {
      const name = t.name('Denied');
      for (const body of [{ a: { b: { c: { _bsontype: 'Code' } } } }, { a: [1, { _bsontype: 'Code' }] }, { a: {}, b: { _bsontype: 'Code' } }, { a: { x: 1 }, c: [{ d: { e: [{ constructor: 'y' }] } }] }]) {
        const answer = await t.post(`/classes/${name}`, body);
        t.must(t.refused(answer), `${JSON.stringify(body)}: ${answer.status} ${answer.text}`);
      }
    },
  },
  {
    id: 'prm5-8g2m-24gg', title: 'the address of a request pollutes the prototype',
    async run(t) {
      const name = t.name('Query');
      await t.make(name, { a: 1, ACL: everybody });
      for (const path of [`/classes/${name}?__proto__[polluted]=1`, `/classes/${name}?where={"__proto__":{"polluted":1}}`, '/classes/__proto__', '/classes/constructor/prototype', '/schemas/__proto__']) {
        const answer = await t.get(encodeURI(path));
        t.must(answer.status !== 0, `${path} is not answered`);
      }
      const id = await t.make(name, { clean: true, ACL: everybody });
      const row = await t.get(`/classes/${name}/${id}`);
      t.must(!row.text.includes('polluted'), row.text);
      t.must(await t.alive(), 'the server is gone');
    },
  },
  {
    id: '6hh7-46r2-vf29', cve: 'CVE-2024-29027', title: 'the name of a function walks the prototype chain and ends the server',
    async run(t) {
      for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf', 'f.prototype.constructor', 'isPrototypeOf']) {
        const answer = await t.post(`/functions/${encodeURIComponent(name)}`, {});
        t.must(answer.status >= 400 && answer.status < 500, `${name}: ${answer.status} ${answer.text.slice(0, 100)}`);
      }
      t.must(await t.alive(), 'the server is gone');
    },
  },
  {
    id: '5j86-7r7m-p8h6', title: 'the name of a job walks the prototype chain',
    async run(t) {
      for (const name of ['constructor', 'toString', '__proto__', 'a.constructor']) {
        const answer = await t.post(`/jobs/${encodeURIComponent(name)}`, {}, { as: 'master' });
        t.must(answer.status >= 400 && answer.status < 500, `${name}: ${answer.status} ${answer.text.slice(0, 100)}`);
      }
      t.must(await t.alive(), 'the server is gone');
    },
  },
  {
    id: '2299-ghjr-6vjp', title: 'an identity that is good once is used by many at once', config: 'base',
    async run(t) {
      const id = t.name('once');
      const answers = await times(30, () => t.post('/users', { authData: { anonymous: { id } } }));
      const made = answers.filter(answer => answer.status === 201).length;
      t.must(made <= 1, `${made} users were made with one identity`);
    },
  },
  {
    id: 'no-ghsa-10149', title: 'two users with one name, made at the same time',
    async run(t) {
      const username = t.name('same');
      const answers = await times(40, () => t.post('/users', { username, password: 'p' }));
      t.must(answers.filter(answer => answer.status === 201).length === 1, `${answers.filter(answer => answer.status === 201).length} were made`);
    },
  },
  {
    id: 'no-ghsa-10266', title: 'failed log ins at the same time get past the lock', config: 'lockout',
    async run(t) {
      const user = await t.signUp();
      const answers = await times(30, () => t.post('/login', { username: user.username, password: 'wrong' }));
      const unlocked = answers.filter(answer => !/locked/i.test(answer.text)).length;
      t.must(unlocked <= 3, `${unlocked} guesses of 30 were judged with a threshold of 3`);
      const right = await t.post('/login', { username: user.username, password: user.password });
      t.must(right.status !== 200, 'the account is not locked');
    },
  },
  {
    id: 'no-ghsa-verified', title: 'an address counts as verified because an identity was named', config: 'mail',
    async run(t) {
      const email = `${t.name('own')}@example.com`;
      const user = await t.signUp({ email });
      const target = `${t.name('ceo')}@victim.example`;
      for (const authData of [{ nosuchthing: null }, { anonymous: null, other: null }]) {
        await t.put(`/users/${user.id}`, { email: target, authData }, { as: user.token });
        const row = await t.get(`/users/${user.id}`, { as: 'master' });
        t.must(!(row.body?.email === target && row.body?.emailVerified === true), `${target} counts as verified`);
      }
      t.must(open.find['*'], '');
    },
  },
];
