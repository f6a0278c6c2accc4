// Start without any configuration, as in the README.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { send } from '../lib/http.mjs';
import { freePort, until } from '../lib/net.mjs';
import { spawnReparse } from '../lib/server.mjs';
import { tempDir } from '../lib/temp.mjs';
import { filesBelow } from './support.mjs';

/** The words of a shell command line with simple quotes. */
const words = line => [...line.matchAll(/'([^']*)'|"((?:\\.|[^"\\])*)"|(\S+)/g)].map(([, single, double, bare]) => single ?? double?.replace(/\\(.)/g, '$1') ?? bare);

/** Sends the request of a `curl` command line. */
function curl(line) {
  const [, ...args] = words(line.trim());
  const request = { method: undefined, headers: {}, data: undefined, url: undefined };
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index];
    if (arg === '-X' || arg === '--request') request.method = args[(index += 1)];
    else if (arg === '-H' || arg === '--header') {
      const [name, ...value] = args[(index += 1)].split(':');
      request.headers[name.trim()] = value.join(':').trim();
    } else if (['-d', '--data', '--data-raw', '--json'].includes(arg)) request.data = args[(index += 1)];
    else if (!arg.startsWith('-')) request.url = arg;
  }
  return send(request.url, { method: request.method ?? (request.data ? 'POST' : 'GET'), headers: request.headers, data: request.data });
}

/** The command that a banner tells to try. */
function command(banner) {
  const line = banner.replaceAll('\\\n', ' ').split('\n').find(text => text.trim().startsWith('curl '));
  assert.ok(line, `no curl line in the banner:\n${banner}`);
  return line;
}

async function start(cwd, port) {
  const child = spawnReparse([], { cwd, env: { PORT: String(port) } });
  const healthy = () => send(`http://127.0.0.1:${port}/parse/health`).then(answer => answer.body?.status === 'ok', () => !child.alive);
  await until(healthy, { what: 'the first start' });
  assert.ok(child.alive, child.output);
  // written before the first answer, but a pipe and a socket are read in either order
  await until(() => child.output.includes('curl '), { what: `the banner in\n${child.output}` });
  return child;
}

test('the first run makes keys, says how to sign a user up, and the second keeps them', async () => {
  const cwd = tempDir();
  const port = await freePort();
  const first = await start(cwd, port);
  const banner = first.output;
  assert.match(banner, new RegExp(`http://127\\.0\\.0\\.1:${port}/parse`));
  assert.match(banner, /data/);
  const line = command(banner);
  const answer = await curl(line);
  assert.equal(answer.status, 201, answer.text);
  assert.match(answer.body.sessionToken, /^r:/);
  await first.stop();

  const data = path.join(cwd, 'data');
  const secrets = filesBelow(data).filter(file => /key/i.test(fs.readFileSync(file, 'latin1')) && fs.statSync(file).size < 4096);
  assert.ok(secrets.length > 0, `no file with keys in ${filesBelow(data)}`);
  for (const file of secrets) assert.equal(fs.statSync(file).mode & 0o777, 0o600, file);

  const second = await start(cwd, port);
  // the same keys: the user is there, and the name is taken
  const again = await curl(command(second.output));
  assert.equal(again.body.code, 202, again.text);
  const masterKey = /"?masterKey"?\s*[:=]\s*"?([A-Za-z0-9_-]{16,})/.exec(fs.readFileSync(secrets[0], 'utf8'))?.[1];
  assert.ok(masterKey, 'no master key in the file of keys');
  assert.ok(!second.output.includes(masterKey), 'the master key is printed after the first run');
  await second.stop();
});

test('only this machine can reach it', async () => {
  const cwd = tempDir();
  const port = await freePort();
  const child = await start(cwd, port);
  const sockets = fs.readFileSync('/proc/net/tcp', 'utf8').split('\n').filter(line => / 0A /.test(line));
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const addresses = sockets.map(line => line.trim().split(/\s+/)[1]).filter(local => local.endsWith(`:${hex}`));
  assert.deepEqual(addresses, [`0100007F:${hex}`]);
  await child.stop();
});
