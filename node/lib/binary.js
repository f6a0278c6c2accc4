'use strict';
// Where the server's binary is, and whether it fits this package.
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { version } = require('../package.json');
const { here, packageFor, programFor } = require('./platforms');

const checked = new Map();

/** The package that holds the binary for this machine. */
const platformPackage = packageFor(here);
const program = programFor(here);

/** The path of the binary: named by `REPARSE_BIN`, of a package beside this one, or in PATH. */
function find() {
  const named = process.env.REPARSE_BIN;
  if (named) {
    if (isFile(named)) return path.resolve(named);
    throw new Error(`There is no file ${named} (REPARSE_BIN).`);
  }
  try {
    return require.resolve(`${platformPackage}/bin/${program}`);
  } catch {
    // There is no such package.
  }
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    const file = path.join(folder, program);
    if (folder && isFile(file)) return file;
  }
  throw new Error(
    `The program reparse ${version} is needed and was not found: install the package ${platformPackage}, put the program into PATH, ` +
      'or set REPARSE_BIN to its path.',
  );
}

function isFile(file) {
  try {
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Makes sure that the binary has the version of this package. A program asks once for each binary. */
function check(file) {
  if (!checked.has(file)) {
    const answer = ask(file);
    checked.set(file, answer);
    answer.catch(() => checked.delete(file));
  }
  return checked.get(file);
}

function ask(file) {
  return new Promise((resolve, reject) => {
    execFile(file, ['--version'], { timeout: 10_000 }, (error, stdout) => {
      const found = /^reparse (\S+)/.exec(stdout ?? '')?.[1];
      if (found === version) resolve();
      else if (found) reject(new Error(`${file} is reparse ${found}; this package needs ${version}.`));
      else reject(new Error(`${file} is not reparse ${version}${error ? `: ${error.message}` : '.'}`));
    });
  });
}

module.exports = { check, find, version };
