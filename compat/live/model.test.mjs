// A model of live queries: what each caller reads by REST before and after a write says which event it must hear.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { compatDir, store } from '../lib/env.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { LiveClient } from './socket.mjs';

const WRITES = Number(process.env.LIVE_WRITES ?? 150);
const SEED = Number(process.env.LIVE_SEED ?? 1);

/** mulberry32: the same run for the same seed. */
function random(seed) {
  let state = seed;
  return below => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below);
  };
}

const CONDITIONS = [
  {}, { n: { $gt: 4 } }, { n: { $in: [1, 2, 3] } }, { s: { $regex: '^a' } }, { $or: [{ n: 1 }, { s: 'b' }] },
  { s: { $exists: false } }, { l: 2 }, { l: { $all: [1, 2] } }, { n: { $ne: 3 } }, { 'o.x': { $lt: 3 } },
];
const CLASSES = {
  LiveOpen: {},
  LiveHidden: { protectedFields: { '*': ['h'], authenticated: [], 'role:staff': ['n'] } },
  LiveOwned: { find: {}, get: {}, readUserFields: ['owner'] },
  LiveRole: { find: { 'role:staff': true }, get: { 'role:staff': true } },
};

/** Fields of REST as GraphQL takes them. */
function graph(fields) {
  const shown = {};
  for (const [field, value] of Object.entries(fields)) {
    if (field === 'owner') shown.owner = { link: value.objectId };
    else if (field === 'ACL') shown.ACL = graphAcl(value);
    else shown[field] = value?.__op === 'Delete' ? null : value;
  }
  return shown;
}

function graphAcl(acl) {
  const rights = ({ read = false, write = false }) => ({ read, write });
  const all = Object.entries(acl);
  const users = all.filter(([name]) => name !== '*' && !name.startsWith('role:')).map(([userId, one]) => ({ userId, ...rights(one) }));
  const roles = all.filter(([name]) => name.startsWith('role:')).map(([name, one]) => ({ roleName: name.slice(5), ...rights(one) }));
  return { ...(users.length > 0 ? { users } : {}), ...(roles.length > 0 ? { roles } : {}), ...(acl['*'] ? { public: rights(acl['*']) } : {}) };
}

/** The ways to write, as master: each makes an object without an id, deletes one without fields, and gives the id. */
const ways = {
  async rest(server, className, id, fields) {
    const method = !id ? 'POST' : fields ? 'PUT' : 'DELETE';
    const answer = await server.request(method, `/classes/${className}${id ? `/${id}` : ''}`, { master: true, json: fields });
    assert.ok(answer.status < 300, answer.text);
    return id ?? answer.body.objectId;
  },
  async batch(server, className, id, fields) {
    const request = { method: !id ? 'POST' : fields ? 'PUT' : 'DELETE', path: `${server.options.mountPath}/classes/${className}${id ? `/${id}` : ''}`, body: fields };
    const answer = await server.request('POST', '/batch', { master: true, json: { requests: [request] } });
    assert.ok(answer.body[0]?.success, answer.text);
    return id ?? answer.body[0].success.objectId;
  },
  async graphql(server, className, id, fields) {
    const verb = !id ? 'create' : fields ? 'update' : 'delete';
    const name = className[0].toLowerCase() + className.slice(1);
    const type = `${verb[0].toUpperCase()}${verb.slice(1)}${className}Input`;
    const query = `mutation ($input: ${type}!) { ${verb}${className}(input: $input) { ${name} { objectId } } }`;
    const input = { ...(id ? { id } : {}), ...(fields ? { fields: graph(fields) } : {}) };
    const answer = await fetch(`${server.root}/graphql`, {
      method: 'POST', body: JSON.stringify({ query, variables: { input } }),
      headers: { 'Content-Type': 'application/json', 'X-Parse-Application-Id': 'app', 'X-Parse-Master-Key': 'master' },
    });
    const { data, errors } = await answer.json();
    assert.equal(errors, undefined, JSON.stringify(errors));
    return id ?? data[`${verb}${className}`][name].objectId;
  },
  async cloud(server, className, id, fields) {
    const answer = await server.request('POST', '/functions/write', { json: { className, id, fields } });
    assert.equal(answer.status, 200, answer.text);
    return answer.body.result;
  },
};

test('events are what readers read', async t => {
  const database = freshDatabase();
  const options = {
    allowClientClassCreation: true, liveQuery: { classNames: ['Live.*'] }, mountGraphQL: true, cloud: path.join(compatDir, 'live/write.cjs'),
    liveQueryServerOptions: { keyPairs: { masterKey: 'master', clientKey: 'ck' } },
  };
  const servers = [];
  for (let index = 0; index < (store === 'mongo' ? 2 : 1); index += 1) servers.push(await startServer(options, { database }));
  t.after(() => Promise.all(servers.map(server => server.stop())));
  const pick = random(SEED);
  const one = list => list[pick(list.length)];
  const master = (method, where, json) => one(servers).request(method, where, { master: true, json });

  const users = [];
  for (const name of ['ann', 'bob', 'cyd']) {
    const { body } = await servers[0].request('POST', '/users', { json: { username: name, password: 'p' } });
    users.push({ id: body.objectId, session: body.sessionToken });
  }
  const pointer = id => ({ __type: 'Pointer', className: '_User', objectId: id });
  await master('POST', '/roles', { name: 'staff', ACL: {}, users: { __op: 'AddRelation', objects: [pointer(users[0].id)] } });
  const open = { '*': true };
  for (const [className, permissions] of Object.entries(CLASSES)) {
    const classLevelPermissions = { find: open, get: open, count: open, create: open, update: open, delete: open, addField: open, ...permissions };
    const fields = { n: { type: 'Number' }, s: { type: 'String' }, h: { type: 'String' }, l: { type: 'Array' }, o: { type: 'Object' }, owner: { type: 'Pointer', targetClass: '_User' } };
    const made = await master('POST', `/schemas/${className}`, { className, fields, classLevelPermissions });
    assert.equal(made.status, 200, made.text);
  }

  // Callers, each with every condition that REST lets it search by.
  const callers = [{ name: 'nobody' }, ...users.map((user, index) => ({ name: `user ${index}`, session: user.session })), { name: 'master', master: true }];
  const subscriptions = [];
  let requestId = 0;
  for (const caller of callers) {
    const keys = caller.master ? { masterKey: 'master' } : { clientKey: 'ck' };
    caller.client = await LiveClient.connect(one(servers), { ...keys, ...(caller.session ? { sessionToken: caller.session } : {}) });
    t.after(() => caller.client.close());
    for (const className of Object.keys(CLASSES)) {
      for (const where of CONDITIONS) {
        const read = { className, where, requestId: (requestId += 1), caller, expected: [] };
        const found = await reads(read);
        if (found) {
          await caller.client.follow(read.requestId, className, where);
          subscriptions.push(read);
        } else {
          const refused = await caller.client.ask({ op: 'subscribe', requestId: read.requestId, query: { className, where } });
          assert.equal(refused.op, 'error', `${caller.name} ${className} ${JSON.stringify(where)}`);
        }
      }
    }
  }

  /** What a caller reads of an object by a condition: the object, null for none, undefined when it may not search so. */
  async function reads({ className, where, caller }, id) {
    const condition = id ? { $and: [where, { objectId: { $in: [id] } }] } : where;
    const answer = await servers[0].request('GET', `/classes/${className}`, { query: { where: condition }, session: caller.session, master: caller.master });
    if (answer.status !== 200) return undefined;
    return id ? (answer.body.results[0] ?? null) : [];
  }

  const acl = () => {
    const choice = pick(5);
    if (choice === 0) return {};
    if (choice === 1) return { ACL: { '*': { read: true } } };
    if (choice === 2) return { ACL: { [one(users).id]: { read: true, write: true } } };
    if (choice === 3) return { ACL: { 'role:staff': { read: true } } };
    return { ACL: {} };
  };
  const body = () => ({
    ...(pick(2) ? { n: pick(8) } : {}),
    ...(pick(2) ? { s: one(['a', 'ab', 'b', 'c']) } : {}),
    ...(pick(3) === 0 ? { s: { __op: 'Delete' } } : {}),
    ...(pick(3) === 0 ? { l: one([[1], [1, 2], [2, 3], []]) } : {}),
    ...(pick(3) === 0 ? { o: { x: pick(5) } } : {}),
    ...(pick(3) === 0 ? { h: one(['x', 'y']) } : {}),
    ...(pick(3) === 0 ? { owner: pointer(one(users).id) } : {}),
    ...(pick(2) ? acl() : {}),
  });

  const shown = object => {
    if (!object) return object;
    const { className, ...rest } = object;
    return rest;
  };
  const objects = [];
  let told = 0;
  for (let write = 0; write < WRITES; write += 1) {
    const existing = objects.length > 0 && pick(4) > 0 ? one(objects) : undefined;
    const className = existing?.className ?? one(Object.keys(CLASSES));
    const concerned = subscriptions.filter(subscription => subscription.className === className);
    const was = existing ? await Promise.all(concerned.map(subscription => reads(subscription, existing.id))) : concerned.map(() => null);
    let id = existing?.id;
    const [server, way] = [one(servers), one(Object.values(ways))];
    if (existing && pick(6) === 0) {
      await way(server, className, id);
      objects.splice(objects.indexOf(existing), 1);
    } else if (existing) {
      const fields = body();
      // The SDK sends nothing then.
      await (Object.keys(fields).length > 0 ? way : ways.rest)(server, className, id, fields);
    } else {
      const { s, ...rest } = body();
      id = await way(server, className, undefined, { ...rest, ...(typeof s === 'string' ? { s } : {}) });
      objects.push({ className, id });
    }
    const gone = existing !== undefined && !objects.includes(existing);
    const is = gone ? concerned.map(() => null) : await Promise.all(concerned.map(subscription => reads(subscription, id)));
    concerned.forEach((subscription, index) => {
      const [before, after] = [was[index], is[index]];
      const op = !before && !after ? null : !existing ? 'create' : gone ? 'delete' : !before ? 'enter' : !after ? 'leave' : 'update';
      if (op) subscription.expected.push({ op, object: op === 'leave' ? undefined : (after ?? before), write });
    });
  }
  for (const { caller, requestId: id, className, where, expected } of subscriptions) {
    const events = await caller.client.have(id, expected.length);
    const what = `${caller.name} ${className} ${JSON.stringify(where)} seed ${SEED}`;
    assert.deepEqual(events.map(event => event.op), expected.map(event => event.op), what);
    events.forEach((event, index) => {
      if (expected[index].object) assert.deepEqual(shown(event.object), shown(expected[index].object), `${what} write ${expected[index].write}`);
    });
    told += events.length;
  }
  assert.ok(told > WRITES, `${told} events`);
  t.diagnostic(`${told} events to ${subscriptions.length} subscriptions`);
});
