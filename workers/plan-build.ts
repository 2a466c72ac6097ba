/** Plans a build, and lets an approved one through: the build host is looked at both times. */
import type { BuildChange } from '../src/change/change.js';
import { Refusal } from '../src/errors.js';
import { buildCommands } from '../src/host/build.js';
import { lacks, planBuild } from '../src/plan/build.js';
import type { BuildPlan } from '../src/plan/plan.js';
import { planHash } from '../src/plan/seal.js';
import { sayBuildAway, sayBuildUnfit, sayTagMoved } from '../src/words/build.js';
import { sayPlanAltered } from '../src/words/trouble.js';
import { begin } from './admit-changes.js';
import { builderOf, lookAtBuilder, whyNot } from './build-host.js';
import type { WorkerDeps } from './deps.js';
import { makeStale, withdraw } from './end-untouched.js';
import { planPolicy } from './read-hosts.js';

/** Throws the Refusals `no-build-host`, `build-host-unreadable`, and those of `planBuild`. */
export async function planBuilding(deps: WorkerDeps, { build }: BuildChange): Promise<BuildPlan> {
  const { by, dir } = deps.config.build;
  const builder = builderOf(deps);
  if (builder === null) throw new Refusal('no-build-host', {});
  const look = await lookAtBuilder(deps, builder, build, dir).catch((error: unknown) => {
    throw new Refusal('build-host-unreadable', { host: builder.address, why: whyNot(error) });
  });
  const { revision: basedOn } = await deps.nodes.read();
  const { hostKey, said, check } = look;
  return planBuild({ ...build, by, dir }, builder, check, {
    hostKey,
    said,
    basedOn,
    commands: buildCommands,
  });
}

/** The gate of a build: the version still is the commit that was approved, and the host can build it. */
export async function admitBuild(deps: WorkerDeps, change: BuildChange): Promise<void> {
  if (change.cancelRequestedBy !== undefined) return withdraw(deps, change);
  const plan = await deps.changes.sealedPlan(change.id);
  if (plan?.kind !== 'build' || planHash(plan, planPolicy(deps)) !== change.planHash)
    return makeStale(deps, change, sayPlanAltered());
  const { builder, spec } = plan;
  for (const { hostKey } of plan.hosts)
    if (hostKey?.firstContact) await deps.hostKeys.pin(builder.name, hostKey.fingerprint);
  try {
    const { check } = await lookAtBuilder(deps, builder, spec, spec.dir);
    const wrong = lacks(check, spec.by, spec.version);
    if (wrong.length > 0) return makeStale(deps, change, sayBuildUnfit(builder.address, wrong));
    if (check.commit !== spec.commit)
      return makeStale(deps, change, sayTagMoved(spec.version, spec.commit, check.commit));
  } catch (error) {
    return makeStale(deps, change, sayBuildAway(builder.address, whyNot(error)));
  }
  await begin(deps, change, plan, []);
}
