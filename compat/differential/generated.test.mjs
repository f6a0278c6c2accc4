// Thousands of random requests to npm parse-server and to the server under test on both stores: every answer is the same, except for the
// differences that `known.mjs` lists with their reasons.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { isAccident, isRefusal } from './accidents.mjs';
import { Generator } from './generate.mjs';
import { known } from './known.mjs';
import { Normaliser } from './normalise.mjs';
import { canonical } from './database.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';

const SEED = Number(process.env.REPARSE_TEST_SEED ?? 20);
const REST = Number(process.env.REPARSE_TEST_REST ?? 2000);
const GRAPHQL = Number(process.env.REPARSE_TEST_GRAPHQL ?? 500);
/** Worlds run side by side; the requests of one world run one after the other. */
const WORLDS = 8;
/** Of differences that are not listed, at most so many are shown. */
const SHOWN = 25;
/** A file for all of them, one JSON line each. */
const REPORT = process.env.REPARSE_TEST_REPORT;

/** A server, and the tokens of the users. */
class Side {
  constructor(name, server) {
    this.name = name;
    this.server = server;
    this.tokens = {};
    this.normalisers = new Map();
  }

  async send({ method, path, json, query, as, keep, graphql }) {
    const who = as === 'master' ? { master: true } : as === 'nobody' ? {} : { session: this.tokens[as] };
    const answer = graphql
      ? await this.server.request('POST', '/../graphql', { json: graphql, ...who })
      : await this.server.request(method, path, { json, query, ...who });
    if (keep) this.tokens[keep] = answer.body.sessionToken;
    return answer;
  }

  /** What is compared of an answer. */
  essence(world, request, answer) {
    if (!this.normalisers.has(world)) this.normalisers.set(world, new Normaliser(this.server.root));
    const { status, body } = this.normalisers.get(world).answer(answer);
    return JSON.parse(canonical({ status, body: unordered(request, body) }));
  }
}

/** Without an order the rows come in the store's own. */
function unordered(request, body) {
  const free = request.path?.startsWith('/aggregate') || (request.query && !request.query.order);
  if (!free || !Array.isArray(body?.results)) return body;
  return { ...body, results: [...body.results].sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1)) };
}

const same = (a, b) => {
  try {
    assert.deepStrictEqual(a, b);
    return true;
  } catch {
    return false;
  }
};

describe(`requests of seed ${SEED}`, () => {
  const sides = {};
  before(async () => {
    const options = { allowCustomObjectId: true, allowClientClassCreation: true, mountGraphQL: true, graphQLPath: '/graphql' };
    const start = async (name, more) => { sides[name] = new Side(name, await startServer(options, more)); };
    await Promise.all([
      start('reference', { which: 'reference', database: freshDatabase('mongo') }),
      start('mongo', { which: 'reparse', database: freshDatabase('mongo') }),
      start('embedded', { which: 'reparse', database: freshDatabase('embedded') }),
    ]);
  });
  after(() => Promise.all(Object.values(sides).map(({ server }) => server.stop())));

  const surprises = [];
  const surprise = found => {
    surprises.push(found);
    if (REPORT) fs.appendFileSync(REPORT, `${JSON.stringify(found)}\n`);
  };
  const seen = new Map(known.map(entry => [entry, 0]));

  function judge(world, request, answers) {
    const { reference, mongo, embedded } = answers;
    const shown = Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, sides[name].essence(world, request, answer)]));
    const pairs = [['mongo', mongo], ['embedded', embedded]];
    for (const [name, answer] of pairs) {
      if (answer.status >= 500) { surprise({ name, why: 'an internal error', request, shown }); continue; }
      if (isAccident(reference) && isRefusal(answer, reference)) continue;
      if (same(shown[name], shown.reference)) continue;
      const entry = known.find(({ store, matches }) => (!store || store === name) && matches(request, shown[name], shown.reference));
      if (entry) seen.set(entry, seen.get(entry) + 1);
      else surprise({ name, why: 'another answer than the reference', request, shown: { [name]: shown[name], reference: shown.reference } });
    }
  }

  async function run(world, count, make) {
    for (let number = 0; number < count; number++) {
      const request = make();
      const names = Object.keys(sides);
      const answers = await Promise.all(names.map(name => sides[name].send(request)));
      judge(world, request, Object.fromEntries(names.map((name, index) => [name, answers[index]])));
    }
  }

  function settle() {
    const found = surprises.splice(0);
    assert.equal(found.length, 0, `${found.length} differences are not listed:\n${found.slice(0, SHOWN).map(one => JSON.stringify(one)).join('\n')}`);
  }

  const generators = Array.from({ length: WORLDS }, (_, world) => new Generator(SEED * 1000 + world, world));
  const share = total => Math.ceil(total / WORLDS);

  test('worlds are made', { timeout: 120_000 }, async () => {
    // Classes are made one after the other: the reference reads its schema again each time.
    for (const [world, generator] of generators.entries()) {
      const requests = generator.setUp();
      await run(world, requests.length, () => requests.shift());
    }
    settle();
  });
  test(`${REST} REST requests`, { timeout: 3_600_000 }, async () => {
    await Promise.all(generators.map((generator, world) => run(world, share(REST), () => generator.rest())));
    settle();
  });
  test(`${GRAPHQL} GraphQL requests`, { timeout: 3_600_000 }, async () => {
    await Promise.all(generators.map((generator, world) => run(world, share(GRAPHQL), () => generator.graphql())));
    settle();
  });
  test('listed differences are met', t => {
    for (const [{ reason }, times] of seen) t.diagnostic(`${times} × ${reason}`);
    assert.ok([...seen.values()].some(times => times > 0) || known.length === 0);
  });
});
