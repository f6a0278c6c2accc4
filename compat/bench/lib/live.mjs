// Live queries: what it costs to tell many subscribers, how soon they hear, and what an idle socket takes.
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import { machine } from './options.mjs';
import { figure, markdown, progress } from './report.mjs';
import { binary, contestants, dropDatabase, mongodFacts, start } from './servers.mjs';
import { memoryOf, versions } from './versions.mjs';

/** Sockets, distinct conditions, writes a second; `--count` replaces the number of sockets. */
const PARTS = {
  many: { title: 'a subscription each, on 50 conditions', sockets: 1000, conditions: 50, rate: 200 },
  one: { title: 'a subscription each, on one condition', sockets: 5000, conditions: 1, rate: 20 },
  idle: { title: 'idle', sockets: 10_000, conditions: 50, rate: 0 },
};
/** Sockets that are opened at a time. */
const TOGETHER = 50;
/** The clock of /proc on Linux. */
const TICKS = 100;
/** How long subscribers may take to hear of the last write. */
const PATIENCE = 30_000;

/** Seconds of processor time that a process has used. */
function cpuOf(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Opens a socket that follows a condition; `hear` is called with each event. */
function follow(server, group, hear) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(server.url.replace('http', 'ws'));
    socket.on('error', reject);
    socket.on('open', () => socket.send(JSON.stringify({ op: 'connect', applicationId: server.options.appId })));
    socket.on('message', text => {
      const message = JSON.parse(text);
      if (message.op === 'connected') socket.send(JSON.stringify({ op: 'subscribe', requestId: 1, query: { className: 'Live', where: { group } } }));
      else if (message.op === 'subscribed') resolve(socket);
      else if (message.op === 'error') reject(new Error(String(text)));
      else hear(message.object.number);
    });
  });
}

async function measurePart(which, { sockets: count, conditions, rate }, seconds) {
  const sockets = [];
  const acknowledged = new Map();
  const early = new Map();
  const waits = [];
  const limits = { liveSockets: 2 * count, liveSocketsPerAddress: 2 * count, connections: 2 * count, connectionsPerAddress: 2 * count };
  const options = { liveQuery: { classNames: ['Live'] }, startLiveQueryServer: true, allowClientClassCreation: true };
  const server = await start(which, { options: which === 'parse-server' ? options : { ...options, limits } });
  try {
    await server.must('POST', '/classes/Live', { group: -1, number: -1 });
    const before = memoryOf(server.child.process.pid).nowMib;
    const hear = number => {
      const at = acknowledged.get(number);
      if (at === undefined) early.set(number, (early.get(number) ?? 0) + 1);
      else waits.push(performance.now() - at);
    };
    while (sockets.length < count) {
      const next = Array.from({ length: Math.min(TOGETHER, count - sockets.length) }, (_, index) => follow(server, (sockets.length + index) % conditions, hear));
      sockets.push(...(await Promise.all(next)));
    }
    const kib = (1024 * (memoryOf(server.child.process.pid).nowMib - before)) / count;
    const outcome = { which, sockets: count, kib };
    if (rate === 0) return outcome;

    const writes = Math.round(rate * seconds);
    const [cpu, began] = [cpuOf(server.child.process.pid), performance.now()];
    const writing = [];
    let expected = 0;
    for (let number = 0; number < writes; number += 1) {
      await sleep(Math.max(0, began + (number * 1000) / rate - performance.now()));
      const group = number % conditions;
      expected += Math.floor((count - 1 - group) / conditions) + 1;
      writing.push(server.must('POST', '/classes/Live', { group, number }).then(() => {
        acknowledged.set(number, performance.now());
        // Told before it was acknowledged: nobody waited.
        for (let told = early.get(number) ?? 0; told > 0; told -= 1) waits.push(0);
        early.delete(number);
      }));
    }
    await Promise.all(writing);
    const end = Date.now() + PATIENCE;
    while (waits.length < expected && Date.now() < end) await sleep(20);
    waits.sort((a, b) => a - b);
    const at = share => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))];
    return { ...outcome, writes, expected, told: waits.length, cpu: cpuOf(server.child.process.pid) - cpu, p50: at(0.5), p99: at(0.99) };
  } finally {
    for (const socket of sockets) socket.terminate();
    await server.stop();
    await dropDatabase(server.database);
  }
}

/** The measurements of all parts at all servers. */
export async function live({ servers = ['parse-server', 'mongo', 'embedded'], only = Object.keys(PARTS), seconds = 30, count }) {
  const mongod = await mongodFacts();
  const rows = [];
  for (const part of only) {
    for (const which of servers) {
      progress(`live queries, ${part}: ${contestants[which]}`);
      const spec = { ...PARTS[part], ...(count ? { sockets: count, conditions: Math.min(count, PARTS[part].conditions) } : {}) };
      rows.push({ part, ...(await measurePart(which, spec, seconds)) });
    }
  }
  const result = { date: new Date().toISOString(), machine: machine(), versions: await versions(binary, mongod), seconds, rows };
  console.log(describeLive(result));
  return result;
}

/** The tables. */
export function describeLive({ rows }) {
  return Object.entries(PARTS).flatMap(([part, { title }]) => {
    const list = rows.filter(row => row.part === part);
    if (list.length === 0) return [];
    const heading = `\n### ${list[0].sockets} sockets, ${title}\n`;
    if (list[0].writes === undefined) {
      return [heading, markdown(['server', 'KiB a socket'], list.map(row => [contestants[row.which], figure(row.kib)]))];
    }
    const head = ['server', 'CPU, s', 'events told', 'of', 'p50, ms', 'p99, ms', 'KiB a socket'];
    return [heading, markdown(head, list.map(row => [contestants[row.which], ...[row.cpu, row.told, row.expected, row.p50, row.p99, row.kib].map(figure)]))];
  }).join('\n');
}
