'use strict';
// The kinds of machines that there are packages with the program for.

/** As npm names them: `process.platform` and `process.arch`. */
const PLATFORMS = ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64'];

/** The package with the program for such a machine. */
const packageFor = platform => `reparse-${platform}`;

module.exports = { PLATFORMS, packageFor, here: `${process.platform}-${process.arch}` };
