// A client that asks quietly: gets by id and creates, twenty a second. It has a thread of its own, so that the answers it gets do
// not wait for the work of those who attack beside it.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { send } from '../../lib/http.mjs';

/** The longest that a client waits, in ms; what takes longer counts as not answered. */
export const LONG = 120_000;

/** Asks a server for `seconds`; returns the sorted times in ms. */
export function quiet({ url, options: { appId } }, seconds) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { url, appId, seconds } });
    worker.once('message', resolve).once('error', reject);
  });
}

async function asked({ url, appId, seconds }) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  const common = { headers: { 'X-Parse-Application-Id': appId }, agent, timeout: LONG };
  const times = [];
  const open = [];
  const end = Date.now() + seconds * 1000;
  for (let number = 0; Date.now() < end; number += 1) {
    const begun = performance.now();
    const request = number % 2 ? send(`${url}/classes/Item/item1`, common) : send(`${url}/classes/Note`, { ...common, method: 'POST', json: { n: number } });
    open.push(request.then(({ status }) => status < 300, () => false).then(good => times.push(good ? performance.now() - begun : LONG)));
    await sleep(50);
  }
  await Promise.all(open);
  agent.destroy();
  return times.sort((a, b) => a - b);
}

if (!isMainThread && workerData?.url) parentPort.postMessage(await asked(workerData));
