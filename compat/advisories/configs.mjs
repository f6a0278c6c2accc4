// The configurations under which checks are made. Where the runner is given a running server, only checks of `base` apply.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));

/** Options of every server that the runner starts. */
export const common = {
  appId: 'app',
  masterKey: 'master-key-of-the-suite',
  readOnlyMasterKey: 'read-only-key-of-the-suite',
  maintenanceKey: 'maintenance-key-of-the-suite',
  masterKeyIps: ['127.0.0.1', '::1'],
  mountPath: '/parse',
  mountGraphQL: true,
  graphQLPath: '/graphql',
  allowClientClassCreation: true,
  enforcePrivateUsers: true,
  silent: true,
  fileUpload: { enableForPublic: true, enableForAnonymousUser: true, enableForAuthenticatedUser: true },
};

const oauth = (helper, name) => ({
  oauth2: true,
  tokenIntrospectionEndpointUrl: `${helper}/introspect/${name}`,
  useridField: 'sub',
  appidField: 'appid',
  appIds: [`app-of-${name}`],
});

/** By name: what is added to the common options. `helper`: the helper's address; `mail`: the mail adapter of this kind of server. */
export const configs = {
  base: () => ({}),
  mail: ({ mail, root }) => ({ verifyUserEmails: true, emailAdapter: mail, appName: 'suite', publicServerURL: root }),
  lockout: () => ({ accountLockout: { duration: 1, threshold: 3 } }),
  oauth: ({ helper }) => ({ auth: { one: oauth(helper, 'one'), two: oauth(helper, 'two') } }),
  mfa: () => ({ auth: { mfa: { enabled: true, options: ['TOTP'], digits: 6, period: 30, algorithm: 'SHA1' } } }),
  limits: () => ({
    rateLimit: [
      { requestPath: '/login', requestTimeWindow: 60_000, requestCount: 3, includeInternalRequests: true },
      { requestPath: '/classes/Limited', requestTimeWindow: 60_000, requestCount: 3, includeInternalRequests: true },
    ],
  }),
  complexity: () => ({
    requestComplexity: { queryDepth: 10, graphQLDepth: 10, graphQLFields: 200, includeDepth: 3, includeCount: 10, batchRequestLimit: 10 },
  }),
  addresses: () => ({ masterKeyIps: ['10.9.8.7'], trustProxy: false }),
  code: () => ({ cloud: path.join(here, 'cloud.cjs'), liveQuery: { classNames: ['CodeLive', 'CodeShared', '_User'] }, startLiveQueryServer: true }),
  live: () => ({ liveQuery: { classNames: ['Live.*', '_User'] }, startLiveQueryServer: true, requestComplexity: { queryDepth: 10 } }),
  custom: () => ({ allowCustomObjectId: true }),
  duplicates: () => ({ idempotencyOptions: { paths: ['.*'], ttl: 300 } }),
  origin: () => ({ allowOrigin: 'https://app.example' }),
  routes: () => ({ routeAllowList: ['classes/Allowed.*', 'batch', 'health', 'users', 'login'] }),
};
