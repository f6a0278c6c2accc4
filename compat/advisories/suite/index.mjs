// Every check, by section.
import denial from './denial.mjs';
import enumeration from './enumeration.mjs';
import files from './files.mjs';
import graphqlSchema from './graphql-schema.mjs';
import hooks from './hooks.mjs';
import identities from './identities.mjs';
import keys from './keys.mjs';
import live from './live.mjs';
import names from './names.mjs';
import reads from './reads.mjs';
import sessions from './sessions.mjs';

const sections = { enumeration, 'graphql schema': graphqlSchema, reads, sessions, identities, keys, denial, names, files, hooks, 'live queries': live };

/** All checks: `{id, cve?, title, section, config, run}`. */
export const checks = Object.entries(sections).flatMap(([section, list]) => list.map(check => ({ config: 'base', ...check, section })));
