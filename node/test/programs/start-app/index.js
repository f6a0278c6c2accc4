const { ParseServer } = require('parse-server');

const port = Number(process.env.PORT);
ParseServer.startApp({
  databaseURI: process.env.DATABASE_URI,
  appId: 'app',
  masterKey: 'master',
  port,
  host: '127.0.0.1',
  mountPath: '/1',
  serverURL: `http://127.0.0.1:${port}/1`,
  allowClientClassCreation: true,
  mountGraphQL: true,
  mountPlayground: true,
  graphQLPath: '/api/graphql',
  playgroundPath: '/api/playground',
  middleware: (req, res, next) => {
    res.setHeader('X-Mine', 'middleware');
    next();
  },
  cloud: './cloud.js',
  serverCloseComplete: () => console.log('CLOSED'),
}).then(server => {
  server.expressApp.get('/own', (req, res) => res.json({ own: true }));
  console.log('READY');
});
