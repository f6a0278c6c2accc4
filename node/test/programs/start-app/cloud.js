Parse.Cloud.define('config', request => ({ appId: request.config.appId, mountPath: Parse.Server.mountPath }));
