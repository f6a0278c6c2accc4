const cluster = require('cluster');

if (cluster.isPrimary) {
  let ready = 0;
  for (let n = 0; n < 2; n++) {
    const worker = cluster.fork();
    worker.on('message', () => {
      if (++ready === 2) console.log('READY');
    });
  }
  cluster.on('exit', () => {
    if (!ending) cluster.fork();
  });
  let ending = false;
  process.on('SIGTERM', () => {
    ending = true;
    for (const worker of Object.values(cluster.workers)) worker.kill();
  });
} else {
  const express = require('express');
  const { ParseServer } = require('parse-server');
  const app = express();
  const server = new ParseServer({
    databaseURI: process.env.DATABASE_URI,
    appId: 'app',
    masterKey: 'master',
    serverURL: `http://127.0.0.1:${process.env.PORT}/parse`,
    allowClientClassCreation: true,
    cloud: Parse => {
      Parse.Cloud.define('alive', () => cluster.worker.id > 0);
    },
  });
  server.start().then(() => {
    app.use('/parse', server.app);
    app.get('/crash', () => setImmediate(() => process.exit(1)));
    app.listen(Number(process.env.PORT), () => process.send('ready'));
  });
}
