// Programs from PyPI, with the versions of requirements.txt, installed once into the target directory.
import path from 'node:path';
import { repoDir } from '../lib/env.mjs';
import { here, run, targetDir } from './support.mjs';

let folder;

/** The folder of the programs: `python`, `schemathesis`, `openapi-python-client`, `ruff`. */
export function pythonPrograms() {
  const script = path.join(repoDir, 'tests/tools/python-packages.py');
  folder ??= run('python3', [script, path.join(targetDir, 'test-tools'), path.join(here, 'requirements.txt')]);
  return folder;
}
