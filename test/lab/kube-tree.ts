/** A small module laid out as Kubernetes' tree, in a git repository with a tag, made anew for each test file. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface KubeTree {
  /** The repository's folder. */
  source: string;
  /** The commit that `v1.5.0` leads to. */
  commit: string;
  /** Puts a tag on a new commit, with one more file when it is named, or without a `go.mod` for `no-module`, and gives the commit. */
  tag(version: string, file?: string): string;
}

/**
 * Kubernetes' own puts the file there too. This one counts to ten before: a test that waits for `5 of 10` is in the midst of a build. By a
 * file `straggler` it leaves a process behind, by `broken` it fails.
 */
const MAKEFILE = `all:
	@[ ! -f broken ] || { echo "it is broken: token=hunter2"; exit 3; }
	@[ ! -f straggler ] || setsid sleep 300 &
	@for n in 1 2 3 4 5 6 7 8 9 10; do echo "$$n of 10"; sleep $(file <pace); done
	CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go build -o _output/local/bin/windows/amd64/$(notdir $(WHAT)).exe ./$(WHAT)
`;

/** `pace`: seconds between two of its numbers. */
export function makeKubeTree(dir: string, pace = 0.3): KubeTree {
  const source = join(dir, 'kubernetes');
  for (const name of ['kubelet', 'kube-proxy']) {
    mkdirSync(join(source, 'cmd', name), { recursive: true });
    writeFileSync(
      join(source, 'cmd', name, 'main.go'),
      `package main\n\nfunc main() { println("${name}") }\n`,
    );
  }
  writeFileSync(join(source, 'go.mod'), 'module k8s.io/kubernetes\n\ngo 1.13\n');
  writeFileSync(join(source, 'Makefile'), MAKEFILE);
  writeFileSync(join(source, 'pace'), `${pace}`);
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=lab', '-c', 'user.email=lab@lab', '-C', source, ...args], {
      encoding: 'utf8',
    }).trim();
  git('init', '-q', '-b', 'master');
  const tag = (version: string, file = ''): string => {
    if (file === 'no-module') rmSync(join(source, 'go.mod'));
    else if (file !== '') writeFileSync(join(source, file), '');
    git('add', '.');
    git('commit', '-q', '--allow-empty', '-m', version);
    // Annotated, as Kubernetes' are: the tag has an id of its own.
    git('tag', '-a', version, '-m', version);
    return git('rev-parse', 'HEAD');
  };
  return { source, commit: tag('v1.5.0'), tag };
}

/** Go's own packages for Windows take half a minute to compile: they are kept from one lab to the next. */
const GO_CACHE = '/var/tmp/fairway-lab-go';

/** A folder to build in, whose cache knows Go's own packages. */
export function makeBuildDir(dir: string): string {
  const build = join(dir, 'build');
  for (const folder of [GO_CACHE, build]) mkdirSync(folder, { recursive: true });
  symlinkSync(GO_CACHE, join(build, 'cache'));
  return build;
}
