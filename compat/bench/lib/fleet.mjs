// Several servers on one database: what a request costs them and the database, and for how long one does not know what another did.
import { load } from './load.mjs';
import { median } from './measure.mjs';
import { machine } from './options.mjs';
import { figure, markdown, progress, provenance } from './report.mjs';
import { scenarioNamed, stream } from './scenarios.mjs';
import { PASSWORD, seed, sizes } from './seed.mjs';
import { binary, dropDatabase, mongodFacts, start } from './servers.mjs';
import { versions } from './versions.mjs';

/** How many servers. */
const FLEETS = [1, 2, 4];
/** Of all servers together. */
const CONNECTIONS = 32;
const SCENARIOS = ['get', 'equality', 'create'];

let serial = Date.now() % 1_000_000;

/** Clients of each server at once. CPU is in seconds per 1000 requests. */
async function measure(servers, lists, scenario, { seconds, warmup, mongod }) {
  serial += 1;
  const reports = await Promise.all(
    servers.map((server, index) =>
      load('http', {
        seconds, warmup, lists, address: server.address, watch: { server: server.child.pid, mongod },
        streams: [stream(scenario, server, { connections: CONNECTIONS / servers.length, run: `${serial.toString(36)}-${index}` })],
      }),
    ),
  );
  const sum = of => reports.reduce((total, report) => total + of(report), 0);
  const requests = sum(report => report.streams[0].requests);
  return {
    perSecond: sum(report => report.streams[0].per_second),
    p99: Math.max(...reports.map(report => report.streams[0].latency.p99)),
    cpu: (sum(report => report.processes.server.cpu) * 1000) / requests,
    mongodCpu: ((sum(report => report.processes.mongod.cpu) / servers.length) * 1000) / requests,
  };
}

/** Milliseconds until `server` answers as after a change that another server has acknowledged. */
async function until(server, method, where, headers, changed) {
  const begun = performance.now();
  for (;;) {
    const answer = await server.request(method, where, { headers, agent: server.agent });
    if (changed(answer)) return performance.now() - begun;
    if (performance.now() - begun > 60_000) throw new Error(`${where}: nothing has changed after a minute`);
  }
}

/** What one server changes, and how soon another one, which has it in its cache, knows. */
async function staleness([one, other], samples) {
  const times = { session: [], role: [], permissions: [] };
  const secret = await one.must('POST', '/classes/Secret', { ACL: { 'role:stale': { read: true } } });
  for (let n = 0; n < samples; n += 1) {
    const user = await one.must('POST', '/users', { username: `stale-${serial}-${n}`, password: PASSWORD }, { master: false });
    const headers = { 'X-Parse-Session-Token': user.sessionToken };
    const pointer = { __type: 'Pointer', className: '_User', objectId: user.objectId };
    const role = await one.must('POST', '/roles', { name: 'stale', ACL: {}, users: { __op: 'AddRelation', objects: [pointer] } });
    await until(other, 'GET', `/classes/Secret/${secret.objectId}`, headers, answer => answer.status === 200);
    await one.must('PUT', `/roles/${role.objectId}`, { users: { __op: 'RemoveRelation', objects: [pointer] } });
    times.role.push(await until(other, 'GET', `/classes/Secret/${secret.objectId}`, headers, answer => answer.status === 404));
    await one.must('DELETE', `/roles/${role.objectId}`);
    await until(other, 'GET', '/users/me', headers, answer => answer.status === 200);
    await one.must('POST', '/logout', {}, { master: false, headers });
    times.session.push(await until(other, 'GET', '/users/me', headers, answer => answer.body.code === 209));
    await until(other, 'GET', '/classes/Author?limit=1', {}, answer => answer.status === 200);
    await one.must('PUT', '/schemas/Author', { classLevelPermissions: { find: {} } });
    times.permissions.push(await until(other, 'GET', '/classes/Author?limit=1', {}, answer => answer.status >= 400));
    await one.must('PUT', '/schemas/Author', { classLevelPermissions: { find: { '*': true }, get: { '*': true }, create: { '*': true } } });
  }
  return Object.fromEntries(Object.entries(times).map(([what, list]) => [what, { median: median(list), most: Math.max(...list) }]));
}

export async function fleet(options) {
  const { size = sizes.full, samples = 20 } = options;
  const { pid: mongod, version } = await mongodFacts();
  const result = {
    date: new Date().toISOString(), machine: machine(), versions: await versions(binary, version),
    settings: { rounds: options.rounds, seconds: options.seconds, warmup: options.warmup }, scenarios: {},
  };
  const servers = [await start('mongo')];
  try {
    progress('seeding');
    const lists = await seed(servers[0], size);
    while (servers.length < FLEETS.at(-1)) servers.push(await start('mongo', { database: servers[0].database }));
    for (const name of options.only ?? SCENARIOS) {
      const scenario = scenarioNamed(name);
      const row = (result.scenarios[name] = { title: scenario.title, rounds: {} });
      for (let round = 0; round < options.rounds; round += 1) {
        for (const count of FLEETS) {
          progress(`round ${round + 1} of ${options.rounds}: ${scenario.title}: ${count} servers`);
          (row.rounds[count] ??= []).push(await measure(servers.slice(0, count), lists, scenario, { ...options, mongod }));
        }
      }
    }
    progress('what another server does not know yet');
    result.staleness = await staleness(servers, samples);
  } finally {
    for (const server of servers) await server.stop();
    await dropDatabase(servers[0].database);
  }
  console.log(describeFleet(result));
  return result;
}

/** The tables. */
export function describeFleet(result) {
  const rows = Object.values(result.scenarios).flatMap(({ title, rounds }) =>
    FLEETS.map(count => [title, count, ...['perSecond', 'cpu', 'mongodCpu', 'p99'].map(name => figure(median(rounds[count].map(round => round[name]))))]),
  );
  const stale = Object.entries(result.staleness).map(([what, { median, most }]) => [what, figure(median), figure(most)]);
  return [
    '## A fleet on one mongod',
    provenance(result),
    markdown(['', 'servers', 'requests a second', 'CPU seconds of the servers per 1000', 'of mongod', 'p99, ms'], rows),
    'Milliseconds until another server, which has it in its cache, knows what one has acknowledged',
    markdown(['', 'median', 'most'], stale),
  ].join('\n\n');
}
