// Written by scripts/options-types.js. The meaning of each option: docs/options.md of the server.

export interface ParseServerOptions {
  accountLockout?: AccountLockoutOptions;
  allowAggregationForReadOnlyMasterKey?: boolean;
  allowClientClassCreation?: boolean;
  allowCustomObjectId?: boolean;
  allowExpiredAuthDataToken?: boolean;
  allowHeaders?: string[];
  allowOrigin?: string | string[];
  analyticsAdapter?: any;
  appId: string;
  appName?: string;
  auth?: Record<string, any>;
  cacheAdapter?: any;
  cacheMaxSize?: number;
  cacheTTL?: number;
  clientKey?: string;
  cloud?: any;
  cluster?: number | boolean;
  collectionPrefix?: string;
  convertEmailToLowercase?: boolean;
  convertUsernameToLowercase?: boolean;
  customPages?: CustomPagesOptions;
  databaseAdapter?: any;
  databaseOptions?: DatabaseOptions;
  databaseURI: string;
  defaultLimit?: number;
  directAccess?: boolean;
  dotNetKey?: string;
  emailAdapter?: any;
  emailVerifySuccessOnInvalidEmail?: boolean;
  emailVerifyTokenReuseIfValid?: boolean;
  emailVerifyTokenValidityDuration?: number;
  enableAnonymousUsers?: boolean;
  enableCollationCaseComparison?: boolean;
  enableExpressErrorHandler?: boolean;
  enableInsecureAuthAdapters?: boolean;
  enableProductPurchaseLegacyApi?: boolean;
  enableSanitizedErrorResponse?: boolean;
  encryptionKey?: string;
  enforcePrivateUsers?: boolean;
  expireInactiveSessions?: boolean;
  extendSessionOnUse?: boolean;
  fileDownload?: FileDownloadOptions;
  fileKey?: string;
  filesAdapter?: any;
  fileUpload?: FileUploadOptions;
  graphQLPath?: string;
  graphQLPublicIntrospection?: boolean;
  graphQLSchema?: any;
  host?: string;
  idempotencyOptions?: IdempotencyOptions;
  installation?: InstallationOptions;
  javascriptKey?: string;
  jsonLogs?: boolean;
  liveQuery?: LiveQueryOptions;
  liveQueryServerOptions?: LiveQueryServerOptions;
  loggerAdapter?: any;
  logLevel?: string;
  logLevels?: LogLevels;
  logsFolder?: string;
  maintenanceKey: string;
  maintenanceKeyIps?: string[];
  masterKey: string | (() => any);
  masterKeyIps?: string[];
  masterKeyTtl?: number;
  maxLimit?: number;
  maxLogFiles?: number | string;
  maxUploadSize?: string;
  middleware?: string | ((...args: any[]) => any);
  mountGraphQL?: boolean;
  mountPath?: string;
  mountPlayground?: boolean;
  objectIdSize?: number;
  pages?: PagesOptions;
  passwordPolicy?: PasswordPolicyOptions;
  playgroundPath?: string;
  port?: number;
  preserveFileName?: boolean;
  preventLoginWithUnverifiedEmail?: boolean | ((request: EmailVerificationRequest) => boolean | Promise<boolean>);
  preventSignupWithUnverifiedEmail?: boolean;
  protectedFields?: any;
  protectedFieldsOwnerExempt?: boolean;
  protectedFieldsSaveResponseExempt?: boolean;
  protectedFieldsTriggerExempt?: boolean;
  publicServerURL?: string | (() => string) | (() => Promise<string>);
  push?: any;
  query?: QueryServerOptions;
  rateLimit?: RateLimitOptions[];
  readOnlyMasterKey?: string;
  readOnlyMasterKeyIps?: string[];
  requestComplexity?: RequestComplexityOptions;
  requestContextMiddleware?: (...args: any[]) => any;
  requestKeywordDenylist?: { key: string; value: any }[];
  restAPIKey?: string;
  revokeSessionOnPasswordReset?: boolean;
  routeAllowList?: string[];
  scheduledPush?: boolean;
  schema?: SchemaOptions;
  security?: SecurityOptions;
  sendUserEmailVerification?: boolean | ((request: SendEmailVerificationRequest) => boolean | Promise<boolean>);
  serverCloseComplete?: (...args: any[]) => any;
  serverURL: string;
  sessionLength?: number;
  silent?: boolean;
  startLiveQueryServer?: boolean;
  trustProxy?: any;
  userSensitiveFields?: string[];
  verbose?: boolean;
  verifyServerUrl?: boolean;
  verifyUserEmails?: boolean | ((request: EmailVerificationRequest) => boolean | Promise<boolean>);
  webhookKey?: string;
  /** Called when the server has started, or could not be. */
  serverStartComplete?: (error?: any) => any;
  /** What parse-server does not have. */
  reparse?: ReparseOptions;
}

export interface AccountLockoutOptions {
  duration?: number;
  threshold?: number;
  unlockOnPasswordReset?: boolean;
}

export interface PasswordPolicyOptions {
  doNotAllowUsername?: boolean;
  maxPasswordAge?: number;
  maxPasswordHistory?: number;
  resetPasswordSuccessOnInvalidEmail?: boolean;
  resetTokenReuseIfValid?: boolean;
  resetTokenValidityDuration?: number;
  validationError?: string;
  validatorCallback?: (...args: any[]) => any;
  validatorPattern?: any;
}

export interface IdempotencyOptions {
  paths?: string[];
  ttl?: number;
}

export interface RateLimitOptions {
  errorResponseMessage?: string;
  includeInternalRequests?: boolean;
  includeMasterKey?: boolean;
  redisUrl?: string;
  requestCount?: number;
  requestMethods?: string[];
  requestPath: string;
  requestTimeWindow?: number;
  zone?: string;
}

export interface RequestComplexityOptions {
  allowRegex?: boolean;
  batchRequestLimit?: number;
  graphQLDepth?: number;
  graphQLFields?: number;
  includeCount?: number;
  includeDepth?: number;
  queryDepth?: number;
  subqueryDepth?: number;
  subqueryLimit?: number;
}

export interface FileUploadOptions {
  allowedFileUrlDomains?: string[];
  enableForAnonymousUser?: boolean;
  enableForAuthenticatedUser?: boolean;
  enableForPublic?: boolean;
  fileExtensions?: string[];
}

export interface FileDownloadOptions {
  enableForAnonymousUser?: boolean;
  enableForAuthenticatedUser?: boolean;
  enableForPublic?: boolean;
}

export interface InstallationOptions {
  duplicateDeviceTokenAction?: string;
  duplicateDeviceTokenActionEnforceAuth?: boolean;
  duplicateDeviceTokenMergePriority?: string;
}

export interface SecurityOptions {
  checkGroups?: any[];
  enableCheck?: boolean;
  enableCheckLog?: boolean;
}

export interface PagesOptions {
  customRoutes?: PagesRoute[];
  customUrls?: PagesCustomUrlsOptions;
  enableLocalization?: boolean;
  encodePageParamHeaders?: boolean;
  forceRedirect?: boolean;
  localizationFallbackLocale?: string;
  localizationJsonPath?: string;
  pagesEndpoint?: string;
  pagesPath?: string;
  placeholders?: any;
}

export interface PagesCustomUrlsOptions {
  emailVerificationLinkExpired?: string;
  emailVerificationLinkInvalid?: string;
  emailVerificationSendFail?: string;
  emailVerificationSendSuccess?: string;
  emailVerificationSuccess?: string;
  passwordReset?: string;
  passwordResetLinkInvalid?: string;
  passwordResetSuccess?: string;
}

export interface CustomPagesOptions {
  choosePassword?: string;
  expiredVerificationLink?: string;
  invalidLink?: string;
  invalidPasswordResetLink?: string;
  invalidVerificationLink?: string;
  linkSendFail?: string;
  linkSendSuccess?: string;
  parseFrameURL?: string;
  passwordResetSuccess?: string;
  verifyEmailSuccess?: string;
}

export interface SchemaOptions {
  afterMigration?: (...args: any[]) => any;
  beforeMigration?: (...args: any[]) => any;
  definitions: any;
  deleteExtraFields?: boolean;
  keepUnknownIndexes?: boolean;
  lockSchemas?: boolean;
  recreateModifiedFields?: boolean;
  strict?: boolean;
}

export interface QueryServerOptions {
  aggregationRawFieldNames?: boolean;
  aggregationRawValues?: boolean;
}

export interface LogLevels {
  cloudFunctionError?: string;
  cloudFunctionSuccess?: string;
  signupUsernameTaken?: string;
  triggerAfter?: string;
  triggerBeforeError?: string;
  triggerBeforeSuccess?: string;
}

export interface DatabaseOptions {
  allowPublicExplain?: boolean;
  appName?: string;
  authMechanism?: string;
  authMechanismProperties?: any;
  authSource?: string;
  autoSelectFamily?: boolean;
  autoSelectFamilyAttemptTimeout?: number;
  batchSize?: number;
  clientMetadata?: any;
  compressors?: string | string[];
  connectTimeoutMS?: number;
  createIndexAuthDataUniqueness?: boolean;
  createIndexRoleName?: boolean;
  createIndexUserEmail?: boolean;
  createIndexUserEmailCaseInsensitive?: boolean;
  createIndexUserEmailVerifyToken?: boolean;
  createIndexUserPasswordResetToken?: boolean;
  createIndexUserUsername?: boolean;
  createIndexUserUsernameCaseInsensitive?: boolean;
  directConnection?: boolean;
  disableIndexFieldValidation?: boolean;
  enableSchemaHooks?: boolean;
  forceServerObjectId?: boolean;
  heartbeatFrequencyMS?: number;
  loadBalanced?: boolean;
  localThresholdMS?: number;
  logClientEvents?: any;
  maxConnecting?: number;
  maxIdleTimeMS?: number;
  maxPoolSize?: number;
  maxStalenessSeconds?: number;
  maxTimeMS?: number;
  minPoolSize?: number;
  proxyHost?: string;
  proxyPassword?: string;
  proxyPort?: number;
  proxyUsername?: string;
  readConcernLevel?: string;
  readPreference?: string;
  readPreferenceTags?: any[];
  replicaSet?: string;
  retryReads?: boolean;
  retryWrites?: boolean;
  schemaCacheTtl?: number;
  serverMonitoringMode?: string;
  serverSelectionTimeoutMS?: number;
  socketTimeoutMS?: number;
  srvMaxHosts?: number;
  srvServiceName?: string;
  ssl?: boolean;
  tls?: boolean;
  tlsAllowInvalidCertificates?: boolean;
  tlsAllowInvalidHostnames?: boolean;
  tlsCAFile?: string;
  tlsCertificateKeyFile?: string;
  tlsCertificateKeyFilePassword?: string;
  tlsInsecure?: boolean;
  waitQueueTimeoutMS?: number;
  zlibCompressionLevel?: number;
}

export interface LiveQueryOptions {
  classNames?: string[];
  pubSubAdapter?: any;
  redisOptions?: any;
  redisURL?: string;
  regexTimeout?: number;
  wssAdapter?: any;
}

export interface LiveQueryServerOptions {
  appId?: string;
  cacheTimeout?: number;
  keyPairs?: any;
  logLevel?: string;
  masterKey?: string;
  port?: number;
  pubSubAdapter?: any;
  redisOptions?: any;
  redisURL?: string;
  serverURL?: string;
  websocketTimeout?: number;
  wssAdapter?: any;
}

/** What `verifyUserEmails` and `preventLoginWithUnverifiedEmail` are asked about. */
export interface EmailVerificationRequest {
  object: any;
  original?: any;
  master?: boolean;
  ip?: string;
  installationId?: string;
  createdWith?: { action: 'login' | 'signup'; authProvider: string };
  resendRequest?: boolean;
}

/** What `sendUserEmailVerification` is asked about. */
export interface SendEmailVerificationRequest {
  user: any;
  master?: boolean;
}

/** A page of the program's own. */
export interface PagesRoute {
  method: string;
  path: string;
  handler: (...args: any[]) => any;
}

/** Settings of an identity provider. */
export interface AuthAdapter {
  enabled?: boolean;
}

/** What parse-server does not have: options of the server alone, and these. */
export interface ReparseOptions {
  /** The server listens itself, at `host` and `port` or at this port: clients that come there do not pass the program. */
  listen?: boolean | number;
  [option: string]: any;
}
