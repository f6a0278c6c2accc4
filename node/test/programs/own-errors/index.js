const express = require('express');
const { FileSystemAdapter, ParseServer } = require('parse-server');

const port = Number(process.env.PORT);
(async () => {
  const app = express();
  const parseServer = new ParseServer({
    databaseURI: process.env.DATABASE_URI,
    appId: 'app',
    masterKey: 'master',
    maintenanceKey: 'maintenance',
    clientKey: 'client',
    serverURL: `http://127.0.0.1:${port}/api/parse`,
    publicServerURL: `http://127.0.0.1:${port}/api/parse`,
    allowClientClassCreation: true,
    allowCustomObjectId: true,
    masterKeyIps: ['127.0.0.1'],
    fileUpload: { enableForPublic: true },
    filesAdapter: new FileSystemAdapter({ filesSubDirectory: 'uploads' }),
    passwordPolicy: { validatorPattern: /^(?=.{8,})/, validationError: 'too short' },
    protectedFields: { _User: { '*': ['email', 'phone'] } },
  });
  await parseServer.start();
  app.use('/api/parse', parseServer.app);
  app.get('/', (req, res) => res.type('text').send('root'));
  app.get('/stored', (req, res) => res.json(require('fs').readdirSync('files/uploads').length));
  app.use((req, res) => res.status(404).json({ own: 'not found' }));
  app.use((err, req, res, next) => res.status(500).json({ own: err.message }));
  app.listen(port, '127.0.0.1', () => console.log('READY'));
})();
