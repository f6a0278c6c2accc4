// The table: all scenarios on all servers, in turn.
import { budget } from './budget.mjs';
import { load } from './load.mjs';
import { besideLogIns, measure } from './measure.mjs';
import { machine } from './options.mjs';
import { printResult, progress } from './report.mjs';
import { scenarioNamed, scenarios } from './scenarios.mjs';
import { seed, sizes } from './seed.mjs';
import { binary, contestants, dropDatabase, mongodFacts, prepare, start } from './servers.mjs';
import { memoryOf, versions } from './versions.mjs';

/** Starts and seeds one server. */
export async function contender(which, { size = sizes.full, bcryptCost, options, under } = {}) {
  const server = await start(which, { bcryptCost, options, under });
  try {
    return { which, server, lists: await seed(server, size), usesMongo: which !== 'embedded', bcryptCost };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** The bare driver, on the database that this server has filled. */
export function floorOn({ server, lists, bcryptCost }) {
  const scratch = `${new URL(server.database).pathname.slice(1)}_floor`;
  return { which: 'floor', lists, usesMongo: true, uri: server.database, scratch, bcryptCost };
}

/** Milliseconds to the first healthy answer, and idle memory: on an empty database first, then on the one that made. */
async function measureStarts(which, times) {
  const prepared = await prepare(which);
  const spec = {
    command: prepared.command, env: prepared.env, cwd: prepared.cwd, settle: 2,
    address: `127.0.0.1:${prepared.config.port}`, path: `${prepared.config.mountPath}/health`,
  };
  const [first] = await load('start', { ...spec, times: 1 });
  const again = await load('start', { ...spec, times });
  await dropDatabase(prepared.database);
  return { first, again };
}

export async function stopAll(contenders) {
  for (const { server } of contenders) {
    if (!server) continue;
    await server.stop();
    await dropDatabase(server.database);
  }
}

export async function runTable(options) {
  const chosen = options.servers ?? Object.keys(contestants);
  const which = chosen.filter(name => name !== 'floor');
  for (const name of chosen) if (!contestants[name]) throw new Error(`no server is called ${name}; there are: ${Object.keys(contestants).join(', ')}`);
  const list = options.only ? options.only.map(scenarioNamed) : scenarios;
  const mongod = await mongodFacts();
  const result = {
    date: new Date().toISOString(), machine: machine(), versions: await versions(binary, mongod.version),
    settings: { rounds: options.rounds, seconds: options.seconds, warmup: options.warmup }, starts: {}, scenarios: {}, mixed: {}, memory: {},
  };
  if (options.start) {
    for (const name of which) {
      progress(`start: ${contestants[name]}`);
      result.starts[name] = await measureStarts(name, 5);
    }
  }
  const contenders = [];
  try {
    for (const name of which) {
      progress(`seeding ${contestants[name]}`);
      contenders.push(await contender(name));
    }
    const own = contenders.find(({ which }) => which === 'mongo');
    if (chosen.includes('floor')) {
      if (!own) throw new Error('floor needs the server mongo beside it: it reads what that one stored');
      contenders.push(floorOn(own));
    }
    await rounds(contenders, list, { ...options, mongod: mongod.pid }, result);
    for (const { which, server } of contenders) if (server) result.memory[which] = memoryOf(server.child.pid);
  } finally {
    await stopAll(contenders);
    if (contenders.some(({ which }) => which === 'floor')) {
      const floor = contenders.find(({ which }) => which === 'floor');
      await dropDatabase(floor.uri.replace(/(\/[^/?]+)(\?|$)/, `/${floor.scratch}$2`));
    }
  }
  result.budget = budget(result);
  printResult(result);
  return result;
}

async function rounds(contenders, list, options, result) {
  for (let round = 0; round < options.rounds; round += 1) {
    for (const scenario of list) {
      const rows = (result.scenarios[scenario.name] ??= { title: scenario.title, group: scenario.group, connections: scenario.connections, rounds: {} });
      for (const contestant of contenders) {
        if (contestant.which === 'floor' && !scenario.floor) continue;
        progress(`round ${round + 1} of ${options.rounds}: ${scenario.group} ${scenario.title}: ${contestants[contestant.which]}`);
        const { sample: _, ...figures } = await measure(contestant, scenario, options);
        (rows.rounds[contestant.which] ??= []).push(figures);
      }
      const floor = contenders.find(({ which }) => which === 'floor');
      if (floor && scenario.hashes) {
        const figures = await measure(floor, { ...scenario, floor: 'hash' }, options);
        (rows.rounds.hash ??= []).push(figures);
      }
      if (floor && scenario.reads) {
        const figures = await measure(floor, { ...scenario, decode: true }, options);
        (rows.rounds.decoded ??= []).push(figures);
      }
    }
    if (!options.mixed) continue;
    for (const contestant of contenders.filter(({ server }) => server)) {
      progress(`round ${round + 1} of ${options.rounds}: a cheap request beside log ins: ${contestants[contestant.which]}`);
      const figures = await besideLogIns(contestant, { ...options, seconds: Math.max(options.seconds, 5) });
      (result.mixed[contestant.which] ??= []).push(figures);
    }
  }
}


