// Section C: permissions of reads, on every way to an object.
import { everybody, open, pointer } from '../lib.mjs';

const PROTECTED = { ...open, protectedFields: { '*': ['secret'] } };
const INTERNAL = ['_hashed_password', '_email_verify_token', '_perishable_token', '_failed_login_count', '_account_lockout_expires_at', '_password_history', '_session_token'];

const noSecret = (t, answer, what) => t.must(!answer.text.includes('canary'), `${what}: ${answer.text.slice(0, 200)}`);

export default [
  {
    id: 'h4mf-75hf-67w4', cve: 'CVE-2020-5251', title: 'a pattern or an object counts as session token',
    async run(t) {
      const user = await t.signUp();
      for (const token of [{ $regex: '.*' }, { $ne: null }, { $gt: '' }, ['x'], true, 1]) {
        const answer = await t.request('POST', '/users/me', { headers: { 'Content-Type': 'text/plain', 'X-Parse-Application-Id': null }, raw: JSON.stringify({ _method: 'GET', _ApplicationId: t.keys.app, _SessionToken: token }) });
        t.must(!answer.text.includes(user.id) && answer.status !== 200, `${JSON.stringify(token)}: ${answer.text.slice(0, 120)}`);
      }
    },
  },
  {
    id: '2m6g-crv8-p3c6', cve: 'CVE-2022-36079', title: 'internal and protected fields can be searched for',
    async run(t) {
      const user = await t.signUp();
      for (const key of INTERNAL) {
        for (const constraint of [{ $regex: '^.' }, { $exists: true }, { $ne: 'x' }]) {
          const answer = await t.get('/users', { query: { where: { [key]: constraint } }, as: user.token });
          t.must(t.refused(answer) || (answer.body?.results ?? []).length === 0, `${key} ${JSON.stringify(constraint)}: ${answer.text.slice(0, 120)}`);
        }
      }
      const name = t.name('Protected');
      await t.makeClass(name, { secret: { type: 'String' } }, PROTECTED);
      await t.make(name, { secret: 'canary', ACL: everybody });
      for (const query of [{ where: { secret: 'canary' } }, { where: { secret: { $regex: '^c' } } }, { order: 'secret' }, { where: { secret: 'canary' }, count: 1, limit: 0 }]) {
        const answer = await t.get(`/classes/${name}`, { query });
        t.must(t.refused(answer), `${JSON.stringify(query)}: ${answer.status} ${answer.text.slice(0, 120)}`);
      }
    },
  },
  {
    id: '72hp-qff8-4pvv', title: 'protected fields can be searched for inside of $or, $and, $nor',
    async run(t) {
      const name = t.name('Protected');
      await t.makeClass(name, { secret: { type: 'String' } }, PROTECTED);
      await t.make(name, { secret: 'canary', ACL: everybody });
      for (const where of [{ $or: [{ secret: 'canary' }, { x: 1 }] }, { $and: [{ secret: 'canary' }] }, { $nor: [{ secret: 'other' }] }, { $or: [{ $and: [{ secret: 'canary' }] }] }]) {
        const answer = await t.get(`/classes/${name}`, { query: { where } });
        t.must(t.refused(answer), `${JSON.stringify(where)}: ${answer.status} ${answer.text.slice(0, 120)}`);
      }
    },
  },
  {
    id: 'r2m8-pxm9-9c4g', cve: 'CVE-2026-31872', title: 'protected fields can be searched for and sorted by with a dot',
    async run(t) {
      const name = t.name('Protected');
      await t.makeClass(name, { secret: { type: 'Object' } }, PROTECTED);
      await t.make(name, { secret: { a: 'canary' }, ACL: everybody });
      for (const query of [{ where: { 'secret.a': 'canary' } }, { order: 'secret.a' }, { order: '-secret.a' }, { where: { $or: [{ 'secret.a': 'canary' }] } }]) {
        const answer = await t.get(`/classes/${name}`, { query });
        t.must(t.refused(answer), `${JSON.stringify(query)}: ${answer.status} ${answer.text.slice(0, 120)}`);
      }
    },
  },
  {
    id: 'mmg8-87c5-jrc2', cve: 'CVE-2026-34595', title: 'an object that looks like a list hides a condition',
    async run(t) {
      const name = t.name('Protected');
      await t.makeClass(name, { secret: { type: 'String' } }, PROTECTED);
      await t.make(name, { secret: 'canary', ACL: everybody });
      for (const operator of ['$or', '$and', '$nor']) {
        const answer = await t.get(`/classes/${name}`, { query: { where: { [operator]: { 0: { secret: 'canary' }, length: 1 } } } });
        t.must(t.refused(answer) || answer.status >= 500 || (answer.body?.results ?? []).length === 0, `${operator}: ${answer.text.slice(0, 120)}`);
        t.must(answer.status < 500, `${operator} gives ${answer.status}`);
      }
    },
  },
  {
    id: '37mj-c2wf-cx96', title: '/users/me shows what its class hides', config: 'mfa',
    async run(t) {
      const user = await t.signUp();
      const changed = await t.put(`/users/${user.id}`, { authData: { mfa: { secret: 'canarycanarycanary' } } }, { as: 'master' });
      const me = await t.get('/users/me', { as: user.token });
      t.needs(me.status === 200, `${me.text}; ${changed.text}`);
      noSecret(t, me, '/users/me');
      for (const hidden of ['_hashed_password', 'password', '_rperm']) t.must(!me.text.includes(`"${hidden}"`), me.text);
    },
  },
  {
    id: 'wp76-gg32-8258', cve: 'CVE-2026-34215', title: '/verifyPassword shows identities and hashes',
    async run(t) {
      const user = await t.signUp();
      for (const method of ['GET', 'POST']) {
        const parameters = { username: user.username, password: user.password };
        const answer = await t.request(method, '/verifyPassword', method === 'GET' ? { query: parameters } : { body: parameters });
        for (const hidden of ['_hashed_password', '"password"', '_rperm', 'sessionToken']) t.must(!answer.text.includes(hidden), `${method}: ${answer.text}`);
      }
    },
  },
  {
    id: '75v4-m273-5j49', title: '/login and /verifyPassword show a user that its class hides',
    async run(t) {
      const user = await t.signUp({ secret: 'canary' });
      const clp = await t.put('/schemas/_User', { classLevelPermissions: { ...open, get: {}, find: {}, protectedFields: { '*': ['email'] } } }, { as: 'master' });
      t.needs(clp.status === 200, clp.text);
      try {
        for (const path of ['/login', '/verifyPassword']) {
          const answer = await t.post(path, { username: user.username, password: user.password });
          noSecret(t, answer, path);
        }
      } finally {
        await t.put('/schemas/_User', { classLevelPermissions: { ...open, protectedFields: { '*': ['email'] } } }, { as: 'master' });
      }
    },
  },
  {
    id: 'g4v2-qx3q-4p64', cve: 'CVE-2026-39381', title: '/sessions/me shows protected fields',
    async run(t) {
      const user = await t.signUp();
      const clp = await t.put('/schemas/_Session', { classLevelPermissions: { ...open, protectedFields: { '*': ['createdWith'] } } }, { as: 'master' });
      t.needs(clp.status === 200, clp.text);
      try {
        const [me, found] = [await t.get('/sessions/me', { as: user.token }), await t.get('/sessions', { as: user.token })];
        t.needs(found.status === 200, found.text);
        t.must(!me.text.includes('createdWith'), me.text);
      } finally {
        await t.put('/schemas/_Session', { classLevelPermissions: { ...open, protectedFields: {} } }, { as: 'master' });
      }
    },
  },
  {
    id: 'wmwx-jr2p-4j4r', cve: 'CVE-2026-53726', title: '$relatedTo shows relations of objects that cannot be read',
    async run(t) {
      const [owner, member] = [t.name('Owner'), t.name('Member')];
      const memberId = await t.make(member, { n: 1, ACL: everybody });
      const relation = { __op: 'AddRelation', objects: [pointer(member, memberId)] };
      const hidden = await t.make(owner, { members: relation, ACL: {} });
      const where = { $relatedTo: { object: pointer(owner, hidden), key: 'members' } };
      const answer = await t.get(`/classes/${member}`, { query: { where } });
      t.must((answer.body?.results ?? []).length === 0, `of a hidden owner: ${answer.text.slice(0, 150)}`);
      const clp = await t.put(`/schemas/${owner}`, { classLevelPermissions: { ...open, protectedFields: { '*': ['members'] } } }, { as: 'master' });
      t.needs(clp.status === 200, clp.text);
      const shown = await t.make(owner, { members: relation, ACL: everybody });
      const other = await t.get(`/classes/${member}`, { query: { where: { $relatedTo: { object: pointer(owner, shown), key: 'members' } } } });
      t.must(t.refused(other) || (other.body?.results ?? []).length === 0, `by a protected field: ${other.text.slice(0, 150)}`);
    },
  },
  {
    id: 'rmhf-xv62-rm99', title: 'the number of related objects tells relations that cannot be read',
    async run(t) {
      const [owner, member] = [t.name('Owner'), t.name('Member')];
      const memberId = await t.make(member, { n: 1, ACL: everybody });
      const hidden = await t.make(owner, { members: { __op: 'AddRelation', objects: [pointer(member, memberId)] }, ACL: {} });
      const where = { $relatedTo: { object: pointer(owner, hidden), key: 'members' } };
      const answer = await t.get(`/classes/${member}`, { query: { where, count: 1, limit: 0 } });
      t.must(t.refused(answer) || answer.body?.count === 0, answer.text);
    },
  },
  {
    id: 'fcv6-fg5r-jm9q', cve: 'CVE-2023-41058', title: 'include reaches classes that a client may not read',
    async run(t) {
      const user = await t.signUp();
      const sessions = await t.get('/sessions', { as: 'master', query: { limit: 1 } });
      const session = sessions.body?.results?.[0];
      t.needs(session?.objectId, sessions.text);
      const name = t.name('Includer');
      const made = await t.post(`/classes/${name}`, { s: pointer('_Session', session.objectId), ACL: everybody }, { as: user.token });
      const answer = await t.get(`/classes/${name}`, { query: { include: 's' } });
      t.must(!answer.text.includes('r:') && !answer.text.includes('createdWith'), `${made.status}: ${answer.text.slice(0, 200)}`);
    },
  },
  {
    id: '6r2j-cxgf-495f', title: 'redirectClassNameForKey leads to another class without its permissions',
    async run(t) {
      const name = t.name('Redirect');
      await t.makeClass(name, { s: { type: 'Pointer', targetClass: '_Session' } });
      await t.signUp();
      const answer = await t.get(`/classes/${name}`, { query: { redirectClassNameForKey: 's' } });
      t.must(!answer.text.includes('"sessionToken"'), answer.text.slice(0, 200));
      const closed = t.name('Shut');
      await t.makeClass(closed, { canary: { type: 'String' } }, { find: {}, get: {}, count: {}, create: {}, update: {}, delete: {}, addField: {} });
      await t.make(closed, { canary: 'canary', ACL: everybody });
      const way = t.name('Way');
      await t.makeClass(way, { p: { type: 'Pointer', targetClass: closed } });
      noSecret(t, await t.get(`/classes/${way}`, { query: { redirectClassNameForKey: 'p' } }), 'a closed class');
    },
  },
  {
    id: '5f92-jrq3-28rc', title: 'a client writes itself into a role through _Join',
    async run(t) {
      const user = await t.signUp();
      const role = await t.post('/roles', { name: t.name('role'), ACL: { '*': { read: true } } }, { as: 'master' });
      t.needs(role.status === 201, role.text);
      for (const path of ['/classes/_Join:users:_Role', '/classes/_join:users:_role', '/classes/%5FJoin:users:_Role']) {
        const answer = await t.post(path, { owningId: role.body.objectId, relatedId: user.id }, { as: user.token });
        t.must(answer.status >= 400, `${path}: ${answer.status} ${answer.text}`);
        const found = await t.get(path, { as: user.token });
        t.must(t.refused(found) || (found.body?.results ?? []).length === 0, `${path} can be read: ${found.text.slice(0, 100)}`);
      }
      const batch = await t.post('/batch', { requests: [{ method: 'POST', path: '/parse/classes/_Join:users:_Role', body: { owningId: role.body.objectId, relatedId: user.id } }] }, { as: user.token });
      t.must(!batch.text.includes('"success"'), `in a batch: ${batch.text}`);
    },
  },
  {
    id: '7xg7-rqf6-pw6c', title: 'internal classes can be reached by the general routes',
    async run(t) {
      const user = await t.signUp();
      for (const name of ['_GraphQLConfig', '_Audience', '_GlobalConfig', '_Hooks', '_JobStatus', '_PushStatus', '_JobSchedule', '_Idempotency', '_SCHEMA']) {
        for (const [method, path, body] of [['GET', `/classes/${name}`], ['POST', `/classes/${name}`, { a: 1 }], ['PUT', `/classes/${name}/x`, { a: 1 }], ['DELETE', `/classes/${name}/x`]]) {
          const answer = await t.request(method, path, { body, as: user.token });
          t.must(answer.status >= 400 || answer.text === '{"results":[]}', `${method} ${path}: ${answer.status} ${answer.text.slice(0, 100)}`);
        }
      }
    },
  },
  {
    id: '2479-qvv7-47qq', cve: 'CVE-2019-1020012', title: 'a write to a class that lives in memory breaks the server',
    async run(t) {
      for (const name of ['_JobStatus', '_PushStatus', '_Hooks', '_GlobalConfig', '_JobSchedule', '_Audience']) {
        await t.post(`/classes/${name}`, { a: 1 });
      }
      t.must(await t.alive(), 'the server is gone');
      const user = await t.signUp();
      t.must(Boolean(user.id), 'nobody can sign up any more');
    },
  },
  {
    id: '8xq9-g7ch-35hg', cve: 'CVE-2024-47183', title: 'a user whose id is the name of a role has its rights', config: 'custom',
    async run(t) {
      for (const objectId of ['role:admins', '*', 'role:']) {
        const answer = await t.post('/users', { objectId, username: t.name('poison'), password: 'p' });
        t.must(t.refused(answer), `${objectId}: ${answer.status} ${answer.text}`);
      }
    },
  },
];
