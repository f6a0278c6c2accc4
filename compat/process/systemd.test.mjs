// systemd: what the server tells the socket in NOTIFY_SOCKET.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { after, test } from 'node:test';
import { until } from '../lib/net.mjs';
import { Server, spawnReparse, writeConfig } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { tempDir } from '../lib/temp.mjs';

const LIMIT = 60_000;

/** Node has no datagram sockets of Unix: Python plays systemd, and prints each message as a line of JSON. */
const SYSTEMD = `
import json, socket, sys
socket_ = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
socket_.bind(sys.argv[1])
print(json.dumps("bound"), flush=True)
while True:
    print(json.dumps(socket_.recv(65536).decode()), flush=True)
`;

const children = [];
after(() => children.forEach(child => child.kill()));

/** Plays systemd; returns the path of its socket, and the messages as they come. */
async function systemd() {
  const socket = path.join(tempDir('systemd'), 'notify');
  const child = spawn('python3', ['-c', SYSTEMD, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const messages = [];
  readline.createInterface({ input: child.stdout }).on('line', line => messages.push(JSON.parse(line)));
  await until(() => messages.shift() === 'bound', { limit: LIMIT, what: 'the socket' });
  return { socket, messages };
}

test('ready, reload, stop', async () => {
  const { socket, messages } = await systemd();
  const { file, config, dir } = await writeConfig({}, { database: freshDatabase('embedded') });
  const child = spawnReparse([file], { cwd: dir, env: { NOTIFY_SOCKET: socket } });
  const server = new Server(child, config.port, config);
  const told = count => until(() => messages.length >= count, { limit: LIMIT, what: `message ${count}` });
  await told(1);
  assert.equal(messages[0], 'READY=1\n');
  // from here on a request is answered, without waiting for the port
  assert.equal((await server.request('GET', '/config')).status, 200);
  for (const broken of [false, true]) {
    const before = messages.length;
    if (broken) fs.writeFileSync(file, '{');
    child.signal('SIGHUP');
    await told(before + 2);
    const [, usec] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)\n$/.exec(messages[before]) ?? assert.fail(messages[before]);
    const uptime = Number(fs.readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1e6;
    assert.ok(Number(usec) > 0 && Number(usec) <= uptime + 1e6, `${usec} of ${uptime}`);
    assert.equal(messages[before + 1], 'READY=1\n');
  }
  await server.stop();
  await told(6);
  assert.deepEqual(messages.slice(5), ['STOPPING=1\n']);
});

test('signs of life, if they are asked for', async () => {
  const { socket, messages } = await systemd();
  const { file, dir } = await writeConfig({}, { database: freshDatabase('embedded') });
  const child = spawnReparse([file], { cwd: dir, env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '200000' } });
  const signs = () => messages.filter(message => message === 'WATCHDOG=1\n').length;
  await until(() => signs() >= 5, { limit: LIMIT, what: 'signs of life' });
  await child.stop();
});

test('signs of life that are asked of another process are not given', async () => {
  const { socket, messages } = await systemd();
  const { file, dir } = await writeConfig({}, { database: freshDatabase('embedded') });
  const child = spawnReparse([file], { cwd: dir, env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' } });
  await until(() => messages.length, { limit: LIMIT, what: 'the start' });
  await child.stop();
  await until(() => messages.length >= 2, { limit: LIMIT, what: 'the stop' });
  assert.deepEqual(messages, ['READY=1\n', 'STOPPING=1\n']);
});

test('a socket that is gone is warned of, and stops nothing', async () => {
  const { file, config, dir } = await writeConfig({}, { database: freshDatabase('embedded') });
  const child = spawnReparse([file], { cwd: dir, env: { NOTIFY_SOCKET: '/nowhere/notify' } });
  const server = await new Server(child, config.port, config).ready();
  assert.equal((await server.stop()).code, 0);
  assert.match(child.output, /the supervisor \(NOTIFY_SOCKET\) could not be told/);
});
