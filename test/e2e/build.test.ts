import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startWorld, type World } from '../../sandbox/world.js';
import { type KubeTree, makeBuildDir, makeKubeTree } from '../lab/kube-tree.js';
import { createLab, type Lab } from '../lab/lab.js';
import { describeWith } from '../lab/requirements.js';
import { eventually } from '../support/eventually.js';
import { type Team, teamOf } from '../support/team.js';

/** The host's Go calls itself one that the makefile of Kubernetes 1.5 takes. */
const OLD_GO = `go=$(readlink -f "$(command -v go)"); root=$(go env GOROOT); cp "$go" /tmp/go-itself
cat >/tmp/go <<END
#!/bin/sh
[ "\\$1" = version ] && exec echo go version go1.9.7 linux/amd64
GOROOT=$root exec /tmp/go-itself "\\$@"
END
chmod +x /tmp/go; mount --bind /tmp/go "$go"`;

describeWith(['root', 'go'], 'builds, from Slack to a real build host', () => {
  let lab: Lab;
  let tree: KubeTree;
  let world: World;
  let team: Team;
  beforeAll(async () => {
    lab = await createLab({ hosts: [{ name: 'builder', os: 'linux', address: '10.0.0.20' }] });
    await lab.exec('builder', OLD_GO);
    tree = makeKubeTree(lab.dir, 1);
    const env = {
      PROBE_EVERY: '1d',
      ...{ BUILD_HOST: 'builder', BUILD_DIR: makeBuildDir(lab.dir), BUILD_SOURCE: tree.source },
    };
    world = await startWorld({ ssh: lab, workers: 1, env });
    team = teamOf(world);
  }, 90_000);
  afterAll(async () => {
    team.close();
    await world.close();
    await lab.close();
  });

  const left = async (): Promise<string> =>
    (await lab.exec('builder', "grep -lz '^FAIRWAY_JOB=' /proc/[0-9]*/environ 2>/dev/null || true")).trim();
  /** The result of the change on the build host. */
  const resultOf = async (id: string) => (await team.stores.changes.results(id)).get('build@builder');

  test('a plan says what is built, from which commit and with what; a killed worker costs nothing; the file is on record', async () => {
    const asked = await team.ask('build kubelet v1.5.0');
    expect(asked.state).toBe('pending');
    const plan = await team.untilCard(asked.id, 'Approve');
    for (const fact of [tree.commit, tree.source, 'make WHAT=cmd/kubelet', 'Go 1.9.7', 'SHA256:'])
      expect(plan).toContain(fact);
    expect(await team.say('build kubelet v1.5.0')).toMatch(/`c\d+` does this already/);
    expect(await team.say('build kubelet v1.5.0 from /srv/other')).toMatch(
      /does `build kubelet v1\.5\.0` and waits for approval/,
    );
    await team.click(asked.id, 'Approve');
    await team.untilCard(asked.id, 'of 10');
    const [first] = world.workers;
    if (!first) throw new Error('no worker');
    const ended = once(first.child, 'exit');
    first.child.kill('SIGKILL');
    await ended;
    world.startWorker();
    await team.until(asked.id, 'applied');
    const { built } = (await resultOf(asked.id)) ?? {};
    const sum = (await lab.exec('builder', `sha256sum ${built?.path}`)).split(' ')[0];
    expect(built).toMatchObject({ commit: tree.commit, sha256: sum, changeId: asked.id, reused: false });
    expect(await team.untilCard(asked.id, 'is built')).toContain(sum);
    expect(await team.say('builds')).toContain(sum);
    // Each line of the log once, though two workers wrote it down.
    expect((await team.stores.builds.log(asked.id)).match(/\b(\d+) of 10/g)).toHaveLength(10);
    await team.click(asked.id, 'Details');
    const sent = await world.slack.waitFor((message) => message.files.length > 0, 10_000);
    expect(sent.files[0]?.content).toContain('10 of 10\n');
  }, 180_000);

  test('the same commit again is not built again, and the card says whose it is', async () => {
    const asked = await team.ask('build kubelet v1.5.0', 'UALICE');
    await team.untilCard(asked.id, 'was built there already');
    await team.click(asked.id, 'Approve');
    await team.until(asked.id, 'applied');
    expect(await resultOf(asked.id)).toMatchObject({
      status: 'unchanged',
      built: { changeId: 'c1', reused: true },
    });
    expect(await team.untilCard(asked.id, 'was there already')).toContain('`c1` built it');
  });

  test('cancel ends what runs on the build host', async () => {
    const asked = await team.ask('build kube-proxy v1.5.0');
    await team.click(asked.id, 'Approve');
    // Not by its card: after so many edits Slack may have it wait.
    await eventually('the build counts', async () =>
      (await team.stores.builds.log(asked.id)).includes('of 10'),
    );
    expect(await left()).not.toBe('');
    await team.click(asked.id, 'Cancel', 'UALICE');
    expect(await team.until(asked.id)).toMatchObject({ state: 'cancelled' });
    expect(await left()).toBe('');
    await team.click(asked.id, 'Retry', 'UALICE');
    await team.until(asked.id, 'applied');
  }, 120_000);

  test('a build that fails says why, without secrets; no tag, and a tag that moved, are said before anything runs', async () => {
    tree.tag('v1.5.1', 'broken');
    const broken = await team.make('build kubelet v1.5.1');
    expect(broken.state).toBe('failed');
    const card = await team.untilCard(broken.id, 'The build ended with 2');
    expect(card).toContain('it is broken: token=[secret]');
    expect(await team.ask('build kubelet v1.9.9')).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('no tag `v1.9.9`'),
    });
    const planned = await team.ask('build kube-proxy v1.5.1');
    await lab.exec('builder', `git -C ${tree.source} tag -f v1.5.1 v1.5.0^{}`);
    await team.click(planned.id, 'Approve');
    expect(await team.until(planned.id, 'stale')).toMatchObject({
      reason: expect.stringContaining(tree.commit),
    });
  }, 120_000);
});
