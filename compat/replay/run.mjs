#!/usr/bin/env node
// Replays the recorded scenarios: for each profile a fresh database and a fresh server.
//
//   node replay/run.mjs [--store mongo|embedded] [--all] [--groups users,sessions] [--profiles base,keys]
//                       [--only TEXT] [--verbose]
//
// Without a choice it plays what `green.json` lists, all of which must pass. Exit status 0 only if everything played passed.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compatDir, store as defaultStore, target } from '../lib/env.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { startServer } from '../lib/server.mjs';
import { freePort } from '../lib/net.mjs';
import { startOutsideWorld } from './outside-world.mjs';
import { play } from './play.mjs';
import { profiles, reasonToDiffer, select } from './scenarios.mjs';

const { values: flags } = parseArgs({
  options: {
    store: { type: 'string', default: defaultStore },
    all: { type: 'boolean', default: false },
    groups: { type: 'string' },
    profiles: { type: 'string' },
    only: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});

/** The options of a profile with the addresses of this run. */
function optionsOf(profile, addresses) {
  const text = JSON.stringify(profiles[profile].options)
    .replaceAll('{{baseURL}}', addresses.baseURL)
    .replaceAll('{{helperURL}}', addresses.helperURL)
    .replaceAll('{{cloudDir}}', path.join(compatDir, 'cloud/programs'));
  const options = JSON.parse(text);
  if (options.emailAdapter === 'discard') {
    const module = target === 'reference' ? path.join(compatDir, 'lib/discard-mail.cjs') : 'discard';
    options.emailAdapter = { module };
  }
  if (options.push?.adapter === 'forward') {
    const reference = { module: path.join(compatDir, 'lib/forward-push.cjs'), options: { url: addresses.helperURL } };
    options.push.adapter = target === 'reference' ? reference : { module: 'webhook', options: { url: addresses.helperURL, path: 'push' } };
  }
  return options;
}

async function replayProfile(profile, scenarios, outside) {
  const port = await freePort();
  const root = `http://127.0.0.1:${port}`;
  const addresses = {
    rootURL: root,
    liveURL: `ws://127.0.0.1:${port}`,
    baseURL: `${root}/parse`,
    basePath: '/parse',
    graphqlURL: `${root}/graphql`,
    legacyGraphqlURL: profile === 'middle' ? `${root}/graphql` : `${root}/graphql/legacy`,
    helperURL: outside.url,
  };
  const args = target === 'reference' ? [] : ['--ignore-unsupported'];
  const env = { ...profiles[profile].env, HELPER_URL: outside.url };
  const server = await startServer({ port, graphQLPath: '/graphql', ...optionsOf(profile, addresses) }, { database: freshDatabase(flags.store), args, env });
  const score = { passed: 0, failed: 0 };
  try {
    for (const scenario of scenarios) {
      outside.forget();
      report(scenario, await play(scenario, addresses), score);
    }
  } finally {
    await server.stop();
  }
  return score;
}

/** A difference that is wanted is none; where there is none any more, that is the problem. */
function judged(scenario, step) {
  const reason = reasonToDiffer(scenario, step);
  if (!reason || target === 'reference') return step;
  if (flags.verbose) console.log(`     ${scenario.name} step ${step.id} differs as wanted: ${reason}`);
  return { ...step, problems: step.problems.length > 0 ? [] : [`answers agree now, so this can go from differs.json: ${reason}`] };
}

function report(scenario, played, score) {
  const steps = played.map(step => judged(scenario, step));
  const bad = steps.filter(step => step.problems.length > 0);
  score.passed += steps.length - bad.length;
  score.failed += bad.length;
  if (bad.length > 0 || flags.verbose) console.log(`${bad.length > 0 ? 'FAIL' : 'ok  '} ${scenario.name}: ${steps.length - bad.length}/${steps.length}`);
  for (const step of bad) {
    console.log(`  step ${step.id} (${step.title})`);
    for (const problem of step.problems.slice(0, 12)) console.log(`    ${problem}`);
  }
}

const list = text => text?.split(',');
const chosen = select({ groups: list(flags.groups), profiles: list(flags.profiles), only: flags.only, every: flags.all });
if (chosen.size === 0) {
  console.error('no scenario is like that');
  process.exit(2);
}
const outside = await startOutsideWorld();
const total = { passed: 0, failed: 0 };
for (const [profile, scenarios] of chosen) {
  const steps = scenarios.reduce((sum, scenario) => sum + scenario.steps.length, 0);
  let score;
  try {
    score = await replayProfile(profile, scenarios, outside);
  } catch (error) {
    console.log(`profile ${profile}: ${error.message}`);
    score = { passed: 0, failed: steps };
  }
  console.log(`${flags.store} ${profile.padEnd(14)} ${score.passed}/${steps} steps`);
  total.passed += score.passed;
  total.failed += score.failed;
}
outside.close();
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed > 0 ? 1 : 0);
