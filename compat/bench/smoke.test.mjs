// Tests the benchmark harness: every scenario gets correct answers from every server, and the reports are generated. A few requests
// each; no timing is checked.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { binary } from '../lib/env.mjs';

process.env.REPARSE_BENCH_BIN ??= binary;
process.env.REPARSE_BENCH_LOAD ??= path.join(path.dirname(binary), 'reparse-load');
const { cloud, describeCloud, scenarios: cloudScenarios } = await import('./lib/cloud.mjs');
const { budget } = await import('./lib/budget.mjs');
const { describeExtras, extras } = await import('./lib/extras.mjs');
const { describeDownloads, downloads } = await import('./lib/downloads.mjs');
const { describePart, growth } = await import('./lib/growth.mjs');
const { describeLive, live } = await import('./lib/live.mjs');
const { load } = await import('./lib/load.mjs');
const { besideLogIns, measure } = await import('./lib/measure.mjs');
const { machine, parseArguments } = await import('./lib/options.mjs');
const { describeFleet, fleet } = await import('./lib/fleet.mjs');
const { describeProgram, ownCost, program, scenarios: programScenarios } = await import('./lib/program.mjs');
const { describePush, push } = await import('./lib/push.mjs');
const { describeOverload, overload } = await import('./lib/overload.mjs');
const { picture } = await import('./lib/picture.mjs');
const { describe: describeResult } = await import('./lib/report.mjs');
const { contender, floorOn, stopAll } = await import('./lib/run-table.mjs');
const { scenarios, stream } = await import('./lib/scenarios.mjs');
const { describeTimes, kolmogorovSmirnov, times } = await import('./lib/times.mjs');
const { sizes } = await import('./lib/seed.mjs');
const { contestants, mongodFacts, prepare } = await import('./lib/servers.mjs');
const { memoryOf, versions } = await import('./lib/versions.mjs');

/** The names and types in an answer, without values. Ids are names in an ACL. */
function shape(value) {
  if (Array.isArray(value)) return [...new Set(value.map(entry => JSON.stringify(shape(entry))))].sort();
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [/^\w{10}$/.test(name) ? '(id)' : name, shape(entry)]).sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe('benchmarks', () => {
  const few = { seconds: 20, warmup: 0, requests: 5, connections: 2 };
  const contenders = [];
  const result = { date: new Date().toISOString(), machine: machine(), settings: {}, starts: {}, scenarios: {}, mixed: {}, memory: {} };
  let mongod;

  before(async () => {
    mongod = await mongodFacts();
    result.versions = await versions(process.env.REPARSE_BENCH_BIN, mongod.version);
    const which = Object.keys(contestants).filter(name => name !== 'floor');
    contenders.push(...(await Promise.all(which.map(name => contender(name, { size: sizes.small, bcryptCost: 4 })))));
  });
  after(() => stopAll(contenders));

  for (const scenario of scenarios) {
    test(`${scenario.group} ${scenario.title}`, async () => {
      const rows = (result.scenarios[scenario.name] = { title: scenario.title, group: scenario.group, rounds: {} });
      const shapes = {};
      for (const contestant of contenders) {
        const { sample, ...figures } = await measure(contestant, scenario, { ...few, mongod: mongod.pid });
        assert.equal(figures.requests, few.requests);
        shapes[contestant.which] = scenario.bytes ? figures.bytes >= scenario.bytes : shape(JSON.parse(sample));
        rows.rounds[contestant.which] = [figures];
      }
      for (const which of ['mongo', 'embedded']) assert.deepEqual(shapes[which], shapes['parse-server'], which);
    });
  }

  test('the bare driver does the same work', async () => {
    const own = contenders.find(({ which }) => which === 'mongo');
    for (const scenario of scenarios.filter(({ floor }) => floor)) {
      const figures = await measure(floorOn(own), scenario, { seconds: 0.05, warmup: 0, mongod: mongod.pid });
      assert.ok(figures.requests > 0);
      result.scenarios[scenario.name].rounds.floor = [figures];
    }
  });

  test('a cheap request beside log ins', async () => {
    for (const contestant of contenders) {
      result.mixed[contestant.which] = [await besideLogIns(contestant, { seconds: 0.5, warmup: 0, mongod: mongod.pid })];
    }
  });

  test('a start', async () => {
    const { command, env, cwd, config } = await prepare('embedded');
    const spec = { command, env, cwd, address: `127.0.0.1:${config.port}`, path: `${config.mountPath}/health`, times: 2, settle: 0 };
    const again = await load('start', spec);
    assert.equal(again.length, 2);
    for (const one of again) assert.ok(one.ms > 0 && one.rss_kib > 1000);
    result.starts.embedded = { first: again[0], again };
  });

  test('an answer that is not the expected one fails the run', async () => {
    const { server, lists } = contenders.find(({ which }) => which === 'mongo');
    const [get] = scenarios.filter(({ name }) => name === 'get').map(scenario => stream(scenario, server, { requests: 3 }));
    for (const expect of [{ status: 201 }, { status: 200, contains: ['nowhere'] }, { status: 200, absent: ['objectId'] }, { status: 200, count: [{ text: 'objectId', times: 9 }] }]) {
      await assert.rejects(load('http', { address: server.address, seconds: 5, lists, streams: [{ ...get, expect }] }), /not as expected/);
    }
  });

  test('the reports', () => {
    for (const { which, server } of contenders) result.memory[which] = memoryOf(server.child.pid);
    result.budget = budget(result);
    const text = describeResult(result);
    for (const { title } of scenarios) assert.ok(text.includes(title), title);
    assert.doesNotMatch(text, /undefined|NaN|\[object/);
    assert.match(picture(result), /^<svg [^]*<\/svg>\n$/);
    assert.doesNotMatch(picture(result), /undefined|NaN|Infinity/);
  });

  test('many downloads at once', async () => {
    const outcome = await downloads({ servers: ['embedded', 'parse-server'], count: 3, length: 1 << 20 });
    const text = describeDownloads(outcome);
    assert.match(text, /\| reparse, embedded \| 3 \| /);
    assert.doesNotMatch(text, /undefined|NaN/);
  });

  test('cloud code', async () => {
    const options = parseArguments(['cloud', '--rounds', '1', '--seconds', '0.05', '--warmup', '0']);
    const text = describeCloud(await cloud(options));
    for (const { title } of Object.values(cloudScenarios)) assert.ok(text.includes(title), title);
    assert.doesNotMatch(text, /undefined|NaN/);
  });

  test('a fleet', async () => {
    const options = parseArguments(['fleet', '--rounds', '1', '--seconds', '0.2', '--warmup', '0']);
    const text = describeFleet(await fleet({ ...options, size: sizes.small, samples: 2 }));
    assert.match(text, /\| create \| 4 \| /);
    assert.doesNotMatch(text, /undefined|NaN/);
  });

  test('what options add', async () => {
    const outcome = await extras(parseArguments(['extras', '--rounds', '1', '--seconds', '0.1', '--warmup', '0']));
    const text = describeExtras(outcome);
    for (const name of ['metrics', 'traces of 1 %', 'access log']) assert.equal(text.split(`| ${name} |`).length, 3, name);
    assert.doesNotMatch(text, /undefined|NaN/);
    await assert.rejects(extras({ ...outcome.settings, only: ['sugar'] }), /no option is called sugar/);
  });

  test('a Node program', async () => {
    const options = parseArguments(['program', '--rounds', '1', '--seconds', '0.2', '--warmup', '0']);
    const outcome = await program(options);
    const text = describeProgram(outcome);
    for (const { title } of Object.values(programScenarios)) assert.ok(text.includes(title), title);
    assert.equal(typeof ownCost(outcome), 'number');
    assert.doesNotMatch(text, /undefined|NaN/);
  });

  test('growth', async () => {
    const options = parseArguments(['growth', '--only', 'roles', '--servers', 'embedded', '--rounds', '1', '--seconds', '0.05', '--warmup', '0']);
    const outcome = await growth({ ...options, roles: [1, 3], size: sizes.small, bcryptCost: 4 });
    const text = describePart('roles', outcome.parts.roles);
    assert.match(text, /\| 3 \|/);
    assert.doesNotMatch(text, /undefined|NaN/);
  });

  test('a push', async () => {
    const outcome = await push(parseArguments(['push', '--devices', '250', '--rounds', '1']));
    assert.deepEqual(Object.keys(outcome.servers), ['parse-server', 'mongo', 'embedded']);
    assert.doesNotMatch(describePush(outcome), /undefined|NaN/);
  });

  test('answer times', async () => {
    const outcome = await times({ ...parseArguments(['times', '--servers', 'embedded', '--count', '4']) });
    assert.equal(outcome.rows.length, 6);
    assert.doesNotMatch(describeTimes(outcome), /undefined|NaN/);
    assert.deepEqual(kolmogorovSmirnov([1, 2, 3, 4], [5, 6, 7, 8]).distance, 1);
    assert.deepEqual(kolmogorovSmirnov([1, 2, 3, 4], [1, 2, 3, 9]).distance, 0.25);
    assert.deepEqual(kolmogorovSmirnov([1, 2], [1, 2]), { distance: 0, p: 1 });
  });

  test('overload', async () => {
    const outcome = await overload({ ...parseArguments(['overload', '--servers', 'embedded', '--only', 'F1,C10', '--seconds', '0.5']) });
    assert.equal(outcome.rows.length, 2);
    assert.ok(outcome.rows.every(({ alive }) => alive));
    assert.doesNotMatch(describeOverload(outcome), /undefined|NaN/);
  });

  test('live queries', async () => {
    const outcome = await live({ ...parseArguments(['live', '--servers', 'parse-server,embedded', '--only', 'many,idle', '--seconds', '0.2', '--count', '4']) });
    assert.equal(outcome.rows.length, 4);
    for (const { which, part, told, expected } of outcome.rows) assert.equal(told, expected, `${which}, ${part}`);
    assert.doesNotMatch(describeLive(outcome), /undefined|NaN/);
  });

  test('what the command line does not know', () => {
    for (const args of [['--nonsense'], ['--rounds'], ['--rounds', 'many'], ['fast']]) assert.throws(() => parseArguments(args));
  });
});
