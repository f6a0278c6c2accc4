'use strict';
// Adapters that are part of the server: in a program there is only their description.

/** The key of a description `{module, options}`. */
const builtIn = Symbol.for('reparse.builtIn');

const classes = new Set();

/** Whether a description is no more than that: not of a class that extends ours, and without methods of its own. */
const isBare = made => classes.has(made.constructor) && !Object.values(made).some(value => typeof value === 'function');

/** A class whose instances describe an adapter of the server. */
function describe(module, optionsOf = options => options ?? {}) {
  const described = class {
    constructor(...args) {
      Object.defineProperty(this, builtIn, { value: { module, options: optionsOf(...args) } });
    }
  };
  classes.add(described);
  return described;
}

const FileSystemAdapter = describe('@parse/fs-files-adapter');

/** The forms of old versions: `(bucket)`, `(accessKey, secretKey, bucket, options)`, `(options)`. */
const S3Adapter = describe('@parse/s3-files-adapter', (...args) => {
  if (typeof args[0] !== 'string') return args[0] ?? {};
  if (args.length < 3) return { bucket: args[0], ...args[1] };
  const [accessKey, secretKey, bucket, options] = args;
  return { accessKey, secretKey, bucket, ...options };
});

const GCSAdapter = describe('@parse/gcs-files-adapter', (...args) => {
  if (typeof args[0] !== 'string') return args[0] ?? {};
  const [projectId, keyFilename, bucket, options] = args;
  return { projectId, keyFilename, bucket, ...options };
});

module.exports = { FileSystemAdapter, GCSAdapter, S3Adapter, builtIn, isBare };
