// The harness behind compat/bench/run.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cloud } from './lib/cloud.mjs';
import { document } from './lib/document.mjs';
import { downloads } from './lib/downloads.mjs';
import { extras } from './lib/extras.mjs';
import { fleet } from './lib/fleet.mjs';
import { growth } from './lib/growth.mjs';
import { instructions } from './lib/instructions.mjs';
import { live } from './lib/live.mjs';
import { parseArguments, usage } from './lib/options.mjs';
import { overload } from './lib/overload.mjs';
import { program } from './lib/program.mjs';
import { push } from './lib/push.mjs';
import { runTable } from './lib/run-table.mjs';
import { times } from './lib/times.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));

function save(result, out) {
  const file = out ?? path.join(here, 'results', `${result.date.replace(/[:.]/g, '-')}.json`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`);
  console.log(`\nwritten: ${path.relative(process.cwd(), file)}`);
}

async function main() {
  const options = parseArguments(process.argv.slice(2));
  if (options.help) return console.log(usage);
  if (options.command === 'document') return document();
  const run = { table: runTable, growth, push, downloads, cloud, times, overload, program, live, fleet, extras, instructions }[options.command];
  return save(await run(options), options.out);
}

main().then(
  () => process.exit(0),
  error => {
    console.error(error.stack ?? error.message);
    process.exit(1);
  },
);
