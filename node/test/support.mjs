// Programs that use parse-server as a library, run with this package or with npm parse-server.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const packageFolder = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
export const programs = path.join(packageFolder, 'test/programs');
const compat = path.join(packageFolder, '../compat');

/** The binary under test. */
export const binary = path.resolve(process.env.REPARSE_TEST_BIN ?? path.join(packageFolder, '../target/debug/reparse'));

/** What programs find as `parse-server`. */
export const libraries = {
  reparse: packageFolder,
  'parse-server': path.join(compat, 'node_modules/parse-server'),
};

const folders = [];
const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });
});

export function tempFolder() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'reparse-node-test-'));
  folders.push(folder);
  return folder;
}

export const sleep = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

/** Resolves after a time, if the test still runs then: a process of tests that are over does not wait for it. */
const atMost = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds).unref());

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

let databases = 0;

/** A database of its own: on the test's MongoDB, or a folder for the embedded store. */
export function freshDatabase(store = 'mongo', folder = tempFolder()) {
  if (store === 'embedded') return `file:${folder}/data`;
  const uri = process.env.REPARSE_TEST_MONGO;
  if (!uri) throw new Error('REPARSE_TEST_MONGO names no MongoDB');
  const name = `node-${process.pid}-${Date.now().toString(36)}-${databases++}`;
  return uri.replace(/^(mongodb:\/\/[^/?]+)\/?[^?]*/, `$1/${name}`);
}

/** A folder with a program's files, in which `parse-server` is the library, and `express` a major version of Express. */
export function install(files, library = 'reparse', express = 5) {
  const folder = tempFolder();
  const modules = path.join(folder, 'node_modules');
  fs.mkdirSync(modules);
  const real = fs.realpathSync(libraries[library]);
  const sdk = createRequire(path.join(real, 'package.json')).resolve('parse/node');
  const links = {
    'parse-server': real,
    parse: sdk.slice(0, sdk.lastIndexOf('/parse/') + '/parse'.length),
    express: path.join(packageFolder, 'node_modules', express === 4 ? 'express4' : 'express'),
  };
  for (const name of ['compression', 'cors', 'helmet', 'morgan', 'ws']) links[name] = path.join(packageFolder, 'node_modules', name);
  for (const [name, target] of Object.entries(links)) fs.symlinkSync(target, path.join(modules, name));
  if (typeof files === 'string') fs.cpSync(files, folder, { recursive: true });
  else for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
  return folder;
}

export class Program {
  /** Starts a program and waits until it says that it is ready, or ends. */
  static async start(folder, { file, env = {}, args = [] } = {}) {
    const self = new Program();
    self.port = await freePort();
    file ??= ['index.js', 'index.mjs', 'index.cjs'].find(name => fs.existsSync(path.join(folder, name)));
    self.url = `http://127.0.0.1:${self.port}`;
    self.output = '';
    self.process = spawn(process.execPath, [...args, file], {
      cwd: folder,
      env: {
        ...process.env, NODE_ENV: 'production', NODE_NO_WARNINGS: '1', PARSE_SERVER_LOGS_FOLDER: 'null', REPARSE_BIN: binary, PORT: String(self.port), ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(self.process);
    self.ended = new Promise(resolve => {
      self.process.once('close', (code, signal) => {
        children.delete(self.process);
        resolve({ code, signal });
      });
    });
    const ready = new Promise(resolve => {
      for (const stream of [self.process.stdout, self.process.stderr]) {
        stream.on('data', chunk => {
          self.output += chunk;
          if (self.output.includes('READY')) resolve(true);
        });
      }
    });
    self.ready = await Promise.race([ready, self.ended.then(() => false), atMost(60_000).then(() => false)]);
    return self;
  }

  get alive() {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  request(method, where, { body, master, session, app = 'app', headers = {}, key = 'master' } = {}) {
    const all = { ...headers };
    if (app) all['X-Parse-Application-Id'] = app;
    if (master) all['X-Parse-Master-Key'] = key;
    if (session) all['X-Parse-Session-Token'] = session;
    return send(this.url + where, { method, body, headers: all });
  }

  /** The process ids of the servers that the program has started. */
  servers() {
    return childrenOf(this.process.pid);
  }

  async stop(signal = 'SIGTERM') {
    if (this.alive) this.process.kill(signal);
    const end = await Promise.race([this.ended, atMost(60_000)]);
    if (end) return end;
    this.process.kill('SIGKILL');
    throw new Error(`the program does not end:\n${this.output.slice(-2000)}`);
  }
}

/** Process ids of the children of a process. */
export function childrenOf(pid) {
  const found = [];
  for (const name of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = fs.readFileSync(`/proc/${name}/stat`, 'utf8');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid) found.push(Number(name));
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits until something holds. */
export async function until(holds, what, limit = 60_000) {
  const end = Date.now() + limit;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`in vain: ${what}`);
    await sleep(20);
  }
}

/** Each request has a connection of its own. */
const alone = new http.Agent({ keepAlive: false });

/** One request; objects are sent as JSON. The answer: `{status, headers, body, text, raw}`. */
export function send(url, { method = 'GET', body, headers = {}, agent = alone } = {}) {
  const json = body !== undefined && !Buffer.isBuffer(body) && typeof body !== 'string';
  const bytes = json ? JSON.stringify(body) : body;
  const all = { ...(json ? { 'Content-Type': 'application/json' } : {}), ...headers };
  if (bytes !== undefined && all['Transfer-Encoding'] === undefined) all['Content-Length'] = Buffer.byteLength(bytes);
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers: all, agent }, answer => {
      const chunks = [];
      answer.on('data', chunk => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const raw = Buffer.concat(chunks);
        const text = raw.toString('utf8');
        let parsed;
        try {
          parsed = JSON.parse(text);
        } catch {
          parsed = undefined;
        }
        resolve({ status: answer.statusCode, headers: answer.headers, body: parsed, text, raw });
      });
    });
    request.on('error', reject);
    request.end(bytes);
  });
}
