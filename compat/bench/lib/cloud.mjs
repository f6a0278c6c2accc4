// Cloud code in JavaScript: the same main.js on every server. The processor time is that of the server and of its Node together.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from './load.mjs';
import { measure, medianRatio, medians } from './measure.mjs';
import { machine } from './options.mjs';
import { figure, markdown, progress, provenance } from './report.mjs';
import { stopAll } from './run-table.mjs';
import { scenarios as plain, stream } from './scenarios.mjs';
import { createAll, item } from './seed.mjs';
import { binary, contestants, mongodFacts, start } from './servers.mjs';
import { memoryOf, versions } from './versions.mjs';

const main = path.join(path.dirname(fileURLToPath(import.meta.url)), 'cloud.cjs');
const FOUND = 100;

const created = n => JSON.stringify({ ...item(0, 'abcdefghij'), title: `New ${n}` });
const asked = { group: 'REST', method: 'POST', connections: 32 };

export const scenarios = {
  hello: { ...asked, title: 'function', path: '/functions/hello', body: '{}', expect: { status: 200, contains: ['{"result":"hello"}'] } },
  beforeSave: {
    ...asked, title: 'create, beforeSave changes a field', path: '/classes/Changed', body: created('${n}'),
    expect: { status: 201, contains: ['"objectId":"', ' (changed)"'] },
  },
  afterSave: {
    ...asked, title: 'create, afterSave', path: '/classes/Followed', body: created('${n}'),
    expect: { status: 201, contains: ['"objectId":"', '"createdAt":"'] },
  },
  afterFind: {
    ...asked, method: 'GET', connections: 8, title: 'find 100, afterFind changes each', path: `/classes/Found?limit=${FOUND}`,
    expect: { status: 200, count: [{ text: '?signature=1"', times: FOUND }] },
  },
};
const named = Object.entries(scenarios).map(([name, scenario]) => ({ name, ...scenario }));

/** The Node process that a server has started for its cloud code, if any. */
function nodeOf(pid) {
  const tasks = fs.readdirSync(`/proc/${pid}/task`);
  return tasks.flatMap(task => fs.readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number))[0];
}

/** A server with the cloud code and the objects that are found. */
export async function cloudContender(which) {
  const server = await start(which, { options: { cloud: main, allowClientClassCreation: true } });
  try {
    await createAll(server, 'Found', Array.from({ length: FOUND }, (_, n) => item(n, 'abcdefghij')));
    const node = which === 'parse-server' ? undefined : nodeOf(server.child.pid);
    return { which, server, lists: {}, usesMongo: which !== 'embedded', watch: node ? { node } : {} };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** The latency of a plain read alone, and beside functions that keep Node busy. */
async function besideBusyCode({ server, lists }, { seconds, warmup }) {
  const read = { ...plain.find(({ name }) => name === 'health'), path: '/classes/Plain?limit=1', expect: { status: 200 } };
  const busy = { ...asked, name: 'busy', path: '/functions/busy', body: '{}', expect: { status: 200 } };
  const cheap = stream(read, server, { connections: 8, rate: 100 });
  const common = { address: server.address, seconds, warmup, lists };
  const alone = await load('http', { ...common, streams: [cheap] });
  const beside = await load('http', { ...common, streams: [cheap, stream(busy, server, { connections: 8 })] });
  return { aloneP99: alone.streams[0].latency.p99, besideP99: beside.streams[0].latency.p99 };
}

export async function cloud(options) {
  const chosen = options.servers ?? Object.keys(contestants).filter(name => name !== 'floor');
  const list = options.only ? named.filter(({ name }) => options.only.includes(name)) : named;
  const mongod = await mongodFacts();
  const result = {
    date: new Date().toISOString(), machine: machine(), versions: await versions(binary, mongod.version),
    settings: { rounds: options.rounds, seconds: options.seconds, warmup: options.warmup }, scenarios: {}, mixed: {}, memory: {},
  };
  const contenders = [];
  try {
    for (const name of chosen) contenders.push(await cloudContender(name));
    for (const { which, server, watch } of contenders) {
      result.memory[which] = { server: memoryOf(server.child.pid).nowMib, node: watch.node ? memoryOf(watch.node).nowMib : undefined };
    }
    for (let round = 0; round < options.rounds; round += 1) {
      for (const scenario of list) {
        const rows = (result.scenarios[scenario.name] ??= { title: scenario.title, rounds: {} });
        for (const contestant of contenders) {
          progress(`round ${round + 1} of ${options.rounds}: ${scenario.title}: ${contestants[contestant.which]}`);
          const { sample: _, ...figures } = await measure(contestant, scenario, { ...options, mongod: mongod.pid });
          (rows.rounds[contestant.which] ??= []).push(figures);
        }
      }
      if (!options.mixed) continue;
      for (const contestant of contenders) (result.mixed[contestant.which] ??= []).push(await besideBusyCode(contestant, options));
    }
  } finally {
    await stopAll(contenders);
  }
  console.log(describeCloud(result));
  return result;
}

/** The tables. */
export function describeCloud(result) {
  const present = Object.keys(result.memory);
  const others = present.includes('parse-server') ? present.filter(which => which !== 'parse-server') : [];
  const head = ['', ...present.map(which => contestants[which]), ...others.map(which => `${contestants[which]} : parse-server`)];
  const table = name => markdown(head, Object.values(result.scenarios).map(({ title, rounds }) => [
    title,
    ...present.map(which => figure(medians(rounds[which])[name])),
    ...others.map(which => `${figure(medianRatio(rounds[which], rounds['parse-server'], name))} ×`),
  ]));
  const memory = present.map(which => [contestants[which], figure(result.memory[which].server), figure(result.memory[which].node)]);
  const mixed = Object.entries(result.mixed).map(([which, rounds]) => {
    const all = medians(rounds);
    return [contestants[which], figure(all.aloneP99), figure(all.besideP99)];
  });
  return [
    '## Cloud code',
    provenance(result),
    'Seconds of processor time for 1000 requests, server and Node together',
    table('cpu'),
    'Requests a second',
    table('perSecond'),
    'p99, ms',
    table('p99'),
    'Idle memory, MiB',
    markdown(['', 'server', 'its Node'], memory),
    ...(mixed.length ? ['A plain read, p99 in ms', markdown(['', 'alone', 'beside busy functions'], mixed)] : []),
  ].join('\n\n');
}
