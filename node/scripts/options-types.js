'use strict';
// Writes types/Options/index.d.ts from parse-server's table of options, which the server's own options are compared with.
const fs = require('node:fs');
const path = require('node:path');

const table = path.join(__dirname, '../../src/config/parse_server_9_10.json');
const target = path.join(__dirname, '../types/Options/index.d.ts');

const ASKED = 'boolean | ((request: EmailVerificationRequest) => boolean | Promise<boolean>)';
const CALLBACK = '(...args: any[]) => any';

/** Types that the table does not tell. `any`: where parse-server takes more than its own declarations say. */
const TYPES = {
  'allowOrigin': 'string | string[]',
  'appId': 'string',
  'auth': 'Record<string, any>',
  'cloud': 'any',
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
  'requestKeywordDenylist': '{ key: string; value: any }[]',
  'sendUserEmailVerification': 'boolean | ((request: SendEmailVerificationRequest) => boolean | Promise<boolean>)',
  'serverCloseComplete': CALLBACK,
  'trustProxy': 'any',
  'verifyUserEmails': ASKED,
  'DatabaseOptions.compressors': 'string | string[]',
  'DatabaseOptions.readPreferenceTags': 'any[]',
  'LiveQueryServerOptions.pubSubAdapter': 'any',
  'PagesOptions.customRoutes': 'PagesRoute[]',
  'PasswordPolicyOptions.validatorCallback': CALLBACK,
  'PasswordPolicyOptions.validatorPattern': 'any',
  'SchemaOptions.afterMigration': CALLBACK,
  'SchemaOptions.beforeMigration': CALLBACK,
  'SchemaOptions.definitions': 'any',
  'SecurityOptions.checkGroups': 'any[]',
};
const KINDS = { boolean: 'boolean', list: 'string[]', number: 'number', object: 'any', text: 'string', 'module or object': 'any' };
/** What parse-server's declarations ask for: programs read it without looking whether it is there. */
const REQUIRED = new Set(['appId', 'databaseURI', 'maintenanceKey', 'masterKey', 'serverURL', 'RateLimitOptions.requestPath', 'SchemaOptions.definitions']);

const nameOf = ({ group, key }) => (group ? `${group}.${key}` : key);

function typeOf(option) {
  const { type } = option;
  const name = nameOf(option);
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
  for (const member of members) text += `  ${member.key}${REQUIRED.has(nameOf(member)) ? '' : '?'}: ${typeOf(member)};\n`;
  if (name === '') text += '  /** Called when the server has started, or could not be. */\n  serverStartComplete?: (error?: any) => any;\n  /** What parse-server does not have. */\n  reparse?: ReparseOptions;\n';
  text += '}\n';
}
text += `
/** What \`verifyUserEmails\` and \`preventLoginWithUnverifiedEmail\` are asked about. */
export interface EmailVerificationRequest {
  object: any;
  original?: any;
  master?: boolean;
  ip?: string;
  installationId?: string;
  createdWith?: { action: 'login' | 'signup'; authProvider: string };
  resendRequest?: boolean;
}

/** What \`sendUserEmailVerification\` is asked about. */
export interface SendEmailVerificationRequest {
  user: any;
  master?: boolean;
}

/** A page of the program's own. */
export interface PagesRoute {
  method: string;
  path: string;
  handler: ${CALLBACK};
}

/** Settings of an identity provider. */
export interface AuthAdapter {
  enabled?: boolean;
}

/** What parse-server does not have: options of the server alone, and these. */
export interface ReparseOptions {
  /** The server listens itself, at \`host\` and \`port\` or at this port: clients that come there do not pass the program. */
  listen?: boolean | number;
  [option: string]: any;
}
`;
if (process.argv[2] === '--print') process.stdout.write(text);
else fs.writeFileSync(target, text);
