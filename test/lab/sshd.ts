/** A real sshd in a lab host's namespaces, as the lab needs it. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Component } from '../../src/node/component.js';
import { nameOf, pidsIn, start, startTime } from './system.js';

/** How a Linux lab host differs from a plain one. */
export interface LinuxOptions {
  /** Logs in as this user, not root, with this line in sudoers. */
  user?: { name: string; sudoers: string };
  /** What /bin/sh is there. */
  sh?: 'dash' | 'bash' | 'busybox';
  /** What the login's ~/.bashrc says; Debian's bash reads it on every exec. */
  bashrc?: string;
}

export interface SshdPlace extends LinuxOptions {
  namespace: string;
  /** The host's own folder. */
  dir: string;
  /** Processes stand for kubelet and kube-proxy, and systemd for itself. */
  processes: boolean;
  hostKey: string;
  authorizedKeys: string;
}

/** Makes an ed25519 key pair: `file` and `file.pub`. Gives the public line. */
export function makeKey(file: string): string {
  // Not by ssh2's generateKeyPairSync: one in a few hundred of its keys is not accepted by OpenSSH.
  rmSync(file, { force: true });
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f', file]);
  return readFileSync(`${file}.pub`, 'utf8').trim();
}

/** SHA-256 of a public key line, in OpenSSH's form. */
export function fingerprintOf(publicLine: string): string {
  const blob = Buffer.from(publicLine.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/**
 * Starts sshd, as the first process of a pid namespace of the host's own; the id of its parent, with which it ends. The mount namespace that
 * `ip netns exec` makes is the host's own too: it gets its own /proc, boot id, /run and /tmp, and what the options ask for instead of the
 * machine's passwd, shells and sudoers.
 */
export function startSshd(place: SshdPlace): number {
  const config = join(place.dir, 'sshd_config');
  writeFileSync(config, sshdConfig(place));
  const mounts = [
    'mount -t proc proc /proc',
    `mount --bind ${join(place.dir, 'boot_id')} /proc/sys/kernel/random/boot_id`,
    'mount -t tmpfs -o mode=755 run /run',
    'mkdir /run/sshd',
    'mount -t tmpfs -o mode=1777 tmp /tmp',
    ...(place.processes ? folders(place) : []),
    ...accounts(place),
    ...(place.processes ? services(place) : []),
    ...(place.sh === undefined || place.sh === 'dash'
      ? []
      : [`mount --bind "$(command -v ${place.sh})" "$(readlink -f /bin/sh)"`]),
  ];
  const script = `set -e\n${mounts.join('\n')}\nexec /usr/sbin/sshd -D -e -f ${config}\n`;
  const inside = ['unshare', '--pid', '--fork', '--kill-child', 'bash', '-c', script];
  return start('ip', ['netns', 'exec', place.namespace, ...inside], join(place.dir, 'log'));
}

/** The sshd that listens in the namespace, and those of its sessions. By age, not by number: ids begin anew after /proc/sys/kernel/pid_max. */
export function sshdIn(namespace: string): { listener: number; sessions: number[] } {
  const age = (pid: number): number => Number(startTime(pid) ?? Number.POSITIVE_INFINITY);
  const [listener, ...sessions] = pidsIn([namespace])
    .filter((pid) => nameOf(pid) === 'sshd')
    .map((pid) => ({ pid, age: age(pid) }))
    .sort((a, b) => a.age - b.age)
    .map(({ pid }) => pid);
  if (listener === undefined) throw new Error(`no sshd runs in ${namespace}`);
  return { listener, sessions };
}

function sshdConfig(place: SshdPlace): string {
  return `Port 22
ListenAddress 0.0.0.0
HostKey ${place.hostKey}
PidFile none
AuthorizedKeysFile ${place.authorizedKeys}
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
UseDNS no
PrintMotd no
LogLevel QUIET
MaxStartups 100:30:200
Subsystem sftp internal-sftp
`;
}

/** Accounts of the host's own: root with a home in the lab, and the user asked for. No password is locked, as sshd without PAM minds that. */
function accounts(place: SshdPlace): string[] {
  const etc = join(place.dir, 'etc');
  const home = join(place.dir, 'home');
  mkdirSync(join(etc, 'sudoers.d'), { recursive: true });
  mkdirSync(home, { recursive: true });
  const lines = (file: string): string[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('root:'));
  const { user } = place;
  const extra = (line: string): string[] => (user ? [line] : []);
  const write = (name: string, rows: string[], mode: number): string => {
    writeFileSync(join(etc, name), `${rows.join('\n')}\n`, { mode });
    return `mount --bind ${join(etc, name)} /etc/${name}`;
  };
  if (place.bashrc !== undefined) writeFileSync(join(home, '.bashrc'), place.bashrc);
  const passwd = [
    `root:x:0:0:root:${home}:/bin/bash`,
    ...extra(`${user?.name}:x:61555:61555::${home}:/bin/bash`),
  ];
  const mounts = [
    write('passwd', [...passwd, ...lines('/etc/passwd')], 0o644),
    write(
      'shadow',
      ['root:*:19000::::::', ...extra(`${user?.name}:*:19000::::::`), ...lines('/etc/shadow')],
      0o640,
    ),
  ];
  if (!user) return mounts;
  writeFileSync(join(etc, 'sudoers.d', 'fairway'), `${user.sudoers}\n`, { mode: 0o440 });
  return [...mounts, `mount --bind ${join(etc, 'sudoers.d')} /etc/sudoers.d`];
}

/** Folders of the host's own, whose files outlive its reboot. The overlay makes places to hang them, as the machine may lack some. */
function folders(place: SshdPlace): string[] {
  const skeleton = join(place.dir, 'skeleton');
  const hang = (path: string): string => {
    const dir = join(place.dir, 'own', path);
    for (const each of [join(skeleton, path), dir]) mkdirSync(each, { recursive: true });
    return `mount --bind ${dir} ${path}`;
  };
  return [
    ...['/etc', '/usr/local'].map((path) => {
      mkdirSync(join(skeleton, path), { recursive: true });
      return `mount -t overlay -o lowerdir=${join(skeleton, path)}:${path} overlay ${path}`;
    }),
    ...['/etc/fairway', '/etc/systemd', '/etc/sysctl.d', '/usr/local/sbin'].map(hang),
  ];
}

/** Stand-ins where sudoers has the real ones. Laid over the folder: the machine may have no systemd to bind over. */
function services(place: SshdPlace): string[] {
  const bin = join(place.dir, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const name of ['systemctl', 'journalctl'])
    copyFileSync(join(process.cwd(), 'test/lab/linux', name), join(bin, name));
  // Started from a copy, a process bears the copy's name.
  for (const name of Component.options) copyFileSync('/usr/bin/sleep', join(bin, name));
  return [
    `mount -t overlay -o lowerdir=${bin}:/usr/bin overlay /usr/bin`,
    'mkdir -p /run/systemd/system',
    'systemctl isolate multi-user.target',
  ];
}
