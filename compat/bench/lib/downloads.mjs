// How much memory many downloads at once take: each client reads as fast as it can.
import http from 'node:http';
import { markdown, figure, progress } from './report.mjs';
import { machine } from './options.mjs';
import { upload } from './seed.mjs';
import { binary, contestants, dropDatabase, mongodFacts, start } from './servers.mjs';
import { memoryOf, versions } from './versions.mjs';

/** parse-server holds each file in memory, several times: as many as here would take all of a machine's. */
const FOR_PARSE_SERVER = 10;

/** Reads a file to its end and forgets it; resolves to the number of bytes. */
function read(server, name) {
  return new Promise((resolve, reject) => {
    const request = http.get(`${server.url}/files/${server.options.appId}/${name}`, { agent: false }, answer => {
      let bytes = 0;
      answer.on('data', piece => (bytes += piece.length));
      answer.on('error', reject);
      answer.on('end', () => (answer.statusCode === 200 && answer.complete ? resolve(bytes) : reject(new Error(`status ${answer.statusCode} after ${bytes} bytes`))));
    });
    request.on('error', reject);
  });
}

/** The most resident memory of a process while `work` runs, in MiB. The highest value of the system's own would count the upload, too. */
async function peakWhile(pid, work) {
  let peak = memoryOf(pid).nowMib;
  const watch = setInterval(() => (peak = Math.max(peak, memoryOf(pid).nowMib)), 5);
  try {
    await work();
  } finally {
    clearInterval(watch);
  }
  return Math.max(peak, memoryOf(pid).nowMib);
}

/** What `count` downloads at once of a file of `length` bytes cost a server that is running: MiB, and seconds. */
export async function measureOn(server, count, length) {
  // As a stream, so that the server holds no file when it idles.
  const name = await upload(server, 'large.bin', length, { 'X-Parse-Upload-Mode': 'stream', 'X-Parse-File-Max-Upload-Size': `${length + 1024}b` });
  await read(server, name);
  await new Promise(resolve => setTimeout(resolve, 2000));
  const { pid } = server.child;
  const idle = memoryOf(pid).nowMib;
  const begun = performance.now();
  const peak = await peakWhile(pid, async () => {
    const lengths = await Promise.all(Array.from({ length: count }, () => read(server, name)));
    if (lengths.some(read => read !== length)) throw new Error('a download was cut short');
  });
  return { count, idle, peak, above: peak - idle, seconds: (performance.now() - begun) / 1000 };
}

async function measure(which, count, length) {
  const server = await start(which);
  try {
    return await measureOn(server, count, length);
  } finally {
    await server.stop();
    await dropDatabase(server.database);
  }
}

/** `count` downloads of one file of `length` bytes at once, on each server. */
export async function downloads({ servers, count = 100, length = 100 << 20 }) {
  const mongod = await mongodFacts();
  const result = { date: new Date().toISOString(), machine: machine(), versions: await versions(binary, mongod.version), length, downloads: {} };
  for (const which of servers ?? Object.keys(contestants).filter(name => name !== 'floor')) {
    const most = which === 'parse-server' ? Math.min(count, FOR_PARSE_SERVER) : count;
    progress(`${most} downloads at once: ${contestants[which]}`);
    result.downloads[which] = await measure(which, most, length);
  }
  console.log(describeDownloads(result));
  return result;
}

export function describeDownloads({ length, downloads }) {
  const rows = Object.entries(downloads).map(([which, { count, idle, peak, above, seconds }]) => [contestants[which], count, figure(idle), figure(peak), figure(above), figure(seconds)]);
  return markdown([`downloads of ${figure(length / 2 ** 20)} MiB at once`, 'how many', 'idle, MiB', 'peak, MiB', 'above idle, MiB', 'seconds'], rows);
}
