// The command line.
import os from 'node:os';

export const usage = `compat/bench/run [table|growth|push|downloads|cloud|times|overload|program|live|fleet|extras|instructions|document] [option…]

  table               every scenario on every server, and the budget (the default)
  growth              how cost grows with clients, objects, classes and roles
  push                one push to many devices
  downloads           memory of 100 downloads of 100 MiB at once (10 at parse-server, which holds them in memory)
  cloud               functions and triggers in JavaScript
  times               whether answer times tell which accounts exist (Kolmogorov-Smirnov)
  overload            what hostile requests do to the answers that others get, and to memory
  program             a Node program with npm parse-server, and with the package in node/
  live                live queries: cost and delay of events, memory of sockets (set --seconds 30)
  fleet               1, 2 and 4 servers on one mongod, and for how long one does not know what another did
  extras              what metrics, traces, the access log and compression add to a get by id (set --rounds 20 --seconds 1)
  instructions        what metrics and other options but traces add, counted in instructions under valgrind, on MongoDB
  document            the tables of docs/performance.md and the picture, out of the results that are checked in

  --only a,b          these scenarios, parts of growth (clients, objects, classes, roles), routes of times (login, challenge, …), or options of extras and instructions (none, metrics, …)
  --servers a,b       of parse-server, mongo, embedded, floor (default: all)
  --rounds N          how often each is measured; medians count (default: 3 for the table, 1 for growth)
  --seconds S         of each measurement (default 3)
  --warmup S          before each measurement (default 0.5)
  --objects N         the largest class of growth (default 1000000)
  --devices N         that get the push (default 100000)
  --processes N       of each option of extras (default 2; take ten or more to find small prices)
  --count N           of downloads (default 100), of samples of times (default 2000), of sockets (live), or of gets that are counted (default 5000)
  --no-start          do not measure the start
  --no-mixed          do not measure cheap requests beside log ins
  --out FILE          where the JSON goes (default compat/bench/results/TIME.json)
`;

/** Reads the arguments; fails with a line for the user. */
export function parseArguments(args) {
  const options = { command: 'table', seconds: 3, warmup: 0.5, start: true, mixed: true };
  const queue = [...args];
  const value = name => queue.shift() ?? refuse(`${name} needs a value`);
  const number = name => {
    const text = value(name);
    return Number(text) > 0 || text === '0' ? Number(text) : refuse(`${name} needs a number, not ${text}`);
  };
  const many = name => {
    const text = value(name);
    return /^[1-9]\d*$/.test(text) ? Number(text) : refuse(`${name} needs a whole number from 1 on, not ${text}`);
  };
  while (queue.length) {
    const word = queue.shift();
    if (['table', 'growth', 'push', 'downloads', 'cloud', 'times', 'overload', 'program', 'live', 'fleet', 'extras', 'instructions', 'document'].includes(word)) options.command = word;
    else if (word === '--only' || word === '--servers') options[word.slice(2)] = value(word).split(',');
    else if (word === '--objects') options.objectLimit = number(word);
    else if (word === '--devices') options.devices = number(word);
    else if (['--rounds', '--seconds', '--warmup'].includes(word)) options[word.slice(2)] = number(word);
    else if (word === '--count' || word === '--processes') options[word.slice(2)] = many(word);
    else if (word === '--out') options[word.slice(2)] = value(word);
    else if (word === '--no-start' || word === '--no-mixed') options[word.slice(5)] = false;
    else if (word === '--help') options.help = true;
    else refuse(`unknown: ${word}`);
  }
  options.rounds ??= options.command === 'growth' ? 1 : 3;
  options.devices ??= 100_000;
  options.processes ??= 2;
  return options;
}

function refuse(why) {
  throw new Error(`${why}\n\n${usage}`);
}

/** The machine, for the record. */
export function machine() {
  const cpus = os.cpus();
  return { cpu: cpus[0]?.model ?? '?', cores: cpus.length, memoryGiB: Math.round(os.totalmem() / 2 ** 30), system: `${os.type()} ${os.release()}` };
}
