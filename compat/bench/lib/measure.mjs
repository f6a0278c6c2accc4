// Measures scenarios on several servers in turn, so that other load on the machine affects all of them.
import { load } from './load.mjs';
import { scenarioNamed, stream } from './scenarios.mjs';

export function median(values) {
  const sorted = values.filter(value => Number.isFinite(value)).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The entries in random order. */
export function shuffled(list) {
  return list.map(entry => [Math.random(), entry]).sort(([a], [b]) => a - b).map(([, entry]) => entry);
}

/** The figures of one run that are kept. CPU is in seconds per 1000 requests, latency in milliseconds. */
function figures(report, which) {
  const [first] = report.streams;
  const requests = report.streams.reduce((sum, { requests }) => sum + requests, 0);
  const per1000 = name => (report.processes[name] ? (report.processes[name].cpu * 1000) / requests : undefined);
  return {
    requests: first.requests,
    perSecond: first.per_second,
    p50: first.latency.p50,
    p90: first.latency.p90,
    p99: first.latency.p99,
    // with that of the process that runs its cloud code
    cpu: which === 'floor' ? per1000('load') : per1000('server') + (per1000('node') ?? 0),
    mongodCpu: per1000('mongod'),
    loadCpu: which === 'floor' ? undefined : per1000('load'),
    bytes: first.bytes === undefined ? undefined : first.bytes / first.requests,
    peakKib: report.processes.server?.peak_kib,
  };
}

/** The median of each figure over rounds. */
export function medians(rounds) {
  const names = [...new Set(rounds.flatMap(round => Object.keys(round)))];
  return Object.fromEntries(names.map(name => [name, median(rounds.map(round => round[name]))]));
}

/** The median over rounds of `a / b`: each round compares what ran at the same time. */
export function medianRatio(a, b, name) {
  const pairs = Math.min(a?.length ?? 0, b?.length ?? 0);
  return median(Array.from({ length: pairs }, (_, round) => a[round][name] / b[round][name]));
}

/** Counts on over all runs, so that no two requests of a run of the harness carry the same number. */
let serial = Date.now() % 1_000_000;

/** One scenario on one contestant. */
export async function measure(contestant, scenario, { seconds, warmup, mongod, requests, connections }) {
  const watch = { ...(contestant.server ? { server: contestant.server.child.pid, ...contestant.watch } : {}), ...(contestant.usesMongo ? { mongod } : {}) };
  const common = { seconds, warmup, watch, lists: contestant.lists };
  serial += 1;
  if (contestant.which === 'floor') {
    const spec = { ...common, uri: contestant.uri, scratch: contestant.scratch, operation: scenario.floor, connections: connections ?? scenario.connections, decode: Boolean(scenario.decode) };
    return figures(await load('floor', { ...spec, ...(contestant.bcryptCost ? { bcrypt_cost: contestant.bcryptCost } : {}) }), 'floor');
  }
  const extra = { run: serial.toString(36), ...(requests ? { requests } : {}), ...(connections ? { connections } : {}) };
  const report = await load('http', { ...common, address: contestant.server.address, streams: [stream(scenario, contestant.server, extra)] });
  return { ...figures(report, contestant.which), sample: report.streams[0].sample };
}

/** Requests a second of the cheap stream beside log ins: few enough that it does not wait for itself. */
const CHEAP_RATE = 100;

/** The latency of a cheap request alone, and while 8 clients log in without pause. */
export async function besideLogIns(contestant, { seconds, warmup, mongod, rate = CHEAP_RATE }) {
  const { server, lists } = contestant;
  serial += 1;
  const cheap = stream(scenarioNamed('get'), server, { connections: 8, rate });
  const logIns = stream(scenarioNamed('logIn'), server, { connections: 8, run: serial.toString(36) });
  const common = { address: server.address, seconds, warmup, lists, watch: { server: server.child.pid, mongod } };
  const alone = await load('http', { ...common, streams: [cheap] });
  const beside = await load('http', { ...common, streams: [cheap, logIns] });
  const [busy, hashing] = beside.streams;
  return {
    aloneP50: alone.streams[0].latency.p50,
    aloneP99: alone.streams[0].latency.p99,
    besideP50: busy.latency.p50,
    besideP99: busy.latency.p99,
    logInsPerSecond: hashing.per_second,
  };
}
