// Do answer times tell whether an account exists? Each route is asked 2000 times with names that exist and names that do not, in random
// order, and the two distributions are compared by the Kolmogorov-Smirnov test: D is the greatest distance between them.
import path from 'node:path';
import { compatDir } from '../../lib/env.mjs';
import { shuffled } from './measure.mjs';
import { machine } from './options.mjs';
import { progress } from './report.mjs';
import { binary, contestants, dropDatabase, mongodFacts, start } from './servers.mjs';
import { versions } from './versions.mjs';

/** Above this distance a route is reported as telling. */
export const BOUND = 0.08;
const USERS = 50;

/** Routes, each with the options of its server: what it sends for a name. */
const ROUTES = [
  { route: 'requestPasswordReset', path: '/requestPasswordReset', body: name => ({ email: `${name}@example.com` }) },
  { route: 'verificationEmailRequest', path: '/verificationEmailRequest', body: name => ({ email: `${name}@example.com` }) },
  { route: 'login', path: '/login', body: name => ({ username: name, password: 'wrong' }) },
  { route: 'login, accountLockout', path: '/login', body: name => ({ username: name, password: 'wrong' }), lockout: true },
  { route: 'verifyPassword', path: '/verifyPassword', body: name => ({ username: name, password: 'wrong' }) },
  { route: 'challenge', path: '/challenge', body: name => ({ username: name, password: 'wrong', challengeData: { corp: {} } }) },
];

/** The greatest distance between two empirical distributions, and the probability of one as great between equal ones. */
export function kolmogorovSmirnov(first, second) {
  const [a, b] = [first, second].map(list => [...list].sort((x, y) => x - y));
  let [i, j, distance] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i], b[j]);
    while (a[i] <= value) i += 1;
    while (b[j] <= value) j += 1;
    distance = Math.max(distance, Math.abs(i / a.length - j / b.length));
  }
  const size = (a.length * b.length) / (a.length + b.length);
  const lambda = (Math.sqrt(size) + 0.12 + 0.11 / Math.sqrt(size)) * distance;
  let p = 0;
  for (let term = 1; term <= 100; term += 1) p += 2 * (term % 2 ? 1 : -1) * Math.exp(-2 * term * term * lambda * lambda);
  return { distance, p: distance === 0 ? 1 : Math.min(1, Math.max(0, p)) };
}

const median = list => [...list].sort((x, y) => x - y)[Math.floor(list.length / 2)];

async function sampled(server, { path, body }, samples) {
  const times = { known: [], unknown: [] };
  const order = shuffled(Array.from({ length: 2 * samples }, (_, index) => index % 2 === 0));
  for (const [index, known] of order.entries()) {
    // One request at a time, on one connection, from addresses that take turns.
    const name = `${known ? 'known' : 'nobody'}${index % USERS}`;
    const begun = process.hrtime.bigint();
    await server.request('POST', path, { json: body(name), agent: server.agent });
    times[known ? 'known' : 'unknown'].push(Number(process.hrtime.bigint() - begun) / 1e6);
  }
  return { known: median(times.known), unknown: median(times.unknown), ...kolmogorovSmirnov(times.known, times.unknown) };
}

async function measured(which, lockout, routes, samples, bcryptCost) {
  const options = {
    publicServerURL: 'http://127.0.0.1/parse',
    appName: 'times',
    verifyUserEmails: true,
    emailAdapter: { module: which === 'parse-server' ? path.join(compatDir, 'lib/discard-mail.cjs') : 'discard', options: {} },
    // The threshold is never reached: the texts that tell of a lock are another matter.
    ...(lockout ? { accountLockout: { threshold: 999, duration: 1 } } : {}),
  };
  const server = await start(which, { options, bcryptCost });
  try {
    for (let number = 0; number < USERS; number += 1) {
      await server.must('POST', '/users', { username: `known${number}`, password: 'secret', email: `known${number}@example.com` }, { master: false });
    }
    const rows = [];
    for (const route of routes) {
      progress(`${contestants[which]}: ${route.route}`);
      await sampled(server, route, Math.ceil(samples / 20));
      rows.push({ which, route: route.route, ...(await sampled(server, route, samples)) });
    }
    return rows;
  } finally {
    await server.stop();
    await dropDatabase(server.database);
  }
}

/** Measures; prints a table. */
export async function times(options) {
  const servers = options.servers ?? ['mongo', 'embedded'];
  const samples = options.count ?? 2000;
  const rows = [];
  for (const which of servers) {
    for (const lockout of [false, true]) {
      const routes = ROUTES.filter(one => Boolean(one.lockout) === lockout && (!options.only || options.only.includes(one.path.slice(1))));
      if (routes.length) rows.push(...(await measured(which, lockout, routes, samples, 4)));
    }
  }
  console.log(describeTimes({ rows }));
  return { date: new Date().toISOString(), machine: machine(), versions: await versions(binary, (await mongodFacts()).version), settings: { samples, bcryptCost: 4, bound: BOUND }, rows };
}

/** The table as Markdown. */
export function describeTimes({ rows }) {
  const lines = rows.map(
    row => `| ${row.route} | ${contestants[row.which]} | ${row.known.toFixed(2)} / ${row.unknown.toFixed(2)} | ${row.distance.toFixed(3)}${row.distance > BOUND ? ' **tells**' : ''} | ${row.p.toPrecision(2)} |`,
  );
  return ['| Route | Server | known / unknown, median ms | D | p |', '|---|---|---|---|---|', ...lines].join('\n');
}
