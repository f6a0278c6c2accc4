// What hostile requests, which anybody may send, do to the answers that others get, and to the memory of the server. One client asks
// quietly, first alone, then beside each attack, each against a server of its own.
//
// Real attackers have machines of their own. Here they share the cores with the server and the database, so they are a thread of the
// lowest priority: what it computes keeps nobody waiting, what it has the server compute does.
import net from 'node:net';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Server } from '../../lib/server.mjs';
import { machine } from './options.mjs';
import { LONG, quiet } from './quiet.mjs';
import { progress } from './report.mjs';
import { binary, contestants, dropDatabase, mongodFacts, start } from './servers.mjs';
import { memoryOf, versions } from './versions.mjs';

const json = { 'Content-Type': 'application/json' };

/** Sends a request of a stranger and does not care for the answer. */
const stranger = (server, method, path, body, { timeout = LONG, headers = {} } = {}) =>
  server.request(method, path, { ...(typeof body === 'string' ? { data: body, headers: { ...json, ...headers } } : { json: body, headers }), timeout }).then(({ status }) => status, () => 0);

/** Sends requests one after the other on `width` connections until `until`. */
async function flood(until, width, send) {
  const statuses = {};
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (Date.now() < until) {
        const status = await send();
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    }),
  );
  return statuses;
}

/** Opens sockets that send `text` and read nothing, until `until`. */
async function silent(server, until, count, text = '') {
  const sockets = Array.from({ length: count }, () => {
    const socket = net.connect(server.port, '127.0.0.1', () => text && socket.write(text));
    socket.on('error', () => {});
    socket.pause();
    return socket;
  });
  await sleep(until - Date.now());
  const open = sockets.filter(socket => !socket.destroyed && socket.readyState === 'open').length;
  sockets.forEach(socket => socket.destroy());
  return { open };
}

const self = number => ({ __type: 'Pointer', className: 'Laugh', objectId: `self${number}` });
const names = (letter, count) => Array.from({ length: count }, (_, index) => `${letter}${index}`).join(',');
const requests = (count, part) => Array.from({ length: count }, () => part);

/** `prepare` runs before the measurement, `run` beside it, in the thread of the attackers. */
const attacks = [
  {
    name: 'includes that multiply', entry: 'C2',
    prepare: server => server.must('POST', '/classes/Laugh', { objectId: 'self0', a: Array.from({ length: 10 }, () => self(0)) }),
    run: (server, until) => flood(until, 2, () => stranger(server, 'GET', '/classes/Laugh/self0?include=a.a.a.a.a.a')),
  },
  { name: 'a transaction of 20,000 reads', entry: 'C3', run: (server, until) => flood(until, 2, () => stranger(server, 'POST', '/batch', { transaction: true, requests: requests(20_000, { method: 'GET', path: '/parse/classes/Item?limit=100' }) })) },
  { name: 'a transaction of 100 sign ups', entry: 'F1', run: (server, until) => flood(until, 2, () => stranger(server, 'POST', '/batch', { transaction: true, requests: Array.from({ length: 100 }, () => ({ method: 'POST', path: '/parse/users', body: { username: `x${Math.random()}`, password: 'p' } })) })) },
  { name: '60,000 names in keys', entry: 'C4', run: (server, until) => flood(until, 3, () => stranger(server, 'POST', '/classes/Item', { _method: 'GET', keys: names('a', 60_000) })) },
  { name: '40,000 names in keys and excludeKeys', entry: 'C5', run: (server, until) => flood(until, 3, () => stranger(server, 'POST', '/classes/Nope', { _method: 'GET', keys: names('k', 40_000), excludeKeys: names('e', 40_000) })) },
  { name: '600 sockets that send nothing', entry: 'C10', run: (server, until) => silent(server, until, 600) },
  { name: 'a batch of 100 finds of 1 MB', entry: 'C14', run: (server, until) => flood(until, 2, () => stranger(server, 'POST', '/batch', { requests: requests(100, { method: 'GET', path: '/parse/classes/Large' }) })) },
  { name: '20 clients that do not read 5 MB', entry: 'C14, F12', run: (server, until) => silent(server, until, 20, `GET /parse/classes/Large?where=%7B%22n%22%3A%7B%22%24gt%22%3A0%7D%7D HTTP/1.1\r\nHost: x\r\nX-Parse-Application-Id: app\r\n\r\n`) },
  { name: 'batches of 2000 wrong log ins', entry: 'C18', run: (server, until) => flood(until, 5, () => stranger(server, 'POST', '/batch', { requests: requests(2000, { method: 'POST', path: '/parse/login', body: { username: 'somebody', password: 'x' } }) })) },
  { name: '19 MB from a stranger without an application id', entry: 'F2', run: (server, until) => { const body = `{"a":[${'{"a":1},'.repeat(2_300_000)}{"a":1}]}`; return flood(until, 2, () => stranger(server, 'POST', '/login', body, { headers: { 'X-Parse-Application-Id': 'wrong' } })); } },
  { name: 'searches whose clients leave', entry: 'F3', run: (server, until) => flood(until, 40, () => stranger(server, 'POST', '/classes/Item', { _method: 'GET', where: { text: { $regex: '(a|b)*c.*d$' } } }, { timeout: 300 })) },
];

const quantile = (times, share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
const figures = times => ({ p50: quantile(times, 0.5), p99: quantile(times, 0.99), failed: times.filter(time => time >= LONG).length });

async function fill(server) {
  await server.must('POST', '/classes/Note', { n: 0 });
  await server.must('POST', '/batch', { requests: Array.from({ length: 50 }, (_, n) => ({ method: 'POST', path: '/parse/classes/Item', body: { objectId: `item${n}`, text: 'ab'.repeat(12), n } })) });
  for (let part = 0; part < 40; part += 1) {
    await server.must('POST', '/batch', { requests: Array.from({ length: 50 }, (_, n) => ({ method: 'POST', path: '/parse/classes/Item', body: { text: 'ab'.repeat(12), n } })) });
  }
  for (let n = 0; n < 10; n += 1) await server.must('POST', '/classes/Large', { n, text: 'x'.repeat(n === 0 ? 100_000 : 500_000) });
}

/** Attacks a server for `seconds` on a thread of the lowest priority; returns what its answers were. */
function attacked({ port, options }, attack, seconds) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { attack: attack.name, port, options, seconds } });
  const answers = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  return { answers, end: () => worker.terminate() };
}

async function beside(which, attack, seconds) {
  const server = await start(which, { options: { allowCustomObjectId: true } });
  let peak = 0;
  let attackers;
  const { pid } = server.child;
  const watch = setInterval(() => {
    try {
      peak = Math.max(peak, memoryOf(pid).nowMib);
    } catch {
      // it has ended
    }
  }, 20);
  try {
    await fill(server);
    await attack.prepare?.(server);
    const alone = figures(await quiet(server, seconds));
    peak = 0;
    attackers = attacked(server, attack, seconds + 1);
    await sleep(500);
    const under = figures(await quiet(server, seconds));
    const answers = await Promise.race([attackers.answers, sleep(5000).then(() => 'unanswered')]);
    return { which, attack: attack.name, entry: attack.entry, alone, under, peakMib: peak, alive: server.child.alive, answers };
  } finally {
    clearInterval(watch);
    await attackers?.end();
    await server.kill();
    await dropDatabase(server.database);
  }
}

/** Runs all attacks on all servers; prints a table. */
export async function overload(options) {
  const servers = options.servers ?? ['parse-server', 'mongo', 'embedded'];
  const rows = [];
  for (const attack of attacks.filter(({ entry, name }) => !options.only || options.only.some(word => entry.split(', ').includes(word) || name.includes(word)))) {
    for (const which of servers) {
      progress(`${attack.name}: ${contestants[which]}`);
      rows.push(await beside(which, attack, options.seconds));
    }
  }
  console.log(describeOverload({ rows }));
  return { date: new Date().toISOString(), machine: machine(), versions: await versions(binary, (await mongodFacts()).version), settings: { seconds: options.seconds }, rows };
}

const ms = value => (value >= LONG ? 'no answer' : value >= 100 ? value.toFixed(0) : value.toFixed(1));

/** The table as Markdown. */
export function describeOverload({ rows }) {
  const lines = rows.map(row => `| ${row.attack} | ${contestants[row.which]} | ${ms(row.alone.p99)} | ${ms(row.under.p99)} | ${row.under.failed} | ${row.alive ? row.peakMib.toFixed(0) : 'ended'} |`);
  return ['| Attack | Server | p99 alone, ms | p99 beside it, ms | failed | memory, MiB |', '|---|---|---|---|---|---|', ...lines].join('\n');
}

if (!isMainThread && workerData?.attack) {
  os.setPriority(os.constants.priority.PRIORITY_LOW);
  const { attack, port, options, seconds } = workerData;
  const { run } = attacks.find(({ name }) => name === attack);
  parentPort.postMessage(await run(new Server(undefined, port, options), Date.now() + seconds * 1000));
}
