// The picture of a result: SVG bars, written without a library.
import { medians } from './measure.mjs';
import { figure } from './report.mjs';

const colours = { 'parse-server': '#9aa5b1', mongo: '#1f7a8c', embedded: '#e07a1f' };
const legend = { 'parse-server': 'parse-server', mongo: 'reparse, MongoDB', embedded: 'reparse, embedded store' };
const shown = ['get', 'equality', 'range', 'include', 'roles', 'me', 'create', 'increment', 'batch', 'gqlGet', 'gqlFind', 'gqlCreate', 'gqlViewer'];

const WIDTH = 860;
const LABEL = 230;
const BAR = 11;
const VALUE = 60;

const escape = text => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const text = (x, y, words, { size = 12, weight = 400, anchor = 'start', fill = '#1c2530' } = {}) =>
  `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" fill="${fill}">${escape(words)}</text>`;

/** Bars of one row, each as long as its part of the longest. */
function bars(y, values) {
  const longest = Math.max(...values.map(({ value }) => value));
  const room = WIDTH - LABEL - VALUE - 30;
  return values.map(({ which, value }, index) => {
    const top = y + index * (BAR + 2);
    const length = Math.max(1, (value / longest) * room).toFixed(1);
    return `<rect x="${LABEL}" y="${top}" width="${length}" height="${BAR}" rx="1.5" fill="${colours[which]}"/>${text(LABEL + Number(length) + 6, top + BAR - 1.5, figure(value), { size: 10.5, fill: '#45525f' })}`;
  }).join('');
}

/** Rows of `[label, [{which, value}]]` below a heading; returns the SVG and where it ends. */
function panel(y, title, rows) {
  let at = y + 22;
  let svg = text(24, y + 6, title, { size: 14, weight: 600 });
  for (const [label, values] of rows) {
    const height = values.length * (BAR + 2);
    svg += text(LABEL - 12, at + height / 2 + 3, label, { anchor: 'end' }) + bars(at, values);
    at += height + 9;
  }
  return { svg, end: at + 14 };
}

/** The SVG of a result of the table. */
export function picture(result) {
  const which = Object.keys(colours);
  const scenarioRows = name => shown.filter(key => result.scenarios[key]).map(key => {
    const { group, title, rounds } = result.scenarios[key];
    const values = which.filter(one => rounds[one]).map(one => ({ which: one, value: medians(rounds[one])[name] }));
    return [group === 'GraphQL' ? `GraphQL: ${title}` : title, values];
  });
  let y = 78;
  let body = text(24, 34, 'reparse and parse-server, side by side', { size: 18, weight: 700 });
  let x = 24;
  for (const one of which) {
    body += `<rect x="${x}" y="47" width="11" height="11" rx="1.5" fill="${colours[one]}"/>${text(x + 17, 57, legend[one])}`;
    x += 45 + legend[one].length * 7;
  }
  const add = (title, rows) => {
    if (rows.length === 0) return;
    const { svg, end } = panel(y, title, rows);
    body += svg;
    y = end;
  };
  add('Requests a second (more is better)', scenarioRows('perSecond'));
  const perServer = read => which.map(one => ({ which: one, value: read(one) })).filter(({ value }) => Number.isFinite(value));
  const once = [
    ['idle memory, MiB', perServer(one => result.starts[one] && medians(result.starts[one].again).rss_kib / 1024)],
    ['peak memory, MiB', perServer(one => result.memory[one]?.peakMib)],
    ['start, ms', perServer(one => result.starts[one] && medians(result.starts[one].again).ms)],
    ['p99 while 8 clients log in, ms', perServer(one => result.mixed[one] && medians(result.mixed[one]).besideP99)],
  ];
  add('Memory, start, and a cheap request beside log ins (less is better)', once.filter(([, values]) => values.length));
  const { versions, machine, date } = result;
  body += text(24, y + 4, `parse-server ${versions['parse-server']}, Node ${versions.node}, MongoDB ${versions.mongod}; ${machine.cores} cores, shared by server, database and load; ${date.slice(0, 10)}`, { size: 10.5, fill: '#45525f' });
  const height = y + 22;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" role="img" aria-label="Bars that compare reparse with parse-server"><rect width="${WIDTH}" height="${height}" rx="8" fill="#ffffff"/>${body}</svg>\n`;
}
