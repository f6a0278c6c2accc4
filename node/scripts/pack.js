'use strict';
// Packs what is published: this package, or with a binary the package that holds it for one kind of machine.
//
//   node scripts/pack.js OUT                       reparse-VERSION.tgz into the folder OUT
//   node scripts/pack.js OUT BINARY [PLATFORM]     reparse-PLATFORM-VERSION.tgz; PLATFORM is linux-x64, …, by default this machine's
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { PLATFORMS, here, programFor } = require('../lib/platforms');

const root = path.join(__dirname, '..');
const read = name => fs.readFileSync(path.join(root, name), 'utf8');
const own = JSON.parse(read('package.json'));

/** First bytes of programs, and which machines run them. */
const ELF = 0x7f454c46;
const MACH_O = 0xcffaedfe;
const MACHINES = { [ELF]: { at: 18, bytes: 2, cpu: { 0x3e: 'x64', 0xb7: 'arm64' }, os: 'linux' }, [MACH_O]: { at: 4, bytes: 4, cpu: { 0x1000007: 'x64', 0x100000c: 'arm64' }, os: 'darwin' } };

/** The kind of machine that a program is for. */
function platformOf(binary) {
  const head = Buffer.alloc(4096);
  const file = fs.openSync(binary, 'r');
  fs.readSync(file, head, 0, head.length, 0);
  fs.closeSync(file);
  if (head.toString('latin1', 0, 2) === 'MZ') return platformOfWindows(head);
  const machine = MACHINES[head.readUInt32BE(0)];
  const cpu = machine?.cpu[head.readUIntLE(machine.at, machine.bytes)];
  return cpu && `${machine.os}-${cpu}`;
}

/** Programs for Windows say where, after a program for DOS, their header begins. */
function platformOfWindows(head) {
  const at = head.readUInt32LE(0x3c);
  if (at > head.length - 6 || head.toString('latin1', at, at + 4) !== 'PE\0\0') return undefined;
  return head.readUInt16LE(at + 4) === 0x8664 ? 'win32-x64' : undefined;
}

function check(binary, platform) {
  if (!PLATFORMS.includes(platform)) throw new Error(`${platform} is none of ${PLATFORMS.join(', ')}`);
  const is = platformOf(binary);
  if (is !== platform) throw new Error(`${binary} is ${is ? `for ${is}` : 'no program'}, not for ${platform}`);
  if (platform !== here) return;
  const said = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim();
  if (said !== `reparse ${own.version}`) throw new Error(`${binary} is ${said}, not reparse ${own.version}`);
}

/** Fills the folder of a platform's package. */
function platformPackage(folder, binary, platform) {
  check(binary, platform);
  const [system, cpu] = platform.split('-');
  const values = { os: system, cpu, version: own.version };
  const description = JSON.parse(read('platform/package.json').replace(/\{(os|cpu|version)\}/g, (_, name) => values[name]));
  if (system !== 'linux') delete description.libc;
  fs.writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(description, null, 2)}\n`);
  fs.mkdirSync(path.join(folder, 'bin'));
  const program = path.join(folder, 'bin', programFor(platform));
  fs.copyFileSync(binary, program);
  fs.chmodSync(program, 0o755);
  fs.copyFileSync(path.join(root, 'platform/README.md'), path.join(folder, 'README.md'));
}

/** Fills the folder of this package. The JavaScript that joins a server is that of the server, which is kept in one place. */
function mainPackage(folder) {
  const { scripts: _scripts, devDependencies: _development, private: _private, ...description } = own;
  fs.writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(description, null, 2)}\n`);
  for (const name of ['README.md', 'bin', 'lib', 'types']) fs.cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
  fs.cpSync(path.join(root, '../src/adapters/cloud/node/bootstrap'), path.join(folder, 'bootstrap'), { recursive: true });
}

function pack(out, binary, platform = here) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'reparse-pack-'));
  try {
    if (binary) platformPackage(folder, path.resolve(binary), platform);
    else mainPackage(folder);
    for (const file of ['LICENSE', 'NOTICE']) fs.copyFileSync(path.join(root, '..', file), path.join(folder, file));
    fs.mkdirSync(out, { recursive: true });
    // There it is a script of the shell.
    const windows = process.platform === 'win32';
    const told = execFileSync(windows ? 'npm.cmd' : 'npm', ['pack', folder, '--pack-destination', path.resolve(out), '--json', '--ignore-scripts'], { encoding: 'utf8', shell: windows });
    return path.join(out, JSON.parse(told)[0].filename);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const [out, binary, platform] = process.argv.slice(2);
if (!out) {
  console.error('usage: node scripts/pack.js OUT [BINARY [PLATFORM]]');
  process.exit(2);
}
console.log(pack(out, binary, platform));
