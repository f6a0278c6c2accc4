'use strict';
// Validators: checked when they are registered, run right before the handler.
const { ProtocolError, VALIDATION_ERROR } = require('./errors');

const VALIDATOR_KEYS = {
  requireUser: ['boolean'],
  requireMaster: ['boolean'],
  validateMasterKey: ['boolean'],
  skipWithMasterKey: ['boolean'],
  requireUserKeys: ['array', 'object'],
  requireAnyUserRoles: ['array', 'function'],
  requireAllUserRoles: ['array', 'function'],
  fields: ['array', 'object'],
  rateLimit: ['object'],
};
const FIELD_KEYS = { default: null, constant: ['boolean'], options: null, type: null, required: ['boolean'], error: ['string'] };
const RATE_LIMIT_KEYS = new Set([
  'requestTimeWindow', 'requestCount', 'errorResponseMessage', 'includeInternalRequests', 'includeMasterKey', 'zone',
  'redisUrl', 'requestMethods', 'requestPath',
]);

const typeOf = value => (Array.isArray(value) ? 'array' : typeof value);

function checkKeys(given, allowed) {
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(allowed, key)) throw `${key} is not a supported parameter for Cloud Function validations.`;
    const types = allowed[key];
    if (types && !types.includes(typeOf(value))) {
      throw `Invalid type for Cloud Function validation key ${key}. Expected ${types.join('|')}, actual ${typeOf(value)}`;
    }
  }
}

/** Throws for a validator that cannot work: a text, as parse-server does. */
function checkValidator(validator) {
  if (validator === null || validator === undefined || typeof validator === 'function') return;
  if (typeof validator !== 'object') throw new Error('A validator must be a function or an object.');
  checkKeys(validator, VALIDATOR_KEYS);
  for (const fields of [validator.fields, validator.requireUserKeys]) {
    if (!fields || Array.isArray(fields)) continue;
    for (const field of Object.values(fields)) if (field !== null && typeof field === 'object') checkKeys(field, FIELD_KEYS);
  }
  for (const key of Object.keys(validator.rateLimit ?? {})) {
    if (!RATE_LIMIT_KEYS.has(key)) throw `Invalid rate limit option "${key}"`;
  }
}

const refuse = text => {
  throw new ProtocolError(VALIDATION_ERROR, text);
};

/**
 * Throws if the validator refuses the request.
 *
 * @param roles asynchronous function: names of all roles of a user id
 */
async function validate(validator, request, roles) {
  if (!validator) return;
  if (typeof validator === 'function') {
    await validator(request);
    return;
  }
  if (request.master && !validator.validateMasterKey) return;
  const user = request.user ?? signingUp(request);
  const wantsRoles = validator.requireAnyUserRoles || validator.requireAllUserRoles;
  if ((validator.requireUser || wantsRoles) && !user) refuse('Validation failed. Please login to continue.');
  if (validator.requireMaster && !request.master) {
    refuse('Validation failed. Master key is required to complete this request.');
  }
  if (validator.fields) await checkFields(validator.fields, request);
  if (wantsRoles) await checkRoles(validator, request, user, roles);
  if (validator.requireUserKeys) await checkUserKeys(validator.requireUserKeys, user);
}

function signingUp({ object }) {
  return object?.className === '_User' && typeof object.existed === 'function' && !object.existed() ? object : undefined;
}

async function checkFields(fields, request) {
  const { object } = request;
  const isParseObject = typeof object?.toJSON === 'function';
  const values = isParseObject ? object.toJSON() : (request.params ?? {});
  if (Array.isArray(fields)) {
    for (const name of fields) requireValue(name, values[name]);
    return;
  }
  for (const [name, field] of Object.entries(fields)) {
    if (typeof field === 'string') {
      requireValue(field, values[field]);
      continue;
    }
    if (field === null || typeof field !== 'object') continue;
    let value = Object.hasOwn(values, name) ? values[name] : undefined;
    const set = given => {
      value = given;
      if (isParseObject) object.set(name, given);
      else values[name] = given;
    };
    const hasDefault = field.default !== null && field.default !== undefined;
    if (hasDefault && (value === null || value === undefined)) set(field.default);
    if (field.constant && isParseObject) {
      if (request.original) {
        value = request.original.get(name);
        object.revert(name);
      } else if (hasDefault) {
        set(field.default);
      }
    }
    if (field.required) requireValue(name, value);
    if (value === undefined) continue;
    if (field.type) {
      const type = typeof field.type === 'function' ? field.type.name.toLowerCase() : String(field.type);
      if (typeOf(value) !== type) refuse(`Validation failed. Invalid type for ${name}. Expected: ${type}`);
    }
    if (field.options !== undefined) await checkOptions(field, name, value);
  }
}

function requireValue(name, value) {
  if (value === null || value === undefined) refuse(`Validation failed. Please specify data for ${name}.`);
}

async function checkOptions(field, name, value) {
  const { options, error } = field;
  if (typeof options === 'function') {
    let accepted;
    try {
      accepted = await options(value);
    } catch (thrown) {
      refuse(error || textOf(thrown) || `Validation failed. Invalid value for ${name}.`);
    }
    if (accepted !== null && accepted !== undefined && !accepted) {
      refuse(error || `Validation failed. Invalid value for ${name}.`);
    }
    return;
  }
  const allowed = Array.isArray(options) ? options : [options];
  if (!allowed.includes(value)) {
    refuse(error || `Validation failed. Invalid option for ${name}. Expected: ${allowed.join(', ')}`);
  }
}

const textOf = thrown => (typeof thrown === 'string' ? thrown : thrown?.message);

async function checkRoles(validator, request, user, roles) {
  const listOf = async wanted => (typeof wanted === 'function' ? await wanted(request) : wanted);
  const any = await listOf(validator.requireAnyUserRoles);
  const all = await listOf(validator.requireAllUserRoles);
  const has = new Set(user.id ? await roles(user.id) : []);
  if (any && !any.some(role => has.has(role))) refuse('Validation failed. User does not match the required roles.');
  if (all && !all.every(role => has.has(role))) refuse('Validation failed. User does not match all the required roles.');
}

async function checkUserKeys(keys, user) {
  if (!user) refuse('Please login to make this request.');
  const missing = name => refuse(`Validation failed. Please set data for ${name} on your account.`);
  if (Array.isArray(keys)) {
    for (const name of keys) if (user.get(name) === null || user.get(name) === undefined) missing(name);
    return;
  }
  for (const [name, field] of Object.entries(keys)) {
    if (field?.options !== undefined) await checkOptions(field, name, user.get(name));
    else if (user.get(name) === null || user.get(name) === undefined) missing(name);
  }
}

module.exports = { checkValidator, validate };
