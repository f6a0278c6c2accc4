// The maximum cost of each scenario. A row passes or misses; a miss is reported, but fails no test.
import { median, medianRatio, medians } from './measure.mjs';

const TEN = ['get', 'me', 'equality', 'range', 'include', 'roles', 'gqlGet', 'gqlFind', 'gqlViewer'];
const EIGHT = ['create', 'increment', 'batch', 'gqlCreate'];
const HASHED = ['signUp', 'logIn', 'gqlSignUp', 'gqlLogIn'];
const SMALL_FILES = ['upload', 'download'];
const LARGE_FILES = ['uploadLarge', 'downloadLarge', 'downloadRange'];
const ABOVE_DRIVER = { get: 2, range: 2, create: 2.5 };

/** Cores that mongod kept busy. */
const mongodShare = round => (round.mongodCpu * round.perSecond) / 1000;

/** The throughput goal as a multiple of parse-server's, unless MongoDB is the limit and even the bare driver is slower. */
const FASTER = 5;

const show = value => (value === undefined ? '–' : value.toPrecision(3).replace(/e\+\d+$/, ''));

/** The rows of the budget for the MongoDB store, in their order. */
export function budget(result) {
  const rows = [];
  const row = (name, wanted, measured, passes, unit = ' ×') => {
    // `pass` is undefined where there is nothing to judge.
    rows.push({ row: name, wanted, measured: measured === undefined ? '–' : `${show(measured)}${unit}`, pass: measured === undefined ? undefined : passes(measured) });
  };
  const of = (scenario, which) => result.scenarios[scenario]?.rounds[which];
  const title = name => {
    const { group, title } = result.scenarios[name];
    return group === 'GraphQL' ? `GraphQL ${title}` : title;
  };
  const present = names => names.filter(name => result.scenarios[name]);
  const less = (names, factor) => {
    for (const name of present(names)) {
      row(`CPU, ${title(name)}`, `≥ ${factor} × less than parse-server`, medianRatio(of(name, 'parse-server'), of(name, 'mongo'), 'cpu'), value => value >= factor);
    }
  };
  less(TEN, 10);
  less(EIGHT, 8);
  for (const [name, factor] of Object.entries(ABOVE_DRIVER)) {
    if (result.scenarios[name]) row(`CPU, ${title(name)}`, `≤ ${factor} × the bare driver`, medianRatio(of(name, 'mongo'), of(name, 'floor'), 'cpu'), value => value <= factor);
  }
  for (const name of present(HASHED)) {
    row(`CPU, ${title(name)}`, '≤ 1.05 × the hash itself', medianRatio(of(name, 'mongo'), of(name, 'hash'), 'cpu'), value => value <= 1.05);
  }
  for (const name of present([...SMALL_FILES, ...LARGE_FILES])) {
    const share = SMALL_FILES.includes(name) ? 0.2 : 0.35;
    row(`CPU, ${title(name)}`, `≤ ${share} × parse-server's`, medianRatio(of(name, 'mongo'), of(name, 'parse-server'), 'cpu'), value => value <= share);
    const faster = SMALL_FILES.includes(name) ? 5 : 2;
    row(`throughput, ${title(name)}`, `≥ ${faster} × parse-server, where MongoDB is not the limit`, medianRatio(of(name, 'mongo'), of(name, 'parse-server'), 'perSecond'), value => (value >= faster ? true : undefined));
  }
  mixedRows(result, row);
  for (const name of present([...TEN, ...EIGHT])) {
    const share = median((of(name, 'mongo') ?? []).map(mongodShare));
    const busy = share === undefined ? '' : `; mongod uses ${share.toFixed(2)} of ${result.machine.cores} cores`;
    const most = medianRatio(of(name, 'floor'), of(name, 'parse-server'), 'perSecond');
    const limited = most < FASTER ? `; MongoDB is the limit: the bare driver has ${show(most)} ×` : '';
    row(`throughput, ${title(name)}`, `≥ ${FASTER} × parse-server${busy}${limited}`, medianRatio(of(name, 'mongo'), of(name, 'parse-server'), 'perSecond'), value => (value >= FASTER ? true : limited ? undefined : false));
    row(`throughput, ${title(name)}`, '≥ 70 % of the driver', percent(medianRatio(of(name, 'mongo'), of(name, 'floor'), 'perSecond')), value => value >= 70, ' %');
  }
  memoryRows(result, row);
  return rows;
}

const percent = value => (value === undefined ? undefined : value * 100);

function mixedRows(result, row) {
  const own = result.mixed.mongo;
  const reference = result.mixed['parse-server'];
  const growth = own && median(own.map(round => round.besideP99 / round.aloneP99));
  row('p99 of a cheap request while 8 clients log in', '≤ 4 × its p99 alone', growth, value => value <= 4);
  const ratio = own && reference && medianRatio(reference, own, 'besideP99');
  row('p99 of a cheap request while 8 clients log in', '≥ 10 × better than parse-server', ratio, value => value >= 10);
}

function memoryRows(result, row) {
  const starts = result.starts.mongo && medians(result.starts.mongo.again);
  row('idle memory', '≤ 20 MiB', starts && starts.rss_kib / 1024, value => value <= 20, ' MiB');
  row('peak memory over the whole run', '≤ 60 MiB', result.memory.mongo?.peakMib, value => value <= 60, ' MiB');
  const embedded = result.starts.embedded && medians(result.starts.embedded.again);
  row('start to /health, embedded store', '≤ 50 ms', embedded?.ms, value => value <= 50, ' ms');
}
