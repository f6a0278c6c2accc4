// One push to many devices: time, processor time and memory, with a sender on this machine that does nothing but answer.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import { compatDir } from '../../lib/env.mjs';
import { sleep } from '../../lib/net.mjs';
import { machine } from './options.mjs';
import { markdown, progress } from './report.mjs';
import { createAll } from './seed.mjs';
import { binary, contestants, dropDatabase, mongodFacts, start } from './servers.mjs';
import { memoryOf, versions } from './versions.mjs';

const IDLE = 1000;
const PATIENCE = 30 * 60_000;

/** Answers that every device got the push, and counts them. */
async function startSender() {
  const sender = { devices: 0 };
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { installations } = JSON.parse(Buffer.concat(chunks).toString());
    sender.devices += installations.length;
    const results = installations.map(({ deviceType, deviceToken }) => ({ device: { deviceType, deviceToken }, transmitted: true }));
    response.end(JSON.stringify(results));
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(sender, { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() });
}

const device = number => ({
  deviceType: number % 2 ? 'ios' : 'android',
  deviceToken: String(number).padStart(64, '0'),
  installationId: `installation-${number}`,
  channels: ['all', `group-${number % 100}`],
  timeZone: 'Europe/Berlin',
  localeIdentifier: 'de-DE',
  appIdentifier: 'com.example.app',
  appVersion: '1.2.3',
  parseVersion: '5.0.0',
});

/** Makes the devices: through the API, on MongoDB all but the first few past the server. */
async function fill({ which, database }, server, total) {
  const made = which === 'embedded' ? total : 1;
  if (made > 1) {
    // without them each new device is compared with all others
    await createAll(server, '_Installation', [device(total)]);
    const indexes = { byInstallation: { installationId: 1 }, byToken: { deviceToken: 1 } };
    await server.must('PUT', '/schemas/_Installation', { className: '_Installation', indexes });
    const [{ objectId }] = (await server.must('GET', '/installations')).results;
    await server.must('DELETE', `/installations/${objectId}`);
  }
  await createAll(server, '_Installation', Array.from({ length: made }, (_, number) => device(number)));
  if (made === total) return;
  const client = await new MongoClient(database).connect();
  try {
    const rows = client.db().collection('_Installation');
    const now = new Date();
    for (let at = made; at < total; at += 5000) {
      const part = Array.from({ length: Math.min(5000, total - at) }, (_, index) => {
        const number = at + index;
        return { _id: `d${number.toString(36).padStart(9, '0')}`, ...device(number), _created_at: now, _updated_at: now };
      });
      await rows.insertMany(part, { ordered: false });
    }
  } finally {
    await client.close();
  }
}

/** No row yet, where the server hung up; every other error fails. */
function hungUp(error) {
  if (error.code !== 'ECONNRESET') throw error;
  return {};
}

/** Seconds of processor time that a process has used. */
function processorTime(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function measurePush(server, sender, total) {
  const { pid } = server.child;
  await sleep(IDLE);
  fs.writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const before = { ...memoryOf(pid), processor: processorTime(pid), devices: sender.devices };
  const begin = performance.now();
  const sent = await server.request('POST', '/push', {
    master: true,
    json: { channels: ['all'], data: { alert: 'Hello' } },
    timeout: PATIENCE,
  });
  if (sent.status !== 200) throw new Error(`${server.which}: ${sent.text}`);
  const where = `/classes/_PushStatus/${sent.headers['x-parse-push-status-id']}`;
  let row;
  do {
    await sleep(200);
    // parse-server answers nobody while it sends, and hangs up on some who ask then
    row = await server.request('GET', where, { master: true, timeout: PATIENCE }).then(({ body }) => body, hungUp);
    if (performance.now() - begin > PATIENCE) throw new Error(`${server.which} does not come to an end: ${JSON.stringify(row)}`);
  } while (row.status !== 'succeeded' && row.numSent !== total);
  const seconds = (performance.now() - begin) / 1000;
  if (row.numSent !== total || sender.devices - before.devices !== total) throw new Error(`${server.which}: ${JSON.stringify(row)}`);
  return { seconds, processor: processorTime(pid) - before.processor, memoryMib: memoryOf(pid).peakMib - before.nowMib };
}

async function measureOn(which, sender, options) {
  const module = which === 'parse-server' ? path.join(compatDir, 'lib/forward-push.cjs') : 'webhook';
  const adapter = { module, options: { url: sender.url, ...(which === 'parse-server' ? {} : { path: 'push' }) } };
  const server = await start(which, { options: { push: { adapter } } });
  try {
    progress(`${options.devices} devices: ${contestants[which]}`);
    await fill(server, server, options.devices);
    const rounds = [];
    for (let round = 0; round < options.rounds; round += 1) rounds.push(await measurePush(server, sender, options.devices));
    return rounds;
  } finally {
    await server.stop();
    await dropDatabase(server.database);
  }
}

/** The median of the rounds of a figure. */
const median = (rounds, figure) => rounds.map(round => round[figure]).sort((a, b) => a - b)[Math.floor(rounds.length / 2)];

export function describePush({ devices, servers }) {
  const rows = Object.entries(servers).map(([which, rounds]) => [
    contestants[which],
    median(rounds, 'seconds').toFixed(1),
    median(rounds, 'processor').toFixed(1),
    median(rounds, 'memoryMib').toFixed(0),
  ]);
  return markdown([`${devices} devices`, 'seconds', 'processor seconds', 'MiB above idle'], rows);
}

/** Measures one push on each server. */
export async function push(options) {
  const sender = await startSender();
  const { version } = await mongodFacts();
  const result = { date: new Date().toISOString(), machine: machine(), versions: await versions(binary, version), devices: options.devices, servers: {} };
  const which = options.servers ?? Object.keys(contestants).filter(name => name !== 'floor');
  try {
    for (const name of which) {
      result.servers[name] = await measureOn(name, sender, options);
      progress(JSON.stringify(result.servers[name]));
    }
  } finally {
    sender.close();
  }
  console.log(describePush(result));
  return result;
}
