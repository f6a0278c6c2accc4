// Runs checks: against a running server, or against servers that it starts, one for each configuration.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, sleep } from '../lib/net.mjs';
import { Child } from '../lib/process.mjs';
import { tempDir } from '../lib/temp.mjs';
import { common, configs } from './configs.mjs';
import { Helper, NotApplicable, Target, Vulnerable } from './lib.mjs';
import { checks } from './suite/index.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const LIMIT = 60_000;

async function judge(check, target) {
  const report = outcome => detail => ({ id: check.id, cve: check.cve, section: check.section, title: check.title, outcome, ...(detail && { detail }) });
  const late = sleep(LIMIT).then(() => {
    throw new Vulnerable(`no end after ${LIMIT} ms`);
  });
  late.catch(() => {});
  try {
    await Promise.race([check.run(target), late]);
    return report('pass')();
  } catch (error) {
    if (error instanceof NotApplicable) return report('na')(error.message);
    if (error instanceof Vulnerable) return report('fail')(error.message.replace(/\s+/g, ' ').slice(0, 300));
    return report('fail')(`the server did not answer: ${error.message}`);
  }
}

const wanted = only => checks.filter(check => !only || check.id.startsWith(only) || check.section === only);

/** Checks a running server; those that need options of their own are not applicable. */
export async function runAgainst({ only, print = () => {}, ...server }) {
  const results = [];
  for (const check of wanted(only)) {
    const result = check.config === 'base' ? await judge(check, new Target(server)) : { id: check.id, cve: check.cve, section: check.section, title: check.title, outcome: 'na', detail: `needs the options of "${check.config}": use --server` };
    print(result);
    results.push(result);
  }
  return results;
}

/**
 * Starts a server for each configuration, on an empty database, and checks it. `command` holds `{config}`, the path of a configuration
 * file; `database` is a MongoDB URI without a database name, or `file:` for an embedded store; `kind` is `reparse` or `parse-server`.
 */
export async function runStarted({ command, database, kind, only, print = () => {} }) {
  const results = [];
  const helper = await new Helper().start();
  try {
    for (const config of Object.keys(configs)) {
      const list = wanted(only).filter(check => check.config === config);
      if (list.length === 0) continue;
      const server = await start({ command, database, kind, config, helper });
      for (const check of list) {
        let result;
        if (server.failed) {
          result = { id: check.id, cve: check.cve, section: check.section, title: check.title, outcome: 'na', detail: `the server does not start with these options: ${server.failed}` };
        } else {
          if (!server.child.alive) await server.again();
          helper.hook = undefined;
          result = await judge(check, new Target({ ...server.target, helper }));
        }
        print(result);
        results.push(result);
      }
      await server.child?.kill();
    }
  } finally {
    await helper.stop();
  }
  return results;
}

async function start({ command, database, kind, config, helper }) {
  const dir = tempDir('advisories');
  const port = await freePort();
  const root = `http://127.0.0.1:${port}`;
  const mail = kind === 'parse-server' ? path.join(here, 'forward-mail.cjs') : { module: 'webhook', options: { url: `${helper.url}/mail`, methods: ['sendMail', 'sendVerificationEmail', 'sendPasswordResetEmail'] } };
  const name = `advisories_${crypto.randomBytes(5).toString('hex')}`;
  const uri = new URL(database);
  if (database.startsWith('mongodb')) uri.pathname = `/${name}`;
  const options = {
    ...common, port, host: '127.0.0.1', serverURL: `${root}/parse`, databaseURI: database.startsWith('mongodb') ? uri.href : `file:${path.join(dir, 'data')}`,
    ...configs[config]({ helper: helper.url, mail, root: `${root}/parse` }),
  };
  const file = path.join(dir, 'config.json');
  fs.writeFileSync(file, JSON.stringify(options, null, 1));
  const [program, ...args] = command.split(' ').map(word => word.replace('{config}', file));
  const env = { PARSE_SERVER_LOGS_FOLDER: 'null', NODE_NO_WARNINGS: '1', FORWARD_MAIL_URL: helper.url, REPARSE_BCRYPT_COST: '10' };
  const keys = { app: options.appId, master: options.masterKey, readOnly: options.readOnlyMasterKey, maintenance: options.maintenanceKey };
  const server = { target: { url: `${root}/parse`, graphql: `${root}/graphql`, keys } };
  server.again = async () => {
    server.child = new Child(program, args, { cwd: dir, env });
    const end = Date.now() + 90_000;
    while (server.child.alive && Date.now() < end) {
      // Old servers answer health before they are ready, so a request of a client must work too.
      const target = new Target(server.target);
      const answer = await target.get('/health', { timeout: 3000 }).catch(() => undefined);
      const schemas = answer?.status === 200 && (await target.get('/serverInfo', { as: 'master', timeout: 3000 }).catch(() => undefined));
      if (answer?.status === 200 && (schemas?.status === 200 || config === 'addresses' || config === 'routes')) {
        await sleep(300);
        return;
      }
      await sleep(100);
    }
    server.failed = server.child.output.trim().split('\n').slice(-3).join(' ').slice(0, 200) || 'no answer';
    await server.child.kill();
  };
  await server.again();
  return server;
}
