const port = Number(process.env.PORT);

export const config = {
  databaseURI: process.env.DATABASE_URI,
  cloud: () => import('./cloud/main.js'),
  appId: 'app',
  masterKey: 'master',
  port,
  serverURL: `http://127.0.0.1:${port}/parse`,
  allowClientClassCreation: true,
  schema: {
    definitions: [
      { className: 'Team', fields: { name: { type: 'String', required: true }, points: { type: 'Number', defaultValue: 0 } }, classLevelPermissions: { find: { '*': true }, get: { '*': true }, create: { '*': true }, count: {}, update: {}, delete: {}, addField: {}, protectedFields: {} } },
    ],
  },
};
