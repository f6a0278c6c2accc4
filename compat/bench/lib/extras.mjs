// What options that are off add to a get by id: metrics, traces, the access log, compression. Each is measured on several servers of its
// own, because processes of the same kind differ, too; all servers are started and measured in turn, in random order.
import { once } from 'node:events';
import http from 'node:http';
import { measure, shuffled } from './measure.mjs';
import { machine } from './options.mjs';
import { figure, markdown, progress, provenance } from './report.mjs';
import { contender, stopAll } from './run-table.mjs';
import { scenarioNamed } from './scenarios.mjs';
import { sizes } from './seed.mjs';
import { binary, contestants, mongodFacts } from './servers.mjs';
import { versions } from './versions.mjs';

/** Options of the server for each, given the address of a receiver of traces. */
export const variants = {
  none: () => ({}),
  metrics: () => ({ metrics: { enabled: true } }),
  'traces of 1 %': endpoint => ({ traces: { endpoint, sampler: 'traceidratio', ratio: 0.01 } }),
  traces: endpoint => ({ traces: { endpoint } }),
  'access log': () => ({ accessLog: true, silent: false, logLevel: 'info' }),
  compression: () => ({ compression: true }),
};

export const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length;

/** By how much the mean of so many values is uncertain, as a share of it: one standard error. */
const uncertainty = values => Math.sqrt(values.reduce((sum, value) => sum + (value / mean(values) - 1) ** 2, 0) / (values.length - 1) / values.length);

/** `1.2 %`, with a minus sign instead of a hyphen. */
export const percent = value => `${value < 0 ? '−' : ''}${Math.abs(value * 100).toFixed(1)} %`;

export async function extras(options) {
  const names = options.only ?? Object.keys(variants);
  for (const name of names) if (!variants[name]) throw new Error(`no option is called ${name}; there are: ${Object.keys(variants).join(', ')}`);
  const which = options.servers ?? ['mongo', 'embedded'];
  const { pid: mongod, version } = await mongodFacts();
  const receiver = http.createServer((request, response) => request.resume().on('end', () => response.end('{}'))).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const endpoint = `http://127.0.0.1:${receiver.address().port}/v1/traces`;
  const result = {
    date: new Date().toISOString(), machine: machine(), versions: await versions(binary, version),
    settings: { rounds: options.rounds, seconds: options.seconds, warmup: options.warmup, processes: options.processes }, servers: {},
  };
  try {
    for (const store of which) {
      const contenders = [];
      try {
        // In random order, too: what is started later finds another machine.
        for (const name of shuffled(Array.from({ length: options.processes }, () => names).flat())) {
          const started = await contender(store, { size: sizes.small, options: variants[name](endpoint) });
          contenders.push({ ...started, name, cpu: [] });
        }
        for (let round = 0; round < options.rounds; round += 1) {
          progress(`${contestants[store]}: round ${round + 1} of ${options.rounds}`);
          for (const one of shuffled(contenders)) one.cpu.push((await measure(one, scenarioNamed('get'), { ...options, mongod })).cpu);
        }
        result.servers[store] = Object.fromEntries(names.map(name => [name, contenders.filter(one => one.name === name).map(({ cpu }) => mean(cpu))]));
      } finally {
        await stopAll(contenders);
      }
    }
  } finally {
    receiver.close();
  }
  console.log(describeExtras(result));
  return result;
}

/** The tables as Markdown. A share is given with one standard error, which comes from how much processes of one kind differ. */
export function describeExtras(result) {
  const parts = [provenance(result)];
  for (const [store, measured] of Object.entries(result.servers)) {
    const plain = measured.none;
    const rows = Object.entries(measured).map(([name, cpu]) => {
      const more = plain && plain !== cpu ? percent(mean(cpu) / mean(plain) - 1) : '–';
      const doubt = plain && plain !== cpu && cpu.length > 1 ? ` ± ${percent(Math.hypot(uncertainty(cpu), uncertainty(plain)))}` : '';
      return [name, figure(mean(cpu)), more + doubt, percent((Math.max(...cpu) - Math.min(...cpu)) / mean(cpu))];
    });
    parts.push(`### ${contestants[store]}\n`, markdown(['what is on', 'CPU, ms a get', 'more than none', 'between its processes'], rows));
  }
  return parts.join('\n\n');
}
