'use strict';
// Functions and jobs.
const { ProtocolError, SCRIPT_FAILED, VALIDATION_ERROR, toFailure } = require('./errors');
const course = require('./course');
const { logger } = require('./logs');
const { lazy, userOf } = require('./requests');
const { validate } = require('./validators');
const { decodeParameters, encodeResult } = require('./values');

const asError = failure => Object.assign(new ProtocolError(failure.code, failure.message), { stack: failure.stack });

/** What was thrown by a validator, as the error that the client gets. */
const validationError = thrown => asError(toFailure(thrown, { code: VALIDATION_ERROR, text: 'Validation failed.' }));

function install(Parse, registry, channel, roles) {
  /** Files of a form: ranges of the attachment. */
  function addFiles(parameters, files, attachment) {
    for (const { name, filename, contentType, start, length } of files ?? []) {
      parameters[name] = { filename, contentType, data: Buffer.from(attachment.subarray(start, start + length)) };
    }
    return parameters;
  }

  async function callFunction({ name, payload }, attachment) {
    const registered = registry.function(name);
    if (!registered) throw new ProtocolError(SCRIPT_FAILED, `Invalid function: "${name}"`);
    const request = {
      params: addFiles(decodeParameters(Parse, payload.params ?? {}), payload.files, attachment),
      config: course.config(Parse),
      master: payload.master ?? false,
      isReadOnly: payload.isReadOnly ?? false,
      user: undefined,
      installationId: payload.installationId,
      log: logger,
      headers: payload.headers,
      ip: payload.ip,
      functionName: name,
      context: payload.context ?? {},
    };
    if (payload.user) lazy(request, 'user', () => userOf(Parse, payload.user));
    try {
      await validate(registered.validator, request, roles);
    } catch (thrown) {
      throw validationError(thrown);
    }
    return registered.takesResponse ? withResponse(registered.handler, request) : answerOf(await registered.handler(request));
  }

  const answerOf = value => ({ result: encodeResult(Parse, value) });

  /** The form with a response object. A returned value answers too; without any answer the call runs into its deadline. */
  function withResponse(handler, request) {
    return new Promise((resolve, reject) => {
      let answered = false;
      const answer = { status: undefined, headers: undefined };
      const once = method => {
        if (answered) {
          throw new Error(
            `Cannot call ${method}() after response has already been sent. Make sure to call success() or error() only once per cloud function execution.`,
          );
        }
        answered = true;
      };
      const succeed = value => {
        try {
          resolve({ ...answerOf(value), ...answer });
        } catch (error) {
          reject(error);
        }
      };
      const response = {
        success(value) {
          once('success');
          succeed(value);
        },
        error(error) {
          once('error');
          reject(error);
        },
        status(code) {
          answer.status = code;
          return response;
        },
        header(key, value) {
          (answer.headers ??= {})[key] = String(value);
          return response;
        },
      };
      (async () => handler(request, response))().then(
        value => {
          if (answered || value === undefined) return;
          answered = true;
          succeed(value);
        },
        error => {
          answered = true;
          reject(error);
        },
      );
    });
  }

  async function runJob({ name, payload }) {
    const handler = registry.jobs.get(name);
    if (!handler) throw new ProtocolError(SCRIPT_FAILED, 'Invalid job.');
    /** The last text that the job gave, which is its message at the end unless it ends with a text. */
    let last;
    const message = async text => {
      if (typeof text !== 'string' || text === '') return;
      last = text;
      await channel.call('jobMessage', { job: payload.jobId, message: text });
    };
    try {
      const result = await handler({
        params: decodeParameters(Parse, payload.params ?? {}),
        jobName: name,
        jobId: payload.jobId,
        config: course.config(Parse),
        log: logger,
        headers: payload.headers,
        ip: payload.ip,
        message,
      });
      return { message: typeof result === 'string' ? result : last };
    } catch (thrown) {
      throw asError(toFailure(thrown, { text: last }));
    }
  }

  return { function: callFunction, job: runJob };
}

module.exports = { asError, install, validationError };
