// A Node program that uses parse-server as a library: the same with npm parse-server and with the package in node/, whose server gets the
// requests from the program's middleware, which is the first one of an Express app or comes behind another one, or listens itself. The
// processor time is that of the program and of the server that it has started together.
import fs from 'node:fs';
import http from 'node:http';
import { Program, freePort, freshDatabase, install, send } from '../../../node/test/support.mjs';
import { median, medianRatio, medians } from './measure.mjs';
import { machine } from './options.mjs';
import { figure, markdown, progress, provenance } from './report.mjs';
import { binary, mongodFacts } from './servers.mjs';
import { versions } from './versions.mjs';

const AT_ONCE = 8;
const FOUND = 100;
/** What is compared: which library, and with ours whether the program has middleware before it, or whether clients ask the server itself. */
const FORMS = {
  'parse-server': { library: 'parse-server' },
  reparse: { library: 'reparse' },
  behind: { library: 'reparse', env: { BEHIND: '1' } },
  listening: { library: 'reparse', listens: true },
};
/** Milliseconds of a tick of the processor time of processes. */
const TICK = 10;

const source = `
const express = require('express');
const { ParseServer } = require('parse-server');
(async () => {
  const options = {
    databaseURI: process.env.DATABASE_URI, appId: 'app', masterKey: 'master', serverURL: 'http://127.0.0.1:' + process.env.PORT + '/parse',
    allowClientClassCreation: true, logLevel: 'error', silent: true,
    ...(process.env.LISTEN && { host: '127.0.0.1', reparse: { listen: Number(process.env.LISTEN) } }),
    cloud: Parse => {
      Parse.Cloud.define('hello', request => 'hello ' + request.params.name);
      Parse.Cloud.beforeSave('Changed', request => request.object.set('by', 'trigger'));
    },
  };
  const own = (req, res) => res.send('own');
  const port = Number(process.env.PORT);
  const server = new ParseServer(options);
  await server.start();
  const app = express();
  if (process.env.BEHIND) app.use((req, res, next) => next());
  app.get('/own', own);
  app.use('/parse', server.app);
  app.listen(port, () => console.log('READY'));
})();
`;

/** Name: title, and what one client asks for again and again. `id` is that of an object. */
export const scenarios = {
  own: { title: "a route of the program's own", ask: () => ['GET', '/own'] },
  health: { title: 'health', ask: () => ['GET', '/parse/health'] },
  get: { title: 'get by id', ask: id => ['GET', `/parse/classes/Thing/${id}`] },
  find: { title: `find ${FOUND}`, ask: () => ['GET', `/parse/classes/Thing?limit=${FOUND}`] },
  create: { title: 'create', ask: () => ['POST', '/parse/classes/Thing', { a: 1 }] },
  beforeSave: { title: 'create, beforeSave changes a field', ask: () => ['POST', '/parse/classes/Changed', { a: 1 }] },
  function: { title: 'function', ask: () => ['POST', '/parse/functions/hello', { name: 'Ann' }] },
};

/** Seconds of processor time of a process so far. */
function used(pid) {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13).map(Number);
  return ((user + system) * TICK) / 1000;
}

class Contestant {
  static async start({ library, listens, env: more }) {
    const self = new Contestant();
    const env = { DATABASE_URI: freshDatabase(), REPARSE_BIN: binary, ...more };
    if (listens) env.LISTEN = String(await freePort());
    self.program = await Program.start(install({ 'index.js': source }, library), { env });
    if (!self.program.ready) throw new Error(self.program.output);
    /** Where the API is. */
    self.api = listens ? `http://127.0.0.1:${env.LISTEN}` : self.program.url;
    self.agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
    for (let n = 0; n < FOUND; n += 1) self.id = (await self.ask('POST', '/parse/classes/Thing', { a: n, b: 'text', c: [1, 2, 3] })).body.objectId;
    return self;
  }

  async ask(method, where, body) {
    const base = where.startsWith('/parse/') ? this.api : this.program.url;
    const answer = await send(base + where, { method, body, headers: { 'X-Parse-Application-Id': 'app' }, agent: this.agent });
    if (answer.status >= 300) throw new Error(`${method} ${where}: ${answer.status} ${answer.text}`);
    return answer;
  }

  /** Asks for so many seconds; tells how often. */
  async run({ ask }, seconds) {
    const end = Date.now() + seconds * 1000;
    let count = 0;
    const client = async () => {
      for (; Date.now() < end; count += 1) await this.ask(...ask(this.id));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, client));
    return count;
  }

  /** Seconds of processor time for 1000 requests: of the program, and of all together. */
  async measure(scenario, { seconds, warmup }) {
    await this.run(scenario, warmup);
    const processes = [this.program.process.pid, ...this.program.servers()];
    const before = processes.map(used);
    const count = await this.run(scenario, seconds);
    const each = processes.map((pid, index) => ((used(pid) - before[index]) * 1000) / count);
    return { program: each[0], cpu: each.reduce((sum, cpu) => sum + cpu) };
  }
}

export async function program(options) {
  const chosen = Object.entries(scenarios).filter(([name]) => !options.only || options.only.includes(name));
  const mongod = await mongodFacts();
  const result = {
    date: new Date().toISOString(), machine: machine(), versions: await versions(binary, mongod.version),
    settings: { rounds: options.rounds, seconds: options.seconds, warmup: options.warmup }, scenarios: {},
  };
  const contestants = {};
  try {
    for (const [form, how] of Object.entries(FORMS)) contestants[form] = await Contestant.start(how);
    for (let round = 0; round < options.rounds; round += 1) {
      for (const [name, scenario] of chosen) {
        const row = (result.scenarios[name] ??= { title: scenario.title, rounds: {} });
        for (const form of Object.keys(FORMS)) {
          progress(`round ${round + 1} of ${options.rounds}: ${scenario.title}: ${form}`);
          (row.rounds[form] ??= []).push(await contestants[form].measure(scenario, options));
        }
      }
    }
  } finally {
    for (const { program: running } of Object.values(contestants)) {
      running.process.kill('SIGKILL');
      await running.ended;
    }
  }
  console.log(describeProgram(result));
  return result;
}

/** Seconds of processor time for 1000 requests that pass through the program's Express, besides what any such request costs it. */
export function ownCost({ scenarios: { own, health } }) {
  if (!own || !health) return undefined;
  return median(health.rounds.behind.map((round, index) => round.program - own.rounds.behind[index].program));
}

/** The table. */
export function describeProgram(result) {
  const rows = Object.values(result.scenarios).map(({ title, rounds }) => {
    const [theirs, ours, behind, listening] = Object.keys(FORMS).map(form => medians(rounds[form]));
    const less = form => medianRatio(rounds['parse-server'], rounds[form], 'cpu');
    const cells = [theirs.cpu, ours.program, ours.cpu - ours.program, less('reparse'), behind.cpu, less('behind'), listening.cpu, less('listening')];
    return [title, ...cells.map(figure)];
  });
  const cost = ownCost(result);
  return [
    '## A Node program',
    provenance(result),
    'Seconds of processor time for 1000 requests',
    markdown(['', 'parse-server', 'middleware: program', 'middleware: server', 'less than parse-server, times', 'behind middleware', 'less than parse-server, times', 'the server listens', 'less than parse-server, times'], rows),
    ...(cost === undefined ? [] : [`The middleware itself: ${figure(cost)} (health, less a route of the program's own).`]),
  ].join('\n\n');
}
