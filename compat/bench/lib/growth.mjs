// How cost grows: with clients, with objects in a class, with classes in the schema, with roles of a user.
import { MongoClient } from 'mongodb';
import { load } from './load.mjs';
import { measure, medians } from './measure.mjs';
import { machine } from './options.mjs';
import { figure, markdown, progress } from './report.mjs';
import { contender, floorOn, stopAll } from './run-table.mjs';
import { scenarioNamed } from './scenarios.mjs';
import { addRole, createAll, item, PASSWORD, PER_GROUP, pooled, seed, sizes } from './seed.mjs';
import { binary, contestants, dropDatabase, mongodFacts, prepare, send, start } from './servers.mjs';
import { memoryOf, versions } from './versions.mjs';

const defaults = {
  clients: [1, 10, 100, 1000],
  objects: [1_000, 10_000, 100_000, 1_000_000],
  classes: [10, 100, 1000],
  roles: [1, 10, 100],
  size: sizes.full,
};

/** Measures scenarios on contestants in turns; adds to `rows`, which has an entry for each scenario and contestant. */
async function inTurns(rows, step, contenders, names, options) {
  for (let round = 0; round < options.rounds; round += 1) {
    for (const name of names) {
      const scenario = scenarioNamed(name);
      for (const contestant of contenders) {
        progress(`${step.what} ${step.value}: ${scenario.title}: ${contestants[contestant.which]}`);
        const { sample: _, ...figures } = await measure(contestant, scenario, { ...options, ...step.options });
        const key = `${name}/${contestant.which}/${step.value}`;
        (rows[key] ??= { scenario: name, which: contestant.which, value: step.value, rounds: [] }).rounds.push(figures);
      }
    }
  }
}

async function byClients(options) {
  const contenders = [];
  const rows = {};
  try {
    for (const which of options.servers.filter(name => name !== 'floor')) contenders.push(await contender(which, options));
    const own = contenders.find(({ which }) => which === 'mongo');
    if (own && options.servers.includes('floor')) contenders.push(floorOn(own));
    for (const clients of options.clients) {
      await inTurns(rows, { what: 'clients', value: clients, options: { connections: clients } }, contenders, ['get', 'equality', 'create'], options);
    }
  } finally {
    await stopAll(contenders);
  }
  return Object.values(rows);
}

const idOf = n => `o${n.toString(36).padStart(9, '0')}`;

/** Rows as the servers store them, inserted directly into the database: only their number matters here. */
async function fillMongo(uri, from, to) {
  const client = await new MongoClient(uri).connect();
  try {
    const rows = client.db().collection('Item');
    const { _id, ...pattern } = await rows.findOne();
    void _id;
    for (let at = from; at < to; at += 5000) {
      const part = Array.from({ length: Math.min(5000, to - at) }, (_, index) => {
        const n = at + index;
        return { _id: idOf(n), ...pattern, title: `Item ${n}`, score: n, group: `g${Math.floor(n / PER_GROUP)}` };
      });
      await rows.insertMany(part, { ordered: false, writeConcern: { w: 1 } });
    }
  } finally {
    await client.close();
  }
}

async function fillThroughApi(server, lists, from, to) {
  let ids = [];
  for (let at = from; at < to; at += 10_000) {
    const author = lists.authors[0].id;
    const objects = Array.from({ length: Math.min(10_000, to - at) }, (_, index) => item(at + index, author));
    ids = ids.concat(await createAll(server, 'Item', objects));
  }
  return ids;
}

/** Lists over `total` objects: every tenth of a per cent of them, or all. */
function listsOver(lists, total, added) {
  const every = Math.max(1, Math.floor(total / 10_000));
  const numbers = Array.from({ length: Math.floor(total / every) }, (_, index) => index * every);
  const idAt = n => (n < lists.items.length ? lists.items[n].id : added(n));
  return {
    ...lists,
    items: numbers.map(n => ({ id: idAt(n), title: `Item ${n}` })),
    groups: numbers.map(n => ({ name: `g${Math.floor(n / PER_GROUP)}` })),
    scores: numbers.filter(n => n <= total - 100).map(n => ({ from: String(n), title: `Item ${n}` })),
  };
}

async function byObjects(options) {
  const rows = {};
  const contenders = [];
  const size = { ...options.size, groups: options.objects[0] / PER_GROUP };
  try {
    // parse-server and reparse work on one database here: half as much to fill
    const mongo = await contender('mongo', { ...options, size });
    contenders.push(mongo);
    if (options.servers.includes('parse-server')) {
      const server = await start('parse-server', { database: mongo.server.database });
      contenders.unshift({ which: 'parse-server', server, lists: mongo.lists, usesMongo: true });
    }
    if (options.servers.includes('embedded')) contenders.push(await contender('embedded', { ...options, size }));
    if (options.servers.includes('floor')) contenders.push(floorOn(mongo));
    const first = new Map(contenders.map(contestant => [contestant, contestant.lists]));
    let added = [];
    let filled = options.objects[0];
    for (const total of options.objects) {
      if (total > filled) {
        progress(`filling up to ${total} objects`);
        await fillMongo(mongo.server.database, filled, total);
        const embedded = contenders.find(({ which }) => which === 'embedded');
        if (embedded) added = added.concat(await fillThroughApi(embedded.server, first.get(embedded), filled, total));
        filled = total;
      }
      for (const contestant of contenders) {
        const stored = n => (contestant.which === 'embedded' ? added[n - options.objects[0]] : idOf(n));
        contestant.lists = listsOver(first.get(contestant), total, stored);
      }
      const names = ['get', 'equality', 'range', 'gqlFind', 'increment'];
      await inTurns(rows, { what: 'objects', value: total }, contenders, names, options);
    }
  } finally {
    await stopAll(contenders);
  }
  return Object.values(rows);
}

/** Adds classes up to so many, each with the fields of `Item`; on MongoDB past the servers, which are not running. */
async function addClasses({ which, database }, from, to) {
  const names = Array.from({ length: to - from }, (_, index) => `Kind${from + index}`);
  if (which === 'embedded') {
    const server = await start(which, { database });
    const fields = { title: { type: 'String' }, body: { type: 'String' }, score: { type: 'Number' }, when: { type: 'Date' }, author: { type: 'Pointer', targetClass: 'Author' } };
    await pooled(names, className => server.must('POST', `/schemas/${className}`, { className, fields }));
    await server.stop();
    return;
  }
  const client = await new MongoClient(database).connect();
  try {
    const schemas = client.db().collection('_SCHEMA');
    const { _id, _metadata, ...fields } = await schemas.findOne({ _id: 'Created' });
    void _id;
    const metadata = _metadata ? { _metadata: { ..._metadata, indexes: undefined } } : {};
    await schemas.insertMany(names.map(name => ({ _id: name, ...fields, ...metadata })), { ignoreUndefined: true });
  } finally {
    await client.close();
  }
}

/** Milliseconds of one GraphQL query. */
async function graphqlOnce(server, lists) {
  const headers = { 'X-Parse-Application-Id': server.options.appId };
  const json = { query: `{ item(id: "${lists.items[0].id}") { objectId } }` };
  const begin = performance.now();
  const answer = await send(`${server.root}/graphql`, { method: 'POST', headers, json, agent: server.agent });
  if (answer.body?.data?.item?.objectId !== lists.items[0].id) throw new Error(`${server.which}: ${answer.text}`);
  return performance.now() - begin;
}

/** What happens once: the start, the first GraphQL query, and the first one after a change of the schema. */
async function onceFacts({ which, lists, server }, value) {
  const firstGraphql = await graphqlOnce(server, lists);
  const again = await graphqlOnce(server, lists);
  await server.must('PUT', '/schemas/Counter', { className: 'Counter', fields: { [`added${value}`]: { type: 'Number' } } });
  const afterChange = await graphqlOnce(server, lists);
  return { which, value, firstGraphql, again, afterChange };
}

/** Start-up with this schema; the server must not be running. */
async function starts({ which, database }) {
  const { command, env, cwd, config } = await prepare(which, { database });
  const address = `127.0.0.1:${config.port}`;
  return medians(await load('start', { command, env, cwd, address, path: `${config.mountPath}/health`, times: 3, settle: 1 }));
}

async function byClasses(options) {
  const rows = {};
  const facts = [];
  const seeded = [];
  try {
    for (const which of options.servers.filter(name => name !== 'floor')) {
      const server = await start(which, { bcryptCost: options.bcryptCost });
      const lists = await seed(server, { ...options.size, groups: 100 });
      const known = (await server.must('GET', '/schemas')).results.length;
      await server.stop();
      seeded.push({ which, database: server.database, lists, known });
    }
    for (const total of options.classes) {
      const contenders = [];
      try {
        for (const one of seeded) {
          if (total > one.known) await addClasses(one, one.known, total);
          one.known = Math.max(one.known, total);
          const { ms, rss_kib: idle } = await starts(one);
          const server = await start(one.which, { database: one.database });
          const contestant = { ...one, server, usesMongo: one.which !== 'embedded' };
          contenders.push(contestant);
          facts.push({ ms, idleMib: idle / 1024, ...(await onceFacts(contestant, total)) });
        }
        await inTurns(rows, { what: 'classes', value: total }, contenders, ['get', 'create', 'gqlGet'], options);
        for (const { which, server } of contenders) facts.find(fact => fact.which === which && fact.value === total).memoryMib = memoryOf(server.child.pid).nowMib;
      } finally {
        for (const { server } of contenders) await server.stop();
      }
    }
  } finally {
    for (const { database } of seeded) await dropDatabase(database);
  }
  return { rows: Object.values(rows), facts };
}

/** Users in so many roles; of each group of documents they may read 10 through one of them. */
async function byRoles(options) {
  const rows = {};
  const contenders = [];
  try {
    for (const which of options.servers.filter(name => name !== 'floor')) {
      const contestant = await contender(which, { ...options, size: { ...options.size, groups: 40, documents: 0 } });
      contestant.byRoles = new Map();
      for (const count of options.roles) contestant.byRoles.set(count, await usersInRoles(contestant.server, count));
      contenders.push(contestant);
    }
    for (const count of options.roles) {
      for (const contestant of contenders) Object.assign(contestant.lists, contestant.byRoles.get(count));
      await inTurns(rows, { what: 'roles', value: count }, contenders, ['roles', 'me'], options);
    }
  } finally {
    await stopAll(contenders);
  }
  return Object.values(rows);
}

async function usersInRoles(server, count) {
  const users = await pooled(Array.from({ length: 10 }), async (_, index) => {
    const username = `in-${count}-roles-${index}`;
    const { objectId, sessionToken } = await server.must('POST', '/users', { username, password: PASSWORD }, { master: false });
    return { id: objectId, token: sessionToken, username };
  });
  const names = Array.from({ length: count }, (_, index) => `r-${count}-${index}`);
  await pooled(names, name => addRole(server, name, users.map(user => user.id)));
  const groups = Array.from({ length: 50 }, (_, index) => `r${count}-${index}`);
  const texts = groups.flatMap(group => Array.from({ length: 20 }, (_, n) => {
    const role = n % 2 ? 'strangers' : names[n % names.length];
    return { title: `Document ${n}`, group, ACL: { [`role:${role}`]: { read: true } } };
  }));
  await createAll(server, 'Document', texts);
  return { users, documents: groups.map(group => ({ group })) };
}

const parts = { clients: byClients, objects: byObjects, classes: byClasses, roles: byRoles };

/** Runs the parts that are wanted, and prints their tables. */
export async function growth(given) {
  const wanted = given.only ?? Object.keys(parts);
  for (const name of wanted) if (!parts[name]) throw new Error(`growth has no part ${name}; there are: ${Object.keys(parts).join(', ')}`);
  const mongod = await mongodFacts();
  const options = { ...defaults, servers: Object.keys(contestants), ...given, mongod: mongod.pid, ...given.growth };
  options.objects = options.objects.filter(count => count <= (given.objectLimit ?? Infinity));
  const result = { date: new Date().toISOString(), machine: machine(), versions: await versions(binary, mongod.version), settings: { rounds: options.rounds, seconds: options.seconds }, parts: {} };
  for (const name of wanted) {
    const outcome = await parts[name](options);
    const { rows, facts } = Array.isArray(outcome) ? { rows: outcome } : outcome;
    result.parts[name] = { rows, facts };
    console.log(`${describePart(name, result.parts[name])}\n`);
  }
  return result;
}

/** The tables of one part as Markdown: one for each scenario, with three figures for each server. */
export function describePart(part, { rows, facts }) {
  const texts = [];
  for (const name of [...new Set(rows.map(row => row.scenario))]) {
    const own = rows.filter(row => row.scenario === name);
    const which = Object.keys(contestants).filter(contestant => own.some(row => row.which === contestant));
    const lines = [...new Set(own.map(row => row.value))].map(value => [
      figure(value),
      ...which.map(contestant => {
        const found = own.find(row => row.which === contestant && row.value === value);
        if (!found) return '–';
        const { perSecond, p99, cpu } = medians(found.rounds);
        return [perSecond, p99, cpu].map(figure).join(' / ');
      }),
    ]);
    const head = [part, ...which.map(contestant => contestants[contestant])];
    const { group, title } = scenarioNamed(name);
    texts.push(`#### ${part}: ${group === 'GraphQL' ? 'GraphQL ' : ''}${title.replace(/ of 10 000| 3(?= roles)/g, '')}\n\n${markdown(head, lines)}`);
  }
  if (facts) {
    const lines = facts.map(({ which, value, ms, idleMib, firstGraphql, afterChange, again, memoryMib }) => [
      contestants[which], ...[value, ms, idleMib, memoryMib, firstGraphql, again, afterChange].map(figure),
    ]);
    const head = ['', part, 'start, ms', 'idle, MiB', 'after work, MiB', 'first GraphQL query, ms', 'second, ms', 'after a schema change, ms'];
    texts.push(`#### ${part}: what happens once\n\n${markdown(head, lines)}`);
  }
  return texts.join('\n\n');
}
