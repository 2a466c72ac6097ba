/** Hosts without machines: sshds on loopback that answer what Linux and Windows hosts would, on any OS and without root. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { fabricOf, type HostSpec, type SandboxHost, startHost } from './host.js';
import { newKey } from './server.js';

export interface SandboxHosts {
  /** OpenSSH client configuration: `ssh -F <this> win03` goes where Fairway goes. */
  sshConfigFile: string;
  /** The private key that every host takes, and no other. */
  keyFile: string;
  hosts: Map<string, SandboxHost>;
  close(): Promise<void>;
}

/** Starts the hosts, all on one wire, and writes the key and the SSH configuration into `workDir`. */
export async function startSandboxHosts(options: {
  hosts: readonly HostSpec[];
  workDir: string;
}): Promise<SandboxHosts> {
  const { workDir } = options;
  const key = newKey('fairway-sandbox');
  const clientKey = ssh2.utils.parseKey(key.public);
  if (clientKey instanceof Error) throw clientKey;

  const hosts = new Map<string, SandboxHost>();
  const close = async (): Promise<void> => {
    await Promise.all([...hosts.values()].map((host) => host.down()));
  };
  const keyFile = join(workDir, 'id_ed25519');
  const sshConfigFile = join(workDir, 'ssh_config');
  try {
    for (const [index, spec] of options.hosts.entries()) {
      hosts.set(spec.name, await startHost(spec, index + 1, clientKey, () => fabricOf(hosts.values())));
    }
    await mkdir(workDir, { recursive: true, mode: 0o700 });
    await writeFile(keyFile, key.private, { mode: 0o600 });
    await writeFile(sshConfigFile, [...hosts.values()].map((host) => sshConfig(host, keyFile)).join('\n'));
  } catch (error) {
    await close();
    throw error;
  }
  return { sshConfigFile, keyFile, hosts, close };
}

/** A host is found by its name and by its address. */
function sshConfig(host: SandboxHost, keyFile: string): string {
  return `Host ${host.name} ${host.address}
  HostName 127.0.0.1
  Port ${host.port}
  User ${host.user}
  IdentityFile ${/\s/.test(keyFile) ? `"${keyFile}"` : keyFile}
  IdentitiesOnly yes
`;
}
