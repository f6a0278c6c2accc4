// Writes results into the documents: the tables of docs/performance.md, and the picture.
import fs from 'node:fs';
import path from 'node:path';
import { repoDir } from '../../lib/env.mjs';
import { budget } from './budget.mjs';
import { describePart } from './growth.mjs';
import { picture } from './picture.mjs';
import { describe, provenance } from './report.mjs';

const results = path.join(repoDir, 'compat/bench/results');
const page = path.join(repoDir, 'docs/performance.md');
const image = path.join(repoDir, 'docs/images/benchmarks.svg');

const read = name => {
  const file = path.join(results, name);
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : undefined;
};

/** Replaces the text between the two marks of this name. */
export function between(text, name, content) {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no marks for ${name}`);
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
}

/** Writes both, from `reference.json` and `growth.json`. */
export function document() {
  let text = fs.readFileSync(page, 'utf8');
  const table = read('reference.json');
  if (table) {
    // by the rules of today, whatever they were when it was measured
    table.budget = budget(table);
    text = between(text, 'table', `Measured ${provenance(table)}\n\n${describe(table)}`);
    fs.writeFileSync(image, picture(table));
  }
  const growth = read('growth.json');
  if (growth) {
    const parts = Object.entries(growth.parts).map(([name, part]) => describePart(name, part));
    text = between(text, 'growth', [`Measured ${provenance(growth)}`, ...parts].join('\n\n'));
  }
  fs.writeFileSync(page, text);
  console.log('written: docs/performance.md, docs/images/benchmarks.svg');
}
