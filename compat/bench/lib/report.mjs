// Tables for people, in Markdown.
import { medianRatio, medians } from './measure.mjs';
import { contestants } from './servers.mjs';

export const progress = text => console.error(`\x1b[2m${new Date().toISOString().slice(11, 19)} ${text}\x1b[0m`);

/** Three significant figures, no more digits than that. */
export function figure(value) {
  if (value === undefined || value === null || !Number.isFinite(value)) return '–';
  if (value >= 100) return Math.round(value).toLocaleString('en').replaceAll(',', ' ');
  return Number(value.toPrecision(3)).toString();
}

/** The columns: the driver appears a second time, as a program uses it that looks into what it reads. */
const columns = { ...contestants, decoded: 'driver, rows decoded' };

const times = value => (value === undefined ? '–' : `${figure(value)} ×`);

export function markdown(head, rows) {
  const cells = [head, head.map((_, index) => (index ? '---:' : '---')), ...rows];
  return cells.map(row => `| ${row.join(' | ')} |`).join('\n');
}

const label = ({ group, title }) => (group === 'GraphQL' ? `GraphQL ${title}` : title);

const ratioHead = (which, better) => `${better === 'less' ? 'less' : 'more'} than parse-server, ${which === 'mongo' ? 'MongoDB' : which}`;

/** One table for each figure: a row for each scenario, a column for each contestant, then ratios. */
function tableOf(result, name, { better }) {
  const present = Object.keys(columns).filter(which => Object.values(result.scenarios).some(({ rounds }) => rounds[which]));
  const head = ['', ...present.map(which => columns[which])];
  const compare = present.includes('parse-server') ? ['mongo', 'embedded'].filter(which => present.includes(which)) : [];
  for (const which of compare) head.push(ratioHead(which, better));
  const floor = present.includes('floor') && present.includes('mongo');
  if (floor) head.push('reparse : driver');
  const rows = Object.values(result.scenarios).map(scenario => {
    const { rounds } = scenario;
    const row = [label(scenario), ...present.map(which => figure(rounds[which] && medians(rounds[which])[name]))];
    for (const which of compare) {
      row.push(times(better === 'less' ? medianRatio(rounds['parse-server'], rounds[which], name) : medianRatio(rounds[which], rounds['parse-server'], name)));
    }
    if (floor) row.push(times(medianRatio(rounds.mongo, rounds.floor, name)));
    return row;
  });
  return markdown(head, rows);
}

const startTable = result => {
  const rows = Object.entries(result.starts).map(([which, { first, again }]) => {
    const all = medians(again);
    const memory = result.memory[which];
    return [contestants[which], figure(first.ms), figure(all.ms), figure(all.rss_kib / 1024), figure(memory?.peakMib)];
  });
  return markdown(['', 'first start, ms', 'start, ms', 'idle memory, MiB', 'peak memory, MiB'], rows);
};

const mixedTable = result => {
  const rows = Object.entries(result.mixed).map(([which, rounds]) => {
    const all = medians(rounds);
    return [contestants[which], figure(all.aloneP50), figure(all.aloneP99), figure(all.besideP50), figure(all.besideP99), figure(all.besideP99 / all.aloneP99), figure(all.logInsPerSecond)];
  });
  return markdown(['', 'alone p50, ms', 'alone p99, ms', 'beside p50, ms', 'beside p99, ms', 'p99 ratio', 'log ins a second'], rows);
};

const verdict = pass => (pass === undefined ? 'not judged' : pass ? 'pass' : '**miss**');
const budgetTable = result => markdown(['', 'wanted', 'measured', ''], result.budget.map(({ row, wanted, measured, pass }) => [row, wanted, measured, verdict(pass)]));

/** Both latencies in one cell. */
function latencyTable(result) {
  const present = Object.keys(contestants).filter(which => Object.values(result.scenarios).some(({ rounds }) => rounds[which]));
  const cell = rounds => {
    const all = rounds && medians(rounds);
    return all ? `${figure(all.p50)} / ${figure(all.p99)}` : '–';
  };
  const rows = Object.values(result.scenarios).map(scenario => [label(scenario), ...present.map(which => cell(scenario.rounds[which]))]);
  return markdown(['', ...present.map(which => contestants[which])], rows);
}

/** What was compared, and how. */
export function provenance({ date, machine, versions, settings }) {
  const { reparse, commit, 'parse-server': reference, 'node-rs/bcrypt': bcrypt, node, mongod } = versions;
  return `${date.slice(0, 10)}; ${reparse}${commit ? ` (${commit})` : ''}; parse-server ${reference} on Node ${node} with @node-rs/bcrypt ${bcrypt}; MongoDB ${mongod}; ` +
    `${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}; ${settings.rounds} rounds of ${settings.count ? `${settings.count} requests` : `${settings.seconds} s`}.`;
}

/** The result as Markdown. */
export function describe(result) {
  const parts = [];
  const part = (title, text) => parts.push(`### ${title}\n\n${text}`);
  if (Object.keys(result.scenarios).length) {
    part('CPU seconds of the server per 1000 requests', tableOf(result, 'cpu', { better: 'less' }));
    part('Requests a second', tableOf(result, 'perSecond', { better: 'more' }));
    part('Latency: p50 / p99, ms', latencyTable(result));
    part('CPU seconds of mongod per 1000 requests', tableOf(result, 'mongodCpu', { better: 'less' }));
  }
  if (Object.keys(result.mixed).length) part('A cheap request alone, and while 8 clients log in', mixedTable(result));
  if (Object.keys(result.starts).length) part('Start and memory', startTable(result));
  if (result.budget?.length) part('Budget', budgetTable(result));
  return parts.join('\n\n');
}

export function printResult(result) {
  console.log(describe(result));
  const missed = result.budget.filter(({ pass }) => pass === false).length;
  const met = result.budget.filter(({ pass }) => pass).length;
  console.log(`\nbudget: ${met} rows pass, ${missed} miss, ${result.budget.length - met - missed} not judged`);
}
