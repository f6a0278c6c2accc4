// How many instructions a get by id takes, without and with an option, counted by valgrind. Two counts of the same kind differ by a few
// thousandths, so small prices show that processor time hides. What the kernel does is not counted: of all the work, the share of an option
// that adds no calls to the system is smaller than what is printed; that of one that does, as the access log, may be larger. As in the
// table 32 clients ask at once, so that some gets share a command. On MongoDB only: the embedded store reads clocks in a way that valgrind
// does not allow.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { dropDir, tempDir } from '../../lib/temp.mjs';
import { mean, percent, variants } from './extras.mjs';
import { measure } from './measure.mjs';
import { machine } from './options.mjs';
import { markdown, progress, provenance } from './report.mjs';
import { contender, stopAll } from './run-table.mjs';
import { scenarioNamed } from './scenarios.mjs';
import { sizes } from './seed.mjs';
import { binary, mongodFacts } from './servers.mjs';
import { versions } from './versions.mjs';

/** Gets before those that are counted, so that caches are warm and valgrind has translated the code. */
const WARM_UP = 2000;

/** Instructions a get, of one new server. */
async function counted(name, count, mongod) {
  const folder = tempDir('reparse-instructions');
  const [out, pipes] = ['out', 'vgdb'].map(file => path.join(folder, file));
  const under = ['valgrind', '--tool=callgrind', '--instr-atstart=no', `--callgrind-out-file=${out}`, `--vgdb-prefix=${pipes}`];
  try {
    const one = await contender('mongo', { size: sizes.small, options: variants[name](), under });
    try {
      const tell = (...words) => execFileSync('vgdb', [`--vgdb-prefix=${pipes}`, `--pid=${one.server.child.pid}`, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
      const gets = requests => measure(one, scenarioNamed('get'), { seconds: 600, warmup: 0, requests, mongod });
      tell('instrumentation', 'on');
      await gets(WARM_UP);
      tell('zero');
      const { requests } = await gets(count);
      tell('dump', 'gets');
      const found = /^(?:totals|summary): (\d+)$/m.exec(fs.readFileSync(`${out}.1`, 'utf8'));
      if (requests !== count || !(Number(found?.[1]) > 0)) throw new Error('valgrind did not count what was asked');
      return Number(found[1]) / requests;
    } finally {
      await stopAll([one]);
    }
  } finally {
    dropDir(folder);
  }
}

export async function instructions(options) {
  const names = options.only ?? ['none', 'metrics'];
  for (const name of names) {
    if (!variants[name]) throw new Error(`no option is called ${name}; there are: ${Object.keys(variants).join(', ')}`);
    if (name.startsWith('traces')) throw new Error('traces need a receiver, which is not counted');
  }
  const { pid: mongod, version } = await mongodFacts();
  const count = options.count ?? 5000;
  const result = { date: new Date().toISOString(), machine: machine(), versions: await versions(binary, version), settings: { rounds: options.rounds, count }, counts: {} };
  for (let round = 0; round < options.rounds; round += 1) {
    for (const name of names) {
      progress(`round ${round + 1} of ${options.rounds}: ${name}`);
      (result.counts[name] ??= []).push(await counted(name, count, mongod));
    }
  }
  console.log(describeInstructions(result));
  return result;
}

/** The table as Markdown. */
export function describeInstructions(result) {
  const rows = Object.entries(result.counts).map(([name, counts]) => {
    const more = result.counts.none && name !== 'none' ? percent(mean(counts) / mean(result.counts.none) - 1) : '–';
    return [name, String(Math.round(mean(counts))), more, percent((Math.max(...counts) - Math.min(...counts)) / mean(counts))];
  });
  return [provenance(result), markdown(['what is on', 'instructions a get', 'more than none', 'between its processes'], rows)].join('\n\n');
}
