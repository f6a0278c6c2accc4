// Processor time for each request, of a program with npm parse-server and of one with this package (its server included), side by
// side: `node test/cost.mjs`, with REPARSE_TEST_MONGO and a release build in REPARSE_TEST_BIN. Nothing is checked.
import fs from 'node:fs';
import http from 'node:http';
import { Program, freshDatabase, install, send } from './support.mjs';

const REQUESTS = Number(process.env.REQUESTS ?? 5000);
const AT_ONCE = 8;
const program = `
const express = require('express');
const { ParseServer } = require('parse-server');
(async () => {
  const server = new ParseServer({
    databaseURI: process.env.DATABASE_URI, appId: 'app', masterKey: 'master', serverURL: 'http://127.0.0.1:' + process.env.PORT + '/parse',
    allowClientClassCreation: true, logLevel: 'error', silent: true,
    cloud: Parse => {
      Parse.Cloud.define('hello', request => 'hello ' + request.params.name);
      Parse.Cloud.beforeSave('Changed', request => request.object.set('by', 'trigger'));
    },
  });
  await server.start();
  const app = express();
  app.get('/own', (req, res) => res.send('own'));
  app.use('/parse', server.app);
  app.listen(Number(process.env.PORT), () => console.log('READY'));
})();
`;

/** Milliseconds of processor time of a process so far. */
function used(pid) {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13).map(Number);
  return (user + system) * 10;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
const headers = { 'X-Parse-Application-Id': 'app' };

async function measure(library) {
  const running = await Program.start(install({ 'index.js': program }, library), { env: { DATABASE_URI: freshDatabase() } });
  if (!running.ready) throw new Error(running.output);
  const ask = async (method, where, body) => {
    const answer = await send(running.url + where, { method, body, headers, agent });
    if (answer.status >= 300) throw new Error(`${method} ${where}: ${answer.status} ${answer.text}`);
    return answer;
  };
  const { body } = await ask('POST', '/parse/classes/Thing', { a: 1, b: 'text', c: [1, 2, 3] });
  for (let n = 0; n < 100; n++) await ask('POST', '/parse/classes/Thing', { a: n, b: 'text', c: [1, 2, 3] });
  const rows = {
    own: () => ask('GET', '/own'),
    health: () => ask('GET', '/parse/health'),
    get: () => ask('GET', `/parse/classes/Thing/${body.objectId}`),
    'find of 100': () => ask('GET', '/parse/classes/Thing'),
    create: () => ask('POST', '/parse/classes/Thing', { a: 1 }),
    'create with beforeSave': () => ask('POST', '/parse/classes/Changed', { a: 1 }),
    function: () => ask('POST', '/parse/functions/hello', { name: 'Ann' }),
  };
  const processes = [running.process.pid, ...running.servers()];
  const result = {};
  for (const [name, once] of Object.entries(rows)) {
    const run = async count => {
      let left = count;
      await Promise.all(Array.from({ length: AT_ONCE }, async () => {
        while (left-- > 0) await once();
      }));
    };
    await run(REQUESTS / 5);
    const before = processes.map(used);
    await run(REQUESTS);
    result[name] = processes.map((pid, index) => (used(pid) - before[index]) / REQUESTS);
  }
  await running.stop('SIGKILL');
  return result;
}

const [theirs, ours] = [await measure('parse-server'), await measure('reparse')];
console.log('ms of processor time a request'.padEnd(32), 'parse-server', ' program', '  server', '   ratio');
for (const [name, [other]] of Object.entries(theirs)) {
  const [own, server = 0] = ours[name];
  const cells = [other, own, server].map(number => number.toFixed(3).padStart(8));
  console.log(name.padEnd(36), ...cells, (other / (own + server)).toFixed(1).padStart(8));
}
