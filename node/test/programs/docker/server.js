#!/usr/bin/env node
// The entry file of an image: everything comes from the environment; SIGTERM ends it in order.
const express = require('express');
const { ParseServer, InMemoryCacheAdapter } = require('parse-server');
const http = require('http');

const env = process.env;
const bool = (text, otherwise) => (text === undefined ? otherwise : text === '1' || text === 'true');

async function main() {
  const parse = new ParseServer({
    appName: env.APP_NAME ?? 'My App',
    appId: env.APP_ID ?? 'app',
    masterKey: () => env.MASTER_KEY ?? 'master',
    masterKeyIps: env.MASTER_KEY_IPS?.split(',') ?? ['0.0.0.0/0', '::/0'],
    databaseURI: env.DATABASE_URI,
    serverURL: `http://127.0.0.1:${env.PORT}/parse`,
    publicServerURL: async () => `http://127.0.0.1:${env.PORT}/parse`,
    allowClientClassCreation: bool(env.ALLOW_CLASS_CREATION, true),
    cacheAdapter: new InMemoryCacheAdapter({ ttl: 1000, maxSize: 100 }),
    verbose: false,
    logLevel: 'warn',
    enforcePrivateUsers: true,
    sessionLength: Number(env.SESSION_LENGTH ?? 3600),
    clientKey: env.CLIENT_KEY,
    auth: { anonymous: { enabled: true } },
  });
  await parse.start();

  const app = express();
  app.get('/healthz', (req, res) => res.send('ok'));
  app.use('/parse', parse.app);
  parse.server = http.createServer(app);
  parse.server.listen(Number(env.PORT), '0.0.0.0', () => console.log('READY'));

  process.on('SIGTERM', async () => {
    await parse.handleShutdown();
    console.log('stopped');
    process.exit(0);
  });
}
main().catch(error => {
  console.error(error);
  process.exit(1);
});
