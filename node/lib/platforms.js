'use strict';
// The kinds of machines that there are packages with the program for.

/** As npm names them: `process.platform` and `process.arch`. */
const PLATFORMS = ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64', 'win32-x64'];

/** The package with the program for such a machine. */
const packageFor = platform => `reparse-${platform}`;

/** What the program is called there. */
const programFor = platform => (platform.startsWith('win32-') ? 'reparse.exe' : 'reparse');

module.exports = { PLATFORMS, packageFor, programFor, here: `${process.platform}-${process.arch}` };
