'use strict';
// Writes types/Options/index.d.ts from parse-server's table of options, which the server's own options are compared with.
const fs = require('node:fs');
const path = require('node:path');

const table = path.join(__dirname, '../../src/config/parse_server_9_10.json');
const target = path.join(__dirname, '../types/Options/index.d.ts');

const ASKED = 'boolean | ((request: any) => boolean | Promise<boolean>)';
const CALLBACK = '(...args: any[]) => any';

/** Types that the table does not tell. */
const TYPES = {
  'allowOrigin': 'string | string[]',
  'appId': 'string',
  'auth': 'Record<string, any>',
  'cloud': 'string | ((parse: any) => any)',
  'cluster': 'number | boolean',
  'databaseURI': 'string',
  'graphQLSchema': 'any',
  'masterKey': 'string | (() => any)',
  'maxLogFiles': 'number | string',
  'middleware': `string | (${CALLBACK})`,
  'preventLoginWithUnverifiedEmail': ASKED,
  'protectedFields': 'any',
  'publicServerURL': 'string | (() => string) | (() => Promise<string>)',
  'requestContextMiddleware': CALLBACK,
  'requestKeywordDenylist': '{ key: string; value?: any }[]',
  'sendUserEmailVerification': ASKED,
  'serverCloseComplete': CALLBACK,
  'trustProxy': 'any',
  'verifyUserEmails': ASKED,
  'DatabaseOptions.compressors': 'string | string[]',
  'DatabaseOptions.readPreferenceTags': 'any[]',
  'LiveQueryServerOptions.pubSubAdapter': 'any',
  'PagesRoute.handler': CALLBACK,
  'PasswordPolicyOptions.validatorCallback': CALLBACK,
  'PasswordPolicyOptions.validatorPattern': 'string | RegExp',
  'SchemaOptions.afterMigration': CALLBACK,
  'SchemaOptions.beforeMigration': CALLBACK,
  'SchemaOptions.definitions': 'any',
  'SecurityOptions.checkGroups': 'any[]',
};
const KINDS = { boolean: 'boolean', list: 'string[]', number: 'number', object: 'any', text: 'string', 'module or object': 'any' };
const REQUIRED = new Set(['appId', 'masterKey']);

function typeOf({ group, key, type }) {
  const name = group ? `${group}.${key}` : key;
  if (TYPES[name]) return TYPES[name];
  const other = /^`(\w+)(\[\])?`$/.exec(type);
  if (other) return interfaces.has(other[1]) ? other[1] + (other[2] ?? '') : 'any';
  return KINDS[type] ?? 'any';
}

const options = JSON.parse(fs.readFileSync(table, 'utf8'));
const interfaces = new Map();
for (const option of options) {
  const name = option.group;
  if (!interfaces.has(name)) interfaces.set(name, []);
  interfaces.get(name).push(option);
}

let text = '// Written by scripts/options-types.js. The meaning of each option: docs/options.md of the server.\n';
for (const [name, members] of interfaces) {
  text += `\nexport interface ${name || 'ParseServerOptions'} {\n`;
  for (const member of members) text += `  ${member.key}${name === '' && REQUIRED.has(member.key) ? '' : '?'}: ${typeOf(member)};\n`;
  if (name === '') text += '  /** Called when the server has started, or could not be. */\n  serverStartComplete?: (error?: any) => any;\n  /** What parse-server does not have. */\n  reparse?: ReparseOptions;\n';
  text += '}\n';
}
text += `
/** What parse-server does not have: options of the server alone, and these. */
export interface ReparseOptions {
  /** The server listens itself, at \`host\` and \`port\` or at this port: clients that come there do not pass the program. */
  listen?: boolean | number;
  [option: string]: any;
}
`;
if (process.argv[2] === '--print') process.stdout.write(text);
else fs.writeFileSync(target, text);
