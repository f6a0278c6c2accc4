// The recorded scenarios, the profiles they were recorded under, and the list of those that must pass.
import fs from 'node:fs';
import path from 'node:path';
import { compatDir } from '../lib/env.mjs';

const read = file => JSON.parse(fs.readFileSync(path.join(compatDir, file), 'utf8'));

export const profiles = read('transcripts/profiles.json');

const all = fs
  .readdirSync(path.join(compatDir, 'transcripts'))
  .filter(name => name.endsWith('.json') && name !== 'profiles.json')
  .sort()
  .map(name => read(`transcripts/${name}`));

const green = read('replay/green.json');
const isGreen = scenario =>
  green.some(
    ({ group, profiles: names, except = [] }) =>
      group === scenario.group && names.includes(scenario.profile) && !except.includes(scenario.name),
  );

const wanted = read('replay/differs.json');

/** Why a step's answer is meant to differ from the recorded one, if it is. */
export const reasonToDiffer = (scenario, step) => wanted[scenario.name]?.[step.id];

/** Scenarios by profile. Without any choice: those that `green.json` lists. */
export function select({ groups, profiles: names, only, every = false }) {
  const chosen = all.filter(
    scenario =>
      (every || groups || names || only || isGreen(scenario)) &&
      (!groups || groups.includes(scenario.group)) &&
      (!names || names.includes(scenario.profile)) &&
      (!only || scenario.name.includes(only)),
  );
  const byProfile = new Map();
  for (const scenario of chosen) byProfile.set(scenario.profile, [...(byProfile.get(scenario.profile) ?? []), scenario]);
  return byProfile;
}
